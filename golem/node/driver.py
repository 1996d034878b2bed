"""Carries effects out and reports back: the one door out of the core. One effect, one completing event.

It decides nothing: what fails becomes `Failed`, and the core's tables say what follows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure as Trouble

from golem.errors import GolemError
from golem.interfaces import IChain, IResourceStore
from golem.model import effects as f
from golem.model import events as e
from golem.model.ids import NodeId
from golem.model.messages import Message, Place
from golem.model.spec import Job, Outcome
from golem.node.engine import Engine
from golem.node.export import Exporter
from golem.node.housekeeping import Housekeeper
from golem.node.porter import Porter
from golem.node.timers import Timers

T = TypeVar("T")

log = Logger()


class Sessions(Protocol):
    """What the driver needs of the network; `golem.net.network.Network` is it."""

    def dial(self, address: str) -> None:
        """Try to have a session with whoever listens there."""

    def drop(self, peer: NodeId, why: str) -> None:
        """End a session."""

    def send(self, peer: NodeId, sequence: int, message: Message) -> None:
        """Send a message, if there is a session. `sequence`: its number, or 0 where it may be lost."""

    def whisper(self, message: Message, to: Sequence[NodeId]) -> None:
        """Send to these peers, as far as they are there; it may be lost."""

    def acknowledge(self, peer: NodeId, sequence: int) -> None:
        """Tell a peer up to where its messages are on disk."""


class Runs(Protocol):
    """What the driver needs of the computer; `golem.node.computer.Computer` is it."""

    def run(self, job: Job) -> Awaitable[Outcome]:
        """Run a job to its outcome."""


class Driver:
    """Implements `engine.Performer` and the network's hearer."""

    def __init__(
        self,
        engine: Engine,
        timers: Timers,
        store: IResourceStore,
        computer: Runs,
        chain: IChain,
        housekeeper: Housekeeper,
    ) -> None:
        self._engine = engine
        self._timers = timers
        self._store = store
        self._computer = computer
        self._chain = chain
        self._exporter = Exporter(store)
        self._porter = Porter(store.parcels)
        self._housekeeper = housekeeper
        self._sessions: Sessions | None = None
        self._overhears: Callable[[NodeId, Message], bool] = lambda peer, message: False
        self.sign: Callable[[Message], Message] = lambda message: message

    def join(self, sessions: Sessions, sign: Callable[[Message], Message]) -> None:
        """Give the driver its network, which in turn was given the driver. `sign`: seals what must hold by itself."""
        self._sessions = sessions
        self.sign = sign

    def follow(self, hears: Callable[[NodeId, Message], bool]) -> None:
        """Give what peers say to `hears` first, which says whether it was for it alone."""
        self._overhears = hears

    def tell(self, peer: NodeId, message: Message) -> None:
        """Say something to a peer that is lost if it is not there."""
        if self._sessions is not None:
            self._sessions.send(peer, 0, message)

    # engine.Performer

    def perform(self, effect: f.Effect, number: int) -> None:
        """Begin to carry out an effect."""
        match effect:
            case f.Send() | f.Whisper() | f.Dial() | f.Drop():
                self._talk(effect, number)
            case f.SetTimer(name=name, at_ms=at_ms):
                self._timers.set(name, at_ms)
            case f.ClearTimer(name=name):
                self._timers.clear(name)
            case f.Stop(job_id=job_id):
                self._housekeeper.stop(job_id)
            case f.Admit(task_id=task_id, ticket=ticket):
                self._store.admit(task_id, ticket)
            case f.Release(task_id=task_id):
                self._housekeeper.release(task_id)
            case f.Tell():
                pass  # `Engine.observe` shows it to whoever watches
            case _:
                self._report(effect.key, self._complete(effect))

    def committed(self, heard: Mapping[str, int]) -> None:
        """Tell peers that what they said is on disk."""
        if self._sessions is not None:
            for peer, number in heard.items():
                self._sessions.acknowledge(NodeId(peer), number)

    def _talk(self, effect: f.Send | f.Whisper | f.Dial | f.Drop, number: int) -> None:
        sessions = self._sessions
        if sessions is None:
            return
        match effect:
            case f.Send(to=to, message=message):
                if number:
                    sessions.send(to, number, self._porter.load(to, self.sign(message)))
            case f.Whisper(to=peers, message=message):
                sessions.whisper(self.sign(message), peers)
            case f.Dial(address=address):
                sessions.dial(address)
            case f.Drop(peer=peer, why=why):
                sessions.drop(peer, why)

    async def _complete(self, effect: f.Pending) -> e.Event:
        match effect:
            case f.Publish():
                content = await self._store.put(effect.path, effect.task_id)
                return e.Published(key=effect.key, cid=content.cid, size_bytes=content.size_bytes)
            case f.Fetch():
                sources = [source for source in effect.sources if source]
                size = await self._store.get(
                    effect.cid, sources, effect.limit_bytes, effect.task_id, partial(self._deceived, effect.key)
                )
                return e.Fetched(key=effect.key, size_bytes=size)
            case f.Execute():
                return e.Executed(key=effect.key, outcome=await self._computer.run(effect.job))
            case f.Export():
                return e.Exported(key=effect.key, path=await self._exporter(effect))
            case _:
                return await self._transact(effect)

    async def _transact(self, effect: f.Deposit | f.Pay | f.Claim | f.Withdraw | f.Observe) -> e.Event:
        match effect:
            case f.Deposit():
                return e.Deposited(key=effect.key, receipt=await self._chain.deposit(effect.key, effect.amount))
            case f.Pay():
                return e.Paid(key=effect.key, receipt=await self._chain.pay(effect.batch, effect.most_fee))
            case f.Claim():
                return e.Claimed(key=effect.key, receipt=await self._chain.claim(effect.voucher))
            case f.Withdraw():
                return e.Withdrawn(key=effect.key, receipt=await self._chain.withdraw(effect.payers))
            case f.Observe():
                return e.Observed(key=effect.key, sighting=await self._chain.observe(effect.payers, effect.payees))

    def _report(self, key: str, work: Awaitable[e.Event]) -> None:
        done: Deferred[e.Event] = Deferred.fromCoroutine(_run(work))
        done.addCallbacks(self._engine.post, self._failed, errbackArgs=(key,))

    def _deceived(self, key: str, source: Place) -> None:
        self._engine.post(e.Deceived(key=key, source=source))

    def _failed(self, trouble: Trouble, key: str) -> None:
        why = trouble.value
        if not isinstance(why, GolemError):
            log.failure("effect {key} failed in a way nobody foresaw", failure=trouble, key=key)
        self._engine.post(e.Failed(key=key, fault=type(why).__name__, detail=str(why) or type(why).__name__))

    # the network's hearer

    def connected(self, event: e.Connected) -> None:
        """A session stands."""
        self._engine.post(event)

    def located(self, address: Place, is_proved: bool) -> None:
        """Others dial us elsewhere from now on, or somebody has."""
        self._engine.post(e.Located(address=address, is_proved=is_proved))

    def lost(self, peer: NodeId) -> None:
        """A session ended."""
        self._engine.post(e.Lost(peer=peer))

    def heard(self, peer: NodeId, sequence: int, message: Message) -> None:
        """A peer said something."""
        if not self._overhears(peer, message):
            self._engine.post(e.Heard(peer=peer, sequence=sequence, message=self._porter.unload(peer, message)))

    def dial_failed(self, address: str, why: str) -> None:
        """Nobody there: the overlay's timer tries again."""
        log.debug("no session with {address}: {why}", address=address, why=why)

    def received(self, peer: NodeId, epoch: str) -> int:
        """The last number taken from a peer."""
        return self._engine.mail.received(peer, epoch)

    def unacknowledged(self, peer: NodeId) -> Sequence[tuple[int, Message]]:
        """What must be said again when a session opens."""
        self._porter.meet(peer)
        waiting = self._engine.mail.unacknowledged(peer)
        return [(number, self._porter.load(peer, self.sign(message))) for number, message in waiting]

    def acknowledged(self, peer: NodeId, sequence: int) -> None:
        """A peer has our messages up to there on disk."""
        self._engine.mail.acknowledged(peer, sequence)


async def _run(work: Awaitable[T]) -> T:
    return await work
