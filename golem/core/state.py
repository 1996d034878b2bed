"""All that a node knows: registries of small frozen machines. Only the core touches them, one turn at a time."""

from __future__ import annotations

import msgspec

from golem.core.job import Work
from golem.core.ledger import Ledger
from golem.core.reputation import Standing
from golem.core.rumours import Dealings, Near, Rumours, Tree
from golem.core.subtask import Subtask
from golem.core.task import Board
from golem.model.chain import Batch, Funds
from golem.model.events import Gauged, Started
from golem.model.ids import Address, NodeId, SubtaskId, TaskId
from golem.model.messages import Demand, Place, Reason
from golem.model.money import Wei
from golem.model.value import Value


class Peer(Value):
    """A node we have met, `met_ms` for the first time. `payee`: its account, bound to it by a signature.

    `dialled`: by us.
    """

    address: Place
    gateway: Place
    payee: Address
    is_connected: bool
    dialled: bool = False
    met_ms: int = 0


class NodeState(msgspec.Struct, kw_only=True):
    """The whole.

    `near`: where others listen. `tree`: by which links news goes. `offered`: our price, by task; `declined`: why we
    do not offer, where we have said so. `errands`: what a running check or merge is for, as (kind, id). `dues`:
    accepted work by payer, the oldest first. `reserved`: set aside for us by payer. `claims`: by payer, no claim
    before. `delays`: by payer, why it does not pay yet. `sent`: how many transactions of ours the chain has.
    `gas`: what this node's own transactions have cost, in wei.
    `frozen_ms`: when the open batch was made; what is accepted later is in the next. `payment_problem`: why
    the open batch is not paid yet; `chain_problem`: why the chain can't be seen. `checking`: results whose checks
    run; `to_check`: those that wait for theirs. `notes`: refusals by topic, counted. `resting`: why no new work is
    taken now. `crashes`: how many in a row, and when the last one was. `gauges`: this machine's trials, by template.
    """

    started: Started | None = None
    peers: dict[NodeId, Peer] = {}
    near: Near = msgspec.field(default_factory=Near)
    tree: Tree = msgspec.field(default_factory=Tree)
    demands: dict[TaskId, Demand] = {}
    offered: dict[TaskId, Wei] = {}
    declined: dict[TaskId, Reason] = {}
    boards: dict[TaskId, Board] = {}
    subtasks: dict[SubtaskId, Subtask] = {}
    checking: dict[SubtaskId, None] = {}
    to_check: dict[SubtaskId, None] = {}
    works: dict[SubtaskId, Work] = {}
    busy: dict[SubtaskId, None] = {}
    errands: dict[str, tuple[str, str]] = {}
    dues: dict[Address, list[SubtaskId]] = {}
    standings: dict[str, Standing] = {}
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    funds: Funds = Funds()
    reserved: dict[Address, Wei] = {}
    claims: dict[Address, int] = {}
    delays: dict[Address, str] = {}
    sent: int = 0
    gas: int = 0
    withdraws: int = 0
    is_withdrawing: bool = False
    batch: Batch | None = None
    frozen_ms: int = 0
    payment_problem: str = ""
    chain_problem: str = ""
    is_settling: bool = False
    is_watching: bool = False
    batches: int = 0
    notes: dict[str, dict[str, int]] = {}
    resting: Reason | None = None
    crashes: dict[str, tuple[int, int]] = {}
    gauges: dict[str, Gauged] = {}
    dealings: Dealings = msgspec.field(default_factory=Dealings)
    rumours: Rumours = msgspec.field(default_factory=Rumours)
