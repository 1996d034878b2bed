"""A requestor with a task, as its tests begin."""

from __future__ import annotations

from golem.core.requestor import GAS_RESERVE
from golem.core.task import Phase
from golem.model import events as e
from golem.model.chain import Funds, Receipt, Sighting
from golem.model.ids import SubtaskId, TaskId
from golem.model.messages import (
    Delivery,
    Offer,
)
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Capability, Limits, TaskSpec
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import CAPABILITY, RESULT, Toy

TASK = TaskId("7" * 32)
PRICE = Wei(3_600_000)  # wei per hour: one a millisecond
BUDGET = Wei(10**9)
SPEC = TaskSpec(
    template="toy", params=b"{}", budget=BUDGET, max_price=PRICE, output="/out", limits=Limits(timeout_ms=10_000)
)
RECEIPT = Receipt(tx_hash="0x1", block=1, gas_used=1, fee=Wei(0))


def sighting(free: int = BUDGET, wallet: int = GAS_RESERVE) -> Sighting:
    return Sighting(block=1, block_ms=0, funds=Funds(free=Wei(free), wallet=Wei(wallet)))


def offer(price: int = PRICE, slots: int = 1, capability: Capability = CAPABILITY) -> Offer:
    return Offer(task_id=TASK, price=Wei(price), slots=slots, capability=capability)


def opened(template: Toy | None = None, spec: TaskSpec = SPEC, settings: Settings | None = None) -> Solo:
    """A node with an open task, whose first offers are not picked yet."""
    me = Solo(settings or Settings(), template)
    me.post(e.TaskSubmitted(task_id=TASK, spec=spec))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting()))
    return me


def at_work(*names: str, template: Toy | None = None, spec: TaskSpec = SPEC, slots: int = 1) -> Solo:
    """A node whose task was given out to these providers."""
    me = opened(template, spec)
    for name in names:
        me.meet(name)
        me.hear(name, offer(slots=slots))
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    return me


def phase(me: Solo) -> Phase:
    return me.state.boards[TASK].task.phase


def reason(me: Solo) -> str:
    return me.state.boards[TASK].task.reason


def assigned(me: Solo, name: str) -> list[SubtaskId]:
    """What a provider has now, the oldest first."""
    agreement = me.state.boards[TASK].agreements.get(FixedKeyring(name).node_id)
    return list(agreement.live) if agreement else []


def delivery(subtask: SubtaskId, *, with_content: bool = False) -> Delivery:
    cid = RESULT if with_content else ""
    return Delivery(subtask_id=subtask, result=cid, size_bytes=1, report=b"{}", used_ms=1_000)  # type: ignore[arg-type]  # both are Cids
