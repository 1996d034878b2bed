"""Verdicts against results, as evidence for other nodes, and theirs as it comes out here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import Deferred

from golem.model.evidence import Evidence
from golem.model.ids import NodeId
from golem.model.messages import Place
from golem.node import records
from golem.node.cases import Case
from golem.node.engine import Engine
from golem.node.evidence import evidence

Record = Mapping[str, object]


class Appeals:
    """A part of `golem.control.face.Face`. `sign`: signs evidence, once the node has its key.

    `rehear`: see `golem.node.rehearing`.
    """

    rehear: Callable[[Case], Deferred[Record]]

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sign: Callable[[Evidence], Evidence] = lambda evidence: evidence

    def evidence(self, task_id: str) -> Sequence[Record]:
        """What the verdicts against a task's results rest on, signed. Raises NotFound."""
        return evidence(self._engine.state, records.board(self._engine.state, task_id), self.sign)

    def gateway(self, node: NodeId) -> Place:
        """Where a node serves content, as far as known."""
        peer = self._engine.state.peers.get(node)
        return peer.gateway if peer else ""
