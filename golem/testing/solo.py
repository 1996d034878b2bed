"""One node's core by itself: a test plays the world around it."""

from __future__ import annotations

from typing import TypeVar

from golem.core.node import Core
from golem.core.reputation import STRANGER, Role, trust
from golem.core.state import NodeState
from golem.core.turn import Turn
from golem.model.effects import Effect, Send, Whisper
from golem.model.events import Connected, Event, Heard, Stamp, Started
from golem.model.ids import NodeId
from golem.model.messages import Message
from golem.model.settings import Settings
from golem.testing.invariants import check_node
from golem.testing.keys import FixedKeyring
from golem.testing.toy import CAPABILITY, Toy

T = TypeVar("T")
BEGIN_MS = 1_700_000_000_000


class Solo:
    """The node "me". Each turn is held to the invariants. `asked`: what the last one asked for."""

    def __init__(self, settings: Settings = Settings(), template: Toy | None = None) -> None:  # noqa: B008 - a value
        self.template = template or Toy()
        self.now_ms = BEGIN_MS
        self.core = Core(NodeState(), self.template.policies())
        self.state = self.core.state
        self.asked: list[Effect] = []
        me = FixedKeyring("me")
        self.post(
            Started(node_id=me.node_id, address="me:1", payee=me.account, settings=settings, capability=CAPABILITY)
        )

    def post(self, event: Event, after_ms: int = 0) -> list[Effect]:
        """Something happens, so long after the last."""
        self.now_ms += after_ms
        self.asked = self.core.step(event, Stamp(at_ms=self.now_ms, salt=b"s" * 16))
        check_node(self.state)
        return self.asked

    def turn(self) -> Turn:
        """A turn in which a test does by itself what an event would have done."""
        return Turn(self.state, Stamp(at_ms=self.now_ms, salt=b"s" * 16), self.template.policies())

    def meet(self, name: str) -> NodeId:
        """A session with the node `name` stands."""
        who = FixedKeyring(name)
        self.post(Connected(peer=who.node_id, address=f"{name}:1", gateway=f"{name}:2", payee=who.account, epoch=name))
        return who.node_id

    def hear(self, name: str, message: Message, after_ms: int = 0) -> list[Effect]:
        """A node says something."""
        return self.post(Heard(peer=FixedKeyring(name).node_id, sequence=1, message=message), after_ms)

    def one(self, kind: type[T]) -> T:
        """The one effect of a kind that the last turn asked for."""
        (found,) = [effect for effect in self.asked if isinstance(effect, kind)]
        return found

    def said(self, kind: type[T]) -> list[T]:
        """Messages of a kind that the last turn sent."""
        said = [effect.message for effect in self.asked if isinstance(effect, Send | Whisper)]
        return [message for message in said if isinstance(message, kind)]

    def one_said(self, kind: type[T]) -> T:
        """The one message of a kind that the last turn sent."""
        (found,) = self.said(kind)
        return found

    def trust(self, name: str, role: Role) -> float:
        """How far a node is trusted now."""
        known = self.state.standings.get(f"{role.value}/{FixedKeyring(name).node_id}", STRANGER)
        return trust(known, self.now_ms)
