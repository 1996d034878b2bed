"""Messages between two durable nodes, each exactly once and in order, however often either of them dies.

What we send is numbered and kept until the other side says that it has it on disk; what we hear is taken once.
All of it follows from the journal: the numbers of what was sent from the effects, of what was heard from the events.
Acknowledgements are not journaled: after a crash a little more is sent again, and skipped by number.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from golem.model.budgets import OUTBOX
from golem.model.ids import NodeId
from golem.model.messages import Message

MAX_WAITING = OUTBOX.limit  # messages for a peer that is away, a few MB; it has long been replaced by then


class Mail(msgspec.Struct):
    """`epoch` names this journal's life. `sent`: the last number by peer. `waiting`: not acknowledged yet.

    `heard`: by peer, the epoch it was in and the last number taken.
    """

    epoch: str = ""
    sent: dict[NodeId, int] = {}
    waiting: dict[NodeId, list[tuple[int, Message]]] = {}
    heard: dict[NodeId, tuple[str, int]] = {}

    def push(self, to: NodeId, message: Message) -> int:
        """Number a message and keep it; 0 where too much waits for this peer already, and it is dropped."""
        queue = self.waiting.setdefault(to, [])
        if len(queue) >= MAX_WAITING:
            return 0
        self.sent[to] = number = self.sent.get(to, 0) + 1
        queue.append((number, message))
        return number

    def acknowledged(self, peer: NodeId, number: int) -> None:
        """The peer has everything up to `number` on disk."""
        queue = self.waiting.get(peer, [])
        done = 0
        while done < len(queue) and queue[done][0] <= number:
            done += 1
        del queue[:done]

    def unacknowledged(self, peer: NodeId) -> Sequence[tuple[int, Message]]:
        """What must be said again, in order."""
        return tuple(self.waiting.get(peer, ()))

    def received(self, peer: NodeId, epoch: str) -> int:
        """The last number taken from a peer in this epoch of it."""
        known, number = self.heard.get(peer, ("", 0))
        return number if known == epoch else 0

    def check(self) -> None:
        """What holds of all numbers: those that wait follow one another, up to the last. Raises AssertionError."""
        for peer, queue in self.waiting.items():
            if queue and (queue[-1][0] != self.sent[peer] or queue[-1][0] - queue[0][0] != len(queue) - 1):
                first, last = queue[0][0], queue[-1][0]
                raise AssertionError(f"messages {first} to {last} wait for {peer}, {len(queue)} of {self.sent[peer]}")

    def meet(self, peer: NodeId, epoch: str) -> None:
        """A session stands: a peer in a new epoch counts from its own beginning."""
        self.heard[peer] = (epoch, self.received(peer, epoch))

    def take(self, peer: NodeId, number: int) -> None:
        """A numbered message was taken."""
        epoch, _ = self.heard.get(peer, ("", 0))
        self.heard[peer] = (epoch, number)
