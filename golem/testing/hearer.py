"""A hearer for tests: it remembers everything, as a node with a journal does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from golem.model.events import Connected
from golem.model.ids import Address, NodeId
from golem.model.messages import Message, Place
from golem.net.network import Network
from golem.node.mail import Mail


class MemoryHearer:
    """Implements `golem.net.network.Hearer`. `mail`: survives sessions. `on_heard`: called for each new message."""

    def __init__(self) -> None:
        self.mail = Mail()
        self.network: Network | None = None
        self.log: list[str] = []
        self.located_at: list[tuple[Place, bool]] = []
        self.said: dict[NodeId, list[Message]] = {}
        self.gossip: list[Message] = []
        self.places: dict[NodeId, tuple[Place, Place, Address]] = {}
        self.failed: dict[str, str] = {}
        self.repeated = 0
        self.on_heard: Callable[[NodeId, Message], None] = lambda peer, message: None

    def join(self, network: Network) -> Network:
        """Answer on this network."""
        self.network = network
        return network

    def send(self, peer: NodeId, message: Message) -> None:
        """Say it once, now or later."""
        number = self.mail.push(peer, message)
        if self.network is not None:
            self.network.send(peer, number, message)

    def connected(self, event: Connected) -> None:
        """A session stands."""
        self.mail.meet(event.peer, event.epoch)
        self.places[event.peer] = (event.address, event.gateway, event.payee)
        self.log.append(f"connected {event.peer}")

    def located(self, address: Place, is_proved: bool) -> None:
        """We are dialled there from now on."""
        self.located_at.append((address, is_proved))

    def lost(self, peer: NodeId) -> None:
        """It is over."""
        self.log.append(f"lost {peer}")

    def heard(self, peer: NodeId, sequence: int, message: Message) -> None:
        """Take it, unless it was taken before."""
        if not sequence:
            self.gossip.append(message)
        elif sequence <= self.mail.heard[peer][1]:
            self.repeated += 1
        else:
            self.mail.take(peer, sequence)
            self.said.setdefault(peer, []).append(message)
            if self.network is not None:
                self.network.acknowledge(peer, sequence)
            self.on_heard(peer, message)

    def dial_failed(self, address: str, why: str) -> None:
        """Nobody there."""
        self.failed[address] = why

    def received(self, peer: NodeId, epoch: str) -> int:
        """The last number taken."""
        return self.mail.received(peer, epoch)

    def unacknowledged(self, peer: NodeId) -> Sequence[tuple[int, Message]]:
        """What the peer may not have."""
        return self.mail.unacknowledged(peer)

    def acknowledged(self, peer: NodeId, sequence: int) -> None:
        """The peer has it."""
        self.mail.acknowledged(peer, sequence)
