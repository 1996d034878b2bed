"""A template that raises is named and ends its own task; the node keeps its other work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Never

import pytest
from zope.interface import implementer

from golem.core.task import Phase
from golem.errors import BadParameters
from golem.interfaces import IVaried
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.effects import Execute, Tell
from golem.model.ids import TaskId, merge_id, stage_id
from golem.model.messages import Assignment, Delivery, Offer
from golem.model.money import Wei
from golem.model.spec import Chunk, Environment, Input, Limits, Merge, Outcome, Status, TaskSpec
from golem.model.value import evolve
from golem.testing.solo import Solo
from golem.testing.toy import CAPABILITY, RESULT, ToyInStages

MINE, OTHER = TaskId("7" * 32), TaskId("8" * 32)
SPEC = TaskSpec(
    template="toy",
    params=b"{}",
    budget=Wei(10**9),
    max_price=Wei(3_600_000),
    output="/out",
    limits=Limits(timeout_ms=10_000),
)
BROKEN = "broken"  # the folder of the task in which the template raises


@implementer(IVaried)
class Breaks(ToyInStages):
    """Raises in one method, for the one task alone."""

    environments = (ToyInStages.environment,)

    def __init__(self, method: str) -> None:
        super().__init__(most=1)
        self.method = method

    def _may(self, spec: TaskSpec, method: str) -> None:
        if spec.output == BROKEN and method == self.method:
            raise ZeroDivisionError("nothing to share")

    def needs(self, spec: TaskSpec) -> Environment:
        self._may(spec, "needs")
        return self.environment

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        self._may(spec, "split")
        return super().split(spec)

    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        self._may(spec, "merges")
        return super().merges(spec)

    def verifier(self, spec: TaskSpec) -> ToyInStages:
        self._may(spec, "verifier")
        return self

    def job(self, spec: TaskSpec, *rest: object) -> Never:  # type: ignore[override]  # as long as it raises or passes on
        self._may(spec, "job")
        return super().job(spec, *rest)  # type: ignore[arg-type, return-value]  # as they came

    def prepare(self, spec: TaskSpec) -> Never:  # type: ignore[override]  # the same
        self._may(spec, "prepare")
        return super().prepare(spec)  # type: ignore[return-value]  # the same

    def prepared(self, spec: TaskSpec, outcome: Outcome) -> TaskSpec:
        self._may(spec, "prepared")
        return super().prepared(spec, outcome)

    def estimate(self, spec: TaskSpec) -> tuple[int, int]:
        self._may(spec, "estimate")
        return super().estimate(spec)

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Never:  # type: ignore[override]  # the same
        self._may(spec, "merge")
        return super().merge(spec, merge, deliveries)  # type: ignore[return-value]  # the same

    def grown(self, spec: TaskSpec, merge: Merge, outcome: Outcome) -> TaskSpec:
        self._may(spec, "grown")
        if spec.output == BROKEN and self.method == "no more":
            raise BadParameters("noise: it can't be reached")
        return super().grown(spec, merge, outcome)

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        self._may(spec, "cost_ms")
        return super().cost_ms(spec, chunk)

    def preview(self, spec: TaskSpec, chunk: Chunk, deliveries: Mapping[int, Delivery]) -> None:
        self._may(spec, "preview")

    def finish(self, spec: TaskSpec, results: Sequence[Input]) -> Never:  # type: ignore[override]  # the same
        if self.method == "finish at once" or results:
            self._may(spec, "finish at once" if self.method == "finish at once" else "finish")
        return super().finish(spec, results)  # type: ignore[return-value]  # the same


class Market:
    """A requestor with two tasks of one template: in one it raises, in the other it does not."""

    def __init__(self, method: str) -> None:
        self.me = Solo(template=Breaks(method))
        for task, folder in ((MINE, BROKEN), (OTHER, "fine")):
            self.me.post(e.TaskSubmitted(task_id=task, spec=evolve(SPEC, output=folder)))
            funds = Funds(free=Wei(10**10), wallet=Wei(10**17))
            if self.phase(task) is Phase.FUNDING:
                sighting = Sighting(block=1, block_ms=0, funds=funds)
                self.me.post(e.Observed(key=f"funds/{task}", sighting=sighting))
        self.told: list[Tell] = []

    def post(self, event: e.Event, after_ms: int = 0) -> None:
        self.me.post(event, after_ms)
        self.told += [effect for effect in self.me.asked if isinstance(effect, Tell)]

    def phase(self, task: TaskId) -> Phase:
        return self.me.state.boards[task].task.phase

    def reason(self) -> str:
        return self.me.state.boards[MINE].task.reason

    def play(self, task: TaskId) -> None:
        """Play a task to its end, or as far as it goes."""
        name = f"worker{task[0]}"
        self._after(task, stage_id(task, "prepare"), b"1")
        self.me.meet(name)
        self.me.hear(name, Offer(task_id=task, price=Wei(3_600_000), slots=1, capability=CAPABILITY))
        self.post(e.TimerFired(name=f"offers/{task}"), 10_000)
        for subtask in list(self.me.state.boards[task].open):
            delivery = Delivery(subtask_id=subtask, result="", size_bytes=0, report=b"{}", used_ms=1_000)  # type: ignore[arg-type]  # a Cid
            self.me.hear(name, delivery, 10_000)
            self.told += [effect for effect in self.me.asked if isinstance(effect, Tell)]
        for merge in ("all", "first"):
            self._after(task, merge_id(task, merge, 1), b"{}")
            self._exported(task, merge)
        self._after(task, stage_id(task, "finish"), b"{}")
        self._exported(task, "finished")

    def _after(self, task: TaskId, key: str, report: bytes) -> None:
        if key in self.me.state.errands and self.phase(task) in (Phase.PREPARING, Phase.OPEN):
            done = Outcome(status=Status.DONE, report=report, result=RESULT, size_bytes=1)
            self.post(e.Executed(key=key, outcome=done))

    def _exported(self, task: TaskId, name: str) -> None:
        board = self.me.state.boards[task]
        is_due = name == "finished" or (name in board.results and name not in board.exported)
        if is_due and board.task.phase is Phase.OPEN:
            self.post(e.Exported(key=f"export/{task}/{name}", path=f"/out/{name}"))


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("needs", "needs"),
        ("split", "split, merges or verifier"),
        ("merges", "split, merges or verifier"),
        ("verifier", "split, merges or verifier"),
        ("job", "job"),
        ("prepare", "prepare"),
        ("prepared", "prepared or estimate"),
        ("estimate", "prepared or estimate"),
        ("merge", "merge"),
        ("finish", "finish"),
        ("finish at once", "finish"),
    ],
)
def test_a_template_that_raises_ends_its_own_task_with_its_name_and_no_other(method: str, where: str) -> None:
    market = Market(method)
    market.play(MINE)
    assert market.phase(MINE) is Phase.FAILED
    wanted = f"the template toy failed in {where}: ZeroDivisionError('nothing to share')"
    assert market.reason() == wanted
    assert f"task/{MINE}" not in market.me.state.ledger.balances, "its budget is not given back"
    market.play(OTHER)
    assert market.phase(OTHER) is Phase.DONE


@pytest.mark.parametrize(
    ("method", "name", "said"),
    [
        ("grown", "not grown", "the template toy failed in grown: ZeroDivisionError('nothing to share')"),
        ("no more", "not grown", "noise: it can't be reached"),
        ("cost_ms", "not measured", "the template toy failed in cost_ms: ZeroDivisionError('nothing to share')"),
        ("preview", "no preview", "the template toy failed in preview: ZeroDivisionError('nothing to share')"),
    ],
)
def test_a_task_does_without_what_it_can_do_without(method: str, name: str, said: str) -> None:
    market = Market(method)
    market.play(MINE)
    assert market.phase(MINE) is Phase.DONE
    assert said in {tell.fields["reason"] for tell in market.told if tell.name == name}


def test_one_task_without_templates_faults_is_played_to_its_end() -> None:
    market = Market("none")
    market.play(MINE)
    assert market.phase(MINE) is Phase.DONE
    assert not any(isinstance(effect, Execute | Assignment) for effect in market.me.asked)
