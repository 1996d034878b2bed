"""What running jobs say: kept within bounds, told to the requestor once a second, believed of nobody else."""

from __future__ import annotations

from golem.core.state import NodeState
from golem.model.ids import JobId, NodeId, SubtaskId
from golem.model.messages import MAX_SAID, Cancellation, Failure, Message, Progress
from golem.model.spec import Job
from golem.node.live import MAX_KEPT, MAX_STORIES, TELL_S, Link, Live, Record
from golem.testing.clock import Clock
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from tests.core.providing import TASK, assignment, hired
from tests.core.requesting import assigned, at_work


class Side:
    """The live side of a node, and what it says."""

    def __init__(self, state: NodeState) -> None:
        self.clock = Clock()
        self.sent: list[tuple[NodeId, Message]] = []
        self.shown: list[tuple[str, Record]] = []
        self.live = Live(self.clock)
        self.live.join(
            Link(
                state=lambda: state,
                send=lambda peer, message: self.sent.append((peer, message)),
                show=lambda task, record: self.shown.append((task, record)),
            )
        )


def working() -> tuple[Solo, Side, Job]:
    """A provider that computes for alice."""
    me = hired()
    me.hear("alice", assignment())
    return me, Side(me.state), assignment().job


def test_a_requestor_is_told_once_a_second_what_its_job_says() -> None:
    _, side, job = working()
    for percent in range(50):
        side.live.news(job, percent, b"line %d\n" % percent)
    assert side.sent == []
    side.clock.advance(TELL_S)
    ((peer, message),) = side.sent
    assert peer == FixedKeyring("alice").node_id
    assert isinstance(message, Progress)
    assert (message.percent, message.log.splitlines()[-1]) == (49, "line 49")
    side.clock.advance(TELL_S)
    assert len(side.sent) == 1, "no news, no message"
    side.live.news(job, 49, b"x" * 10 * MAX_SAID)
    side.clock.advance(TELL_S)
    assert side.sent[-1][1] == Progress(subtask_id=assignment().subtask_id, percent=49, log="x" * MAX_SAID)
    assert [record["log"] for _, record in side.shown[:2]] == ["line 0\n", "line 1\n"]


def test_of_a_job_that_is_over_nobody_is_told_any_more() -> None:
    me, side, job = working()
    side.live.news(job, 1, b"a")
    me.hear("alice", Cancellation(subtask_id=assignment().subtask_id))
    side.clock.advance(TELL_S)
    side.live.stop()
    side.live.news(job, 2, b"b")
    assert side.sent == [] and side.clock.getDelayedCalls() == []


def test_only_the_provider_of_a_subtask_is_believed_and_only_while_it_has_it() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    me.meet("mallory")
    (subtask,) = assigned(me, "bob")
    side = Side(me.state)
    bob, mallory = FixedKeyring("bob").node_id, FixedKeyring("mallory").node_id
    assert side.live.heard(mallory, Progress(subtask_id=subtask, percent=99, log="lies"))
    assert side.live.heard(bob, Progress(subtask_id=SubtaskId("0" * 32), percent=99))
    assert side.live.story(subtask) is None and side.live.percent(subtask) == 0
    assert side.live.heard(bob, Progress(subtask_id=subtask, percent=40, log="Sample 3\n"))
    story = side.live.story(subtask)
    assert story is not None and (story.percent, story.log) == (40, "Sample 3\n")
    assert [task for task, _ in side.shown] == [story.task_id]
    failure = Failure(subtask_id=subtask, detail="no", log="Traceback")
    assert not side.live.heard(bob, failure), "the core must hear of that, too"
    assert story.log == "Sample 3\n"
    me.hear("bob", failure)
    side.live.heard(bob, Progress(subtask_id=subtask, percent=80))
    assert side.live.percent(subtask) == 40


def test_a_failure_brings_the_log_of_a_job_that_was_too_short_to_tell_before() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    (subtask,) = assigned(me, "bob")
    side = Side(me.state)
    side.live.heard(FixedKeyring("bob").node_id, Failure(subtask_id=subtask, detail="no", log="Traceback"))
    story = side.live.story(subtask)
    assert story is not None and story.log == "Traceback"


def test_what_is_kept_is_bounded() -> None:
    _, side, job = working()
    for _ in range(100):
        side.live.news(job, 0, b"y" * 1_000)
    story = side.live.story(job.job_id)
    assert story is not None and len(story.log) == MAX_KEPT and story.kept < MAX_KEPT + 1_000
    side.live.news(job, 0, b"z" * 10 * MAX_KEPT)
    assert story.log == "z" * MAX_KEPT
    for number in range(MAX_STORIES):
        other = Job(job_id=JobId(f"{number:032x}"), task_id=TASK, template="toy", program="work", params=b"{}")
        side.live.news(other, 0, b"")
    assert side.live.story(job.job_id) is None


def test_a_node_that_has_not_begun_keeps_nothing() -> None:
    live = Live(Clock())
    live.news(assignment().job, 1, b"a")
    assert live.story(assignment().job.job_id) is None
