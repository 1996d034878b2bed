"""Nodes that mean harm: production nodes, each of which does one thing otherwise. By name in `ADVERSARIES`.

What a node decides, says, computes and pays passes through its `Adversary`, which may change it on the way. It is a
production node in all else, so it goes through every handshake and every rule that a cheat would keep to as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from hashlib import sha256
from random import Random
from typing import NamedTuple, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from golem.errors import ChainFault
from golem.interfaces import IChain, IExecutor
from golem.model.chain import Batch, Receipt
from golem.model.ids import Cid, NodeId, task_id
from golem.model.messages import (
    Acceptance,
    Assignment,
    Delivery,
    Demand,
    Message,
    Offer,
    PeerList,
    PeerRecord,
    Rejection,
)
from golem.model.money import NOTHING, Wei
from golem.model.spec import Limits
from golem.model.value import evolve
from golem.testing.cheater import LyingExecutor
from golem.wire.session import Session

NOWHERE = Cid("b" + "a" * 58)  # a name of content that nobody has
LATE_S = 600.0
LIES = 0.3  # of all reports of one that lies now and then
MOST_STEPS = 60  # through a task of some chunks, and into the next
GARBLED = 0.02  # of all writes
SPAM_S, SPAM = 1.0, 30  # messages in so many seconds, to every peer: past what a node takes of gossip in the long run
BOUT, REST_S = 10, 290.0  # so often in a row, and then a rest: who spams all the time is long shut out, and costs most
REPLAY_S, KEPT = 2.0, 50
WRONG_S = 590.0  # a clock that others just put up with: golem.wire.envelope, TOLERANCE_MS
VERSIONS = ((2,), (1, 2), (65_536,), (1, 65_536), tuple(range(2, 18)), tuple(range(1, 17)))

Pay = Callable[[], Awaitable[Receipt]]


class Scene(NamedTuple):
    """What an adversary has to do with. `hush`: nothing that it writes leaves its host any more."""

    node_id: NodeId
    seed: str
    clock: IReactorTime
    broadcast: Callable[[Message], None]
    hush: Callable[[], None]


class Adversary:
    """One life of one; this one is honest. `offset_s`: how wrong its clock is."""

    offset_s = 0.0

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.dice = Random(sha256(f"{scene.seed}/adversary".encode()).digest())

    def executor(self, honest: IExecutor) -> IExecutor:
        """What it computes with."""
        return honest

    def chain(self, honest: IChain) -> IChain:
        """What it pays with."""
        return honest

    def session(self, honest: Session) -> Session:
        """How it introduces itself."""
        return honest

    def says(self, message: Message) -> Message:
        """What it says instead."""
        return message

    def hears(self, peer: NodeId, message: Message) -> None:
        """It was told something."""

    def begin(self) -> None:
        """It runs."""


class Liar(Adversary):
    """Makes up what jobs report."""

    kind = "answer"

    def executor(self, honest: IExecutor) -> IExecutor:
        """A lie."""
        return LyingExecutor(honest, self.kind)


class RareLiar(Liar):
    """Lies now and then, and earns its trust in between."""

    def executor(self, honest: IExecutor) -> IExecutor:
        """A lie, or not."""
        return LyingExecutor(honest, self.kind, lambda: self.dice.random() < LIES)


class HalfLiar(Liar):
    """Counts half of a tally, and makes up the rest."""

    kind = "half"


class Copycat(Adversary):
    """Hands in the first answer that it worked out, for everything."""

    answer = b""

    def says(self, message: Message) -> Message:
        """The same again."""
        if not isinstance(message, Delivery):
            return message
        self.answer = self.answer or message.report
        return evolve(message, report=self.answer)


class Hostage(Adversary):
    """Says that it has results, and hands them to nobody."""

    def says(self, message: Message) -> Message:
        """A name without the thing."""
        return (
            evolve(message, result=NOWHERE, size_bytes=1_000, report=b"") if isinstance(message, Delivery) else message
        )


class AcceptAndVanish(Adversary):
    """Takes work, and is heard of no more."""

    def hears(self, peer: NodeId, message: Message) -> None:
        """Work: away."""
        if isinstance(message, Assignment):
            self.scene.hush()


class VanishAfter(Adversary):
    """Is heard of no more after so many messages that it said or heard, in the midst of whatever that is."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.left = self.dice.randint(1, MOST_STEPS)

    def says(self, message: Message) -> Message:
        """One more."""
        self._step()
        return message

    def hears(self, peer: NodeId, message: Message) -> None:
        """One more."""
        self._step()

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.scene.hush()


class PriceUndercutter(Adversary):
    """Offers for next to nothing, and refuses the work when it comes: that was not its price."""

    def says(self, message: Message) -> Message:
        """A wei."""
        return evolve(message, price=Wei(1)) if isinstance(message, Offer) else message


class RejectAll(Adversary):
    """A requestor that finds every result wrong."""

    def says(self, message: Message) -> Message:
        """No."""
        if not isinstance(message, Acceptance):
            return message
        return Rejection(subtask_id=message.subtask_id, reason=None, evidence="not what I wanted")


class DontPay(Adversary):
    """A requestor that accepts, and does not pay."""

    def chain(self, honest: IChain) -> IChain:
        """Closed."""
        return cast(IChain, _Paying(honest, self._refuse))

    async def _refuse(self, pay: Pay) -> Receipt:
        raise ChainFault("it does not want to")


class PayLate(Adversary):
    """A requestor that pays when it is late."""

    def chain(self, honest: IChain) -> IChain:
        """Slow."""
        return cast(IChain, _Paying(honest, self._wait))

    async def _wait(self, pay: Pay) -> Receipt:
        await deferLater(self.scene.clock, LATE_S, lambda: None)
        return await pay()


class Spammer(Adversary):
    """Tells everybody of tasks that there are not, and that it listens where it does not."""

    made = bouts = 0

    def begin(self) -> None:
        """Again and again."""
        self.bouts += 1
        self.scene.clock.callLater(SPAM_S if self.bouts % BOUT else REST_S, self.begin)
        for _ in range(SPAM):
            self.made += 1
            self.scene.broadcast(self._demand() if self.made % 3 else self._peers())

    def _demand(self) -> Message:
        return Demand(
            task_id=task_id(self.scene.node_id, f"spam {self.made}"),
            requestor=self.scene.node_id,
            address="nowhere:1",
            template="echo",
            environment="python-3",
            max_price=Wei(1),
            limits=Limits(timeout_ms=1_000),
            chunks=1,
            expires_ms=int(self.scene.clock.seconds() * 1000) + 60_000,
        )

    def _peers(self) -> Message:
        at_ms = int(self.scene.clock.seconds() * 1000) + self.made
        return PeerList(peers=(PeerRecord(node=self.scene.node_id, address=f"nowhere-{self.made}:1", at_ms=at_ms),))


class Replayer(Adversary):
    """Says again, to everybody, what it said to anybody."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.said: list[Message] = []

    def says(self, message: Message) -> Message:
        """And remembers it."""
        self.said = [*self.said[-KEPT:], message]
        return message

    def begin(self) -> None:
        """One of them, whatever it was."""
        self.scene.clock.callLater(REPLAY_S, self.begin)
        if self.said:
            self.scene.broadcast(self.dice.choice(self.said))


class VersionLiar(Adversary):
    """Says that it speaks what nobody does, and something else each time."""

    def session(self, honest: Session) -> Session:
        """Its versions are drawn."""
        hello = evolve(honest.hello, versions=self.dice.choice(VERSIONS))
        return Session(hello, honest.binding, honest.sign)


class Fuzzer(Adversary):
    """Garbles what it writes, now and then, by a byte."""

    def session(self, honest: Session) -> Session:
        """Its bytes are changed on their way."""
        return _Garbled(honest, self.dice)


class Slowloris(Adversary):
    """Begins to say who it is, a byte at a time, and never comes to an end."""

    def session(self, honest: Session) -> Session:
        """Its bytes come one by one."""
        return _Dripping(honest, self.dice)


class ClockLiar(Adversary):
    """Lives in another time, as far off as others put up with."""

    offset_s = -WRONG_S


class _Written(Session):
    """A session whose bytes are written otherwise."""

    def __init__(self, honest: Session, dice: Random) -> None:
        super().__init__(honest.hello, honest.binding, honest.sign)
        self.dice = dice


class _Garbled(_Written):
    def take(self) -> bytes:
        """All of it, and now and then one byte that is another."""
        data = bytearray(super().take())
        if data and self.dice.random() < GARBLED:
            data[self.dice.randrange(len(data))] ^= self.dice.randint(1, 255)
        return bytes(data)


class _Dripping(_Written):
    def take(self) -> bytes:
        """The first byte; the rest is never said."""
        return super().take()[:1]


class _Paying:
    """A chain on which payments go another way."""

    def __init__(self, honest: IChain, way: Callable[[Pay], Coroutine[Deferred[Receipt], None, Receipt]]) -> None:
        self._honest, self._way = honest, way

    def __getattr__(self, name: str) -> object:
        return getattr(self._honest, name)

    def pay(self, batch: Batch, most_fee: Wei = NOTHING) -> Deferred[Receipt]:
        """Or not."""
        return Deferred.fromCoroutine(self._way(lambda: self._honest.pay(batch, most_fee)))


ADVERSARIES: Mapping[str, type[Adversary]] = {
    "liar": Liar,
    "rare_liar": RareLiar,
    "half_liar": HalfLiar,
    "copycat": Copycat,
    "hostage": Hostage,
    "accept_and_vanish": AcceptAndVanish,
    "vanish_after": VanishAfter,
    "price_undercutter": PriceUndercutter,
    "reject_all": RejectAll,
    "dont_pay": DontPay,
    "pay_late": PayLate,
    "spammer": Spammer,
    "replayer": Replayer,
    "fuzzer": Fuzzer,
    "slowloris": Slowloris,
    "version_liar": VersionLiar,
    "clock_liar": ClockLiar,
}
PROVIDING: Sequence[str] = ("liar", "rare_liar", "copycat", "hostage", "accept_and_vanish", "price_undercutter")
ASKING: Sequence[str] = ("reject_all", "dont_pay", "pay_late")
ANYBODY: Sequence[str] = (
    "spammer",
    "replayer",
    "vanish_after",
    "fuzzer",
    "slowloris",
    "version_liar",
    "clock_liar",
)
