"""What running jobs say, as they say it: kept a while for this node's user, and told to whoever pays for them.

Nothing is decided by it, so it is in no journal, and what is lost is lost. What a provider tells is a claim.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from golem.core.job import Phase as Working
from golem.core.state import NodeState
from golem.core.subtask import Phase as Attempt
from golem.model.ids import JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import MAX_SAID, Failure, Message, Progress
from golem.model.spec import Job

MAX_STORIES = 512  # attempts whose log is kept: 8 MiB at most
MAX_KEPT = 16 << 10  # characters of one log
TELL_S = 1.0  # between two messages about one job

Record = Mapping[str, object]
Watcher = Callable[[str, Record], None]
Send = Callable[[NodeId, Message], None]


class Story:
    """One attempt, here or at a provider's. `percent`: how far it said it is. `log`: the end of what it printed."""

    def __init__(self, task_id: TaskId) -> None:
        self.task_id = task_id
        self.percent = 0
        self.pieces: deque[str] = deque()
        self.kept = 0
        self.unsent = ""
        self.is_news = False

    @property
    def log(self) -> str:
        """What is kept of its log."""
        return "".join(self.pieces)[-MAX_KEPT:]

    def add(self, percent: int, said: str) -> None:
        """It said more."""
        self.percent = max(self.percent, percent)
        if said:
            self.pieces.append(said)
            self.kept += len(said)
        while self.kept - len(self.pieces[0] if self.pieces else "") >= MAX_KEPT:
            self.kept -= len(self.pieces.popleft())


class Link(NamedTuple):
    """What a node is to its live side. `state`: for reading only. `send`: to a peer, without a number."""

    state: Callable[[], NodeState]
    send: Send
    show: Watcher


class Live:
    """Follows the jobs that run here, and those that others run for us."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._link: Link | None = None
        self._stories: OrderedDict[str, Story] = OrderedDict()
        self._call: IDelayedCall | None = None

    def join(self, link: Link) -> None:
        """Take part in a node."""
        self._link = link

    def story(self, attempt: str) -> Story | None:
        """What is known of an attempt, by its subtask's or job's id."""
        return self._stories.get(attempt)

    def percent(self, attempt: str) -> int:
        """How far an attempt is, as far as was said."""
        story = self._stories.get(attempt)
        return story.percent if story else 0

    def stop(self) -> None:
        """Tell nobody any more."""
        self._link = None
        if self._call is not None:
            self._call.cancel()
            self._call = None

    # the jobs that run here

    def news(self, job: Job, percent: int, printed: bytes) -> None:
        """See `golem.node.worker.News`."""
        if self._link is None:
            return
        said = printed.decode(errors="replace")
        story = self._add(job.job_id, job.task_id, percent, said)
        story.unsent = (story.unsent + said)[-MAX_SAID:]
        story.is_news = True
        if self._call is None:
            self._call = self._clock.callLater(TELL_S, self._tell)

    def _tell(self) -> None:
        self._call = None
        link = self._link
        if link is None:
            return
        works = link.state().works
        for job_id, story in self._stories.items():
            work = works.get(SubtaskId(job_id)) if story.is_news else None
            story.is_news = False
            said, story.unsent = story.unsent, ""
            if work is not None and work.phase is Working.COMPUTING:
                link.send(work.requestor, Progress(subtask_id=work.subtask_id, percent=story.percent, log=said))

    # those that others run for us

    def heard(self, peer: NodeId, message: Message) -> bool:
        """Take what a peer says about its progress; says whether that was all there was to the message."""
        if isinstance(message, Failure) and message.log:
            self._told(peer, message.subtask_id, 0, "" if message.subtask_id in self._stories else message.log)
        if isinstance(message, Progress):
            self._told(peer, message.subtask_id, message.percent, message.log)
        return isinstance(message, Progress)

    def _told(self, peer: NodeId, subtask_id: SubtaskId, percent: int, said: str) -> None:
        subtask = self._link.state().subtasks.get(subtask_id) if self._link is not None else None
        if subtask is not None and subtask.provider == peer and subtask.phase is Attempt.ASSIGNED:
            self._add(subtask_id, subtask.task_id, percent, said)

    def _add(self, attempt: JobId | SubtaskId, task_id: TaskId, percent: int, said: str) -> Story:
        story = self._stories.get(attempt)
        if story is None:
            story = self._stories[attempt] = Story(task_id)
            if len(self._stories) > MAX_STORIES:
                self._stories.popitem(last=False)
        story.add(percent, said)
        if self._link is not None:
            self._link.show(task_id, {"subtask": attempt, "percent": story.percent, "log": said})
        return story
