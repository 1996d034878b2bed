"""Joins an adversary to the node that it lives in: what the node hears and says passes through it."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime, ITransport

from golem.model.events import Event, Heard
from golem.model.ids import NodeId
from golem.model.messages import Message
from golem.net.network import Network
from golem.node.node import Node
from golem.testing.adversaries import Adversary, Scene
from golem.wire.session import Session


class Mind:
    """Of one life of a node. `adversary`: who decides."""

    def __init__(
        self, behave: type[Adversary], node_id: NodeId, seed: str, clock: IReactorTime, hush: Callable[[], None]
    ) -> None:
        self.adversary = behave(Scene(node_id, seed, clock, self._broadcast, hush))
        self._sessions: Network | None = None
        self._seal: Callable[[Message], Message] = lambda message: message

    def join(self, node: Node) -> None:
        """Go between a node and its network."""
        self._seal = node.driver.sign
        sessions = self._sessions = next(part for part in node if isinstance(part, Network))
        node.driver.join(sessions, self._say)
        introduce = sessions.introduce

        def session(transport: ITransport) -> Session:
            return self.adversary.session(introduce(transport))

        sessions.introduce = session

    def saw(self, event: Event, effects: object) -> None:
        """A turn of the node."""
        if isinstance(event, Heard):
            self.adversary.hears(event.peer, event.message)

    def _say(self, message: Message) -> Message:
        return self._seal(self.adversary.says(message))

    def _broadcast(self, message: Message) -> None:
        if self._sessions is not None:
            self._sessions.whisper(self._say(message), self._sessions.peers())
