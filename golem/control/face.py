"""What a node shows to its user. `golem.node.build`'s node has these methods; the control server only carries them.

A record is a mapping of names to what JSON can say; its fields are those of `golem.control.views`, and more where
useful to scripts. Amounts are Wei (they travel as decimal strings), ids whole, instants integer milliseconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from golem.model.chain import Order
from golem.model.ids import NOBODY, Address
from golem.node.cases import Case
from golem.node.stock import Stock
from golem.node.submission import Submission

Record = Mapping[str, object]


class Outlook(Protocol):
    """The market as one node sees it."""

    def explain(self, task_id: str) -> Record:
        """Why a task waits: a `views.Explanation`. Raises NotFound."""
        ...

    def prospects(self) -> Record:
        """Why this provider gets no work: a `views.Prospects`. Not before the node has started."""
        ...

    def peers(self) -> Sequence[Record]:
        """Every node that this one has met: `others.Peer`s."""
        ...

    def peer(self, node: str) -> Record:
        """One of them: a `others.Peer`. Raises NotFound."""
        ...

    def reputation(self) -> Sequence[Record]:
        """What is known of other nodes: `others.Standing`s."""
        ...

    def why(self, node: str) -> Sequence[Record]:
        """What made the numbers of one node: a `others.Story` for each of its roles. Raises NotFound."""
        ...

    def estimate(self, submission: Submission) -> Record:
        """What a task may cost: a `views.Estimate`. Raises UnknownTemplate, BadParameters."""
        ...


class Face(Outlook, Protocol):
    """One running node, as its user sees it. Nothing here blocks. `stock`: its content store."""

    stock: Stock

    def status(self) -> Record:
        """The whole node on one screen: a `views.Status`."""
        ...

    def templates(self) -> Sequence[Record]:
        """The kinds of task this node knows: `views.Template`s."""
        ...

    def tasks(self) -> Sequence[Record]:
        """All tasks of this requestor, the latest first: `views.Task`s."""
        ...

    def task(self, task_id: str) -> Record | None:
        """One `views.Task`, or None if there is no such task. Asked twice a second while a task is watched."""
        ...

    def subtasks(self, task_id: str) -> Sequence[Record]:
        """Every attempt of a task, in the order they were assigned: `views.Subtask`s. Raises NotFound."""
        ...

    def logs(self, task_id: str) -> Sequence[Record]:
        """What a task's last attempts printed, ours or computed here: `views.Log`s. Raises NotFound."""
        ...

    def evidence(self, task_id: str) -> Sequence[Record]:
        """What the verdicts against a task's results rest on, signed: `views.Evidence`s. Raises NotFound."""
        ...

    def rehear(self, case: Case) -> Awaitable[Record]:
        """Come to a verdict anew, ours or another node's: a `views.Rehearing`.

        Raises BadParameters, UnknownTemplate, TemplateFailed, StoreFault.
        """
        ...

    def jobs(self) -> Sequence[Record]:
        """What others have computed here now: `views.Job`s."""
        ...

    def payments(self) -> Sequence[Record]:
        """Whom we owe and who owes us: `views.Payment`s."""
        ...

    def payment(self, account: str) -> Awaitable[Sequence[Record]]:
        """How it stands with one account, by our books and the contract: `views.Payment`s. Raises BadParameters."""
        ...

    def submit(self, submission: Submission) -> Awaitable[Record]:
        """Take a task in; answers {"task_id"} once it is journaled. Raises Refused's leaves."""
        ...

    def cancel(self, task_id: str) -> None:
        """End a task. Raises NotFound."""
        ...

    def funds(self) -> Awaitable[Record]:
        """What there is now, by the chain: a `views.Funds`. Raises ChainFault."""
        ...

    def withdraw(self, to: Address = NOBODY) -> Awaitable[Record]:
        """Take out of the contract all that others have paid us; answers {"tx_hash", "amount", "fee"}.

        `to`: into another wallet than ours. Raises ChainFault.
        """
        ...

    def recover(self, since: int) -> Awaitable[Sequence[Record]]:
        """Enter who has paid us since block `since` and our books do not know: `views.Found`s. Raises ChainFault."""
        ...

    def order(self, order: Order) -> Awaitable[Record]:
        """Do something with our deposit; answers {"tx_hash", "fee"}. Raises NotEnoughFunds, Locked, ChainFault."""
        ...

    def consent(self, payer: str) -> Awaitable[Record]:
        """Sign that `payer` may have its reserve for us back; answers {"amount", "until_s", "signature"}.

        Raises NotFound, BadParameters, ChainFault.
        """
        ...

    def audit(self) -> Awaitable[Sequence[Record]]:
        """Whether our books and the contract's agree: `views.Finding`s. Raises ChainFault."""
        ...

    def watch(self, topic: str | None, listener: Callable[[Record], None]) -> Callable[[], None]:
        """Call `listener` with each `views.Happening`, of one topic or of all; returns what ends that.

        A task's last is named as the phase that it ends in: done, failed or cancelled. The topic `log/` and a task's id
        is of what its jobs print, and is in no other.
        """
        ...
