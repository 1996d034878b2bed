"""Many cores and nothing else: the overlay's own code at a thousand nodes, joined by a queue of what is under way.

Sockets, signatures and journals are left out; what they cost is added up as bytes. One seed, one run.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from random import Random

from golem.core.tree import News, publish
from golem.core.turn import Turn
from golem.model import effects as f
from golem.model import events as e
from golem.model.ids import NodeId
from golem.model.messages import Demand, Digest, Graft, Message, PeerList, Prune
from golem.model.settings import Settings
from golem.testing.clock import Clock
from golem.testing.member import Member
from golem.testing.toy import CAPABILITY
from golem.wire.codec import encode

LATENCY_S, SPREAD = 0.041, 0.5  # one way: log-normal with this median
SILENT_S = 15.0  # who dies without a word is missed after so long (`golem.net.peer`)
MAX_INBOUND = 64  # `golem.net.sessions`
ENVELOPE_BYTES = 340  # what stands around a message on the wire: frame, names, signature, TLS
JOIN_S = 0.02  # between two nodes that come


class Swarm:
    """`places`: where each node listens; the first is everybody's bootstrap node."""

    def __init__(self, places: Sequence[str], seed: int) -> None:
        self.clock = Clock()
        self.random = Random(f"swarm {seed}")
        settings = Settings(bootstrap=(places[0],), gossip_epoch_ms=10**9, gossip_round_ms=10**6)
        made = [Member(f"swarm {seed} {number}", place, settings) for number, place in enumerate(places)]
        self.members = {member.node_id: member for member in made}
        self._places = {member.place: member for member in made}

    def join(self, members: Iterable[Member]) -> None:
        """Let nodes come, one after another."""
        for number, member in enumerate(members):
            self.clock.callLater(number * JOIN_S, self.start, member)

    def start(self, member: Member) -> None:
        """A node runs, the first time or again."""
        member.is_up = True
        started = e.Started(
            node_id=member.node_id,
            address=member.place,
            payee=member.account,
            settings=member.settings,
            capability=CAPABILITY,
        )
        self.post(member, started)
        self.post(member, e.Located(address=member.place, is_proved=True))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.clock.seconds() + seconds
        self.clock.run_until(lambda: self.clock.seconds() >= end, seconds)

    def fail(self, members: Collection[Member]) -> None:
        """These die at once, without a word; their neighbours notice by their silence."""
        for member in members:
            member.is_up = False
            for call in member.timers.values():
                if call.active():
                    call.cancel()
        for member in members:
            for peer in member.links:
                wait = SILENT_S * (0.67 + 0.33 * self.random.random())
                self.clock.callLater(wait, self._unlink, self.members[peer], member.node_id)
            member.links.clear()

    def restart(self, member: Member) -> None:
        """A node dies and comes back at once, with what it had on disk."""
        for peer in list(member.links):
            self._unlink(self.members[peer], member.node_id)
        member.links.clear()
        member.dialled.clear()
        self.start(member)

    def say(self, member: Member, news: News) -> None:
        """A node has news of its own."""
        turn = Turn(member.core.state, self._stamp(), member.policies)
        publish(turn, news)
        self._perform(member, turn.effects)

    def whisper(self, member: Member, to: Iterable[NodeId], message: Message) -> None:
        """A node says something to neighbours, whatever its core thinks."""
        said = member.twist(message)
        size = len(encode(said)) + ENVELOPE_BYTES
        for peer in to:
            if peer in member.links:
                member.sent_bytes += size
                self.clock.callLater(self._latency(), self._hear, self.members[peer], member.node_id, said)

    def dial(self, member: Member, place: str) -> None:
        """A node dials."""
        self.clock.callLater(2 * self._latency(), self._link, member, place)

    def post(self, member: Member, event: e.Event) -> None:
        """Something happens to a node."""
        if member.is_up:
            self._perform(member, member.core.step(event, self._stamp()))

    def _stamp(self) -> e.Stamp:
        return e.Stamp(at_ms=int(self.clock.seconds() * 1000), salt=self.random.randbytes(16))

    def _latency(self) -> float:
        return self.random.lognormvariate(math.log(LATENCY_S), SPREAD)

    def _perform(self, member: Member, effects: Iterable[f.Effect]) -> None:
        for effect in effects:
            match effect:
                case f.Whisper(to=to, message=message):
                    self.whisper(member, to, message)
                case f.Dial(address=place):
                    self.dial(member, place)
                case f.Drop(peer=peer):
                    self._unlink(member, peer)
                    self.clock.callLater(self._latency(), self._unlink, self.members[peer], member.node_id)
                case f.SetTimer(name=name, at_ms=at_ms):
                    self._clear(member, name)
                    wait = max(0.0, at_ms / 1000 - self.clock.seconds())
                    member.timers[name] = self.clock.callLater(wait, self._fire, member, name)
                case f.ClearTimer(name=name):
                    self._clear(member, name)
                case _:
                    pass

    def _clear(self, member: Member, name: str) -> None:
        call = member.timers.pop(name, None)
        if call is not None and call.active():
            call.cancel()

    def _fire(self, member: Member, name: str) -> None:
        member.timers.pop(name, None)
        self.post(member, e.TimerFired(name=name))

    def _link(self, member: Member, place: str) -> None:
        other = self._places.get(place)
        if other is None or other is member or not (member.is_up and other.is_up) or other.node_id in member.links:
            return
        if len(other.links) - len(other.dialled) >= MAX_INBOUND:
            return
        member.links[other.node_id] = other.links[member.node_id] = None
        member.dialled[other.node_id] = None
        for one, two, dialled in ((member, other, True), (other, member, False)):
            account = two.account
            self.post(
                one,
                e.Connected(peer=two.node_id, address=two.place, gateway="", payee=account, epoch="1", dialled=dialled),
            )

    def _unlink(self, member: Member, peer: NodeId) -> None:
        if peer in member.links:
            del member.links[peer]
            member.dialled.pop(peer, None)
            self.post(member, e.Lost(peer=peer))

    def _hear(self, member: Member, peer: NodeId, message: Message) -> None:
        if not member.is_up or peer not in member.links:
            return
        if isinstance(message, Demand):
            member.payloads += 1
            name = f"{message.task_id}/{message.expires_ms}"
            member.heard.setdefault(name, self.clock.seconds())
            member.hops.setdefault(name, self.members[peer].hops.get(name, 0) + 1)
        elif isinstance(message, Digest | Graft | Prune | PeerList):
            member.control += 1
        self.post(member, e.Heard(peer=peer, sequence=0, message=message))
