"""Historic bugs of programs like ours, each switched on for a moment, to see whether the simulation finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from apps.echo.template import Echo
from golem.adapters.ethereum.witness import Witness
from golem.core import board, consequences, income, job, leases
from golem.core.task import Board
from golem.errors import ChainFault
from golem.model.chain import Batch, Receipt, Sighting
from golem.model.effects import Release
from golem.model.ids import NodeId
from golem.model.messages import Cancellation
from golem.net.admission import Admission
from golem.node.driver import Driver
from golem.node.engine import Engine
from golem.node.mail import Mail
from golem.testing.chain import MemoryChain

Patch = tuple[object, str, Any]


@contextmanager
def patched(*patches: Patch) -> Iterator[None]:
    """These attributes are others for a while."""
    with ExitStack() as stack:
        for owner, name, value in patches:
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)
        yield


@contextmanager
def row(table: Mapping[Any, Any], key: object, handler: object) -> Iterator[None]:
    """A row of a machine's table is another for a while."""
    rows: dict[Any, Any] = table  # type: ignore[assignment]  # tables are dicts that nobody else changes
    before = rows[key]
    rows[key] = handler
    try:
        yield
    finally:
        rows[key] = before


def paid_before_recorded() -> Any:
    """Payments by amount, not by total: what is sent and not recorded is paid again after a crash."""
    recorded: dict[tuple[str, str], int] = {}

    async def pay(self: MemoryChain, batch: Batch) -> Receipt:
        world, mine = self._ledger, self.account
        more = {w.payee: w.cumulative - recorded.get((mine, w.payee), 0) for w in batch.words}
        receipt = await world.mined(batch.batch_id, mine)
        for payee, amount in more.items():
            world.free[mine] -= amount
            world.paid[mine, payee] = world.paid.get((mine, payee), 0) + amount
        if world.clock.seconds() % 7 > 5:  # the answer gets lost on its way
            raise ChainFault("no answer")
        recorded.update({(mine, w.payee): w.cumulative for w in batch.words})
        return receipt

    return patched((MemoryChain, "_pay", pay))


def deleted_before_sent() -> Any:
    """A message is forgotten once it was handed to a session, whether or not it arrived."""
    return patched((Mail, "unacknowledged", lambda self, peer: ()))


def cancel_ignored() -> Any:
    """A provider goes on with what was cancelled."""
    return row(job.TABLE, (job.Phase.COMPUTING, Cancellation), job._ignore)


def leased_twice() -> Any:
    """A chunk that failed is put in the queue twice."""
    once = board.requeue

    def twice(turn: Any, on: Board, subtask: Any, *, is_his_fault: bool) -> None:
        once(turn, on, subtask, is_his_fault=is_his_fault)
        if on.pending and on.pending[-1] == subtask.chunk:
            on.pending.append(subtask.chunk)

    return patched((consequences, "requeue", twice))


def unconfirmed_counts() -> Any:
    """A payment is booked as soon as it is in the pool."""
    honest = MemoryChain._observe

    async def observe(self: MemoryChain, payers: Sequence[Any], payees: Sequence[Any] = ()) -> Sighting:
        seen = await honest(self, payers, payees)
        pooled = {payer: self._ledger.pooled.get((payer, self.account), 0) for payer in payers}
        seen.paid.update({payer: max(seen.paid[payer], there) for payer, there in pooled.items()})
        return seen

    return patched((MemoryChain, "_observe", observe))


def lies_believed() -> Any:
    """What one node of the chain says is taken for true, whatever the other says."""

    async def believe(self: Witness, *told: Any) -> None:
        pass

    return patched(*((Witness, name, believe) for name in ("agree", "confirm", "attest")))


def reordered() -> Any:
    """What is said again after a reconnection comes in another order."""
    honest = Mail.unacknowledged
    return patched((Mail, "unacknowledged", lambda self, peer: tuple(reversed(honest(self, peer)))))


def poison_blocks() -> Any:
    """After a message of one kind a peer's messages are never acknowledged any more."""
    poisoned: set[str] = set()
    honest_heard, honest_committed = Driver.heard, Driver.committed

    def heard(self: Driver, peer: NodeId, sequence: int, message: Any) -> None:
        if isinstance(message, Cancellation):
            poisoned.add(peer)
        honest_heard(self, peer, sequence, message)

    def committed(self: Driver, heard: Mapping[str, int]) -> None:
        honest_committed(self, {peer: number for peer, number in heard.items() if peer not in poisoned})

    return patched((Driver, "heard", heard), (Driver, "committed", committed))


def straggler_stretches() -> Any:
    """A lease never lapses: who does not answer keeps its chunk."""
    return patched((leases, "lapse", lambda turn, subtask_id: None))


def content_leaks() -> Any:
    """What was made or fetched for a task stays when it is over."""
    honest = Driver.perform

    def perform(self: Driver, effect: Any, number: int) -> None:
        if not isinstance(effect, Release):
            honest(self, effect, number)

    return patched((Driver, "perform", perform))


def wrong_split() -> Any:
    """An odd number of chunks loses the last."""
    honest = Echo.split
    return patched((Echo, "split", lambda self, spec: list(honest(self, spec))[: max(1, len(honest(self, spec)) & ~1)]))


def late_payer_unpunished() -> Any:
    """Whoever pays late is trusted as if it had paid in time."""
    honest = income._paid

    def paid(turn: Any, work: Any, block_ms: int) -> None:
        honest(turn, work, min(block_ms, work.due_ms))
        if block_ms > work.due_ms:
            turn.tell("node", "income", subtask=work.subtask_id, amount_wei="0", late_ms=block_ms - work.due_ms)

    return patched((income, "_paid", paid))


def one_bans_all() -> Any:
    """Strikes are counted for all peers together."""
    strike, is_banned = Admission.strike, Admission.is_banned
    return patched(
        (Admission, "strike", lambda self, name, why, now_s: strike(self, "all", why, now_s)),
        (Admission, "is_banned", lambda self, name, now_s: is_banned(self, "all", now_s)),
    )


def lost_on_restart() -> Any:
    """What was under way when the node died is not taken up again."""
    honest = Engine.start

    def start(self: Engine, performer: Any) -> None:
        pending, self.saved.pending = self.saved.pending, {}
        honest(self, performer)
        self.saved.pending = pending

    return patched((Engine, "start", start))


def budget_forgotten() -> Any:
    """A chunk's cap takes no account of what the task has left."""
    return patched((board, "_share", lambda on: int(on.task.spec.budget)))


BUGS: dict[str, Callable[[], Any]] = {
    bug.__name__: bug
    for bug in (
        paid_before_recorded,
        deleted_before_sent,
        cancel_ignored,
        leased_twice,
        unconfirmed_counts,
        lies_believed,
        reordered,
        poison_blocks,
        straggler_stretches,
        content_leaks,
        wrong_split,
        late_payer_unpunished,
        one_bans_all,
        lost_on_restart,
        budget_forgotten,
    )
}
