"""One node of a Swarm: its core, and the links that it has now."""

from __future__ import annotations

from collections.abc import Callable

from golem.core.node import Core
from golem.core.state import NodeState
from golem.model.ids import NodeId
from golem.model.messages import Message
from golem.model.settings import Settings
from golem.testing.clock import Call
from golem.testing.keys import FixedKeyring
from golem.testing.toy import Toy


class Member:
    """A node. `heard`, `hops`: when each demand came first, over how many. `payloads`, `control`: messages that came.

    `sent_bytes`: what left it.

    `twist`: what a liar makes of what its core says.
    """

    def __init__(self, name: str, place: str, settings: Settings) -> None:
        keys = FixedKeyring(name)
        self.node_id, self.account, self.place = keys.node_id, keys.account, place
        self.settings = settings
        self.policies = Toy().policies()
        self.core = Core(NodeState(), self.policies)
        self.links: dict[NodeId, None] = {}
        self.dialled: dict[NodeId, None] = {}
        self.timers: dict[str, Call] = {}
        self.heard: dict[str, float] = {}
        self.hops: dict[str, int] = {}
        self.is_up = False
        self.payloads = self.control = self.sent_bytes = 0
        self.twist: Callable[[Message], Message] = lambda message: message
