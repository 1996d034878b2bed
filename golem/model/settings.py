"""What the user decided about a node, as far as the core must know. Journaled with `Started`, so replays agree."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from golem.model.ids import NodeId
from golem.model.money import Wei
from golem.model.spec import Name
from golem.model.value import Value


class Settings(Value):
    """Terms on which this node trades.

    `provide`: whether it computes for others. `slots`: jobs at once. `min_price`: wei per hour of one core with
    all slots free; `peak_price`: with all busy.
    `min_requestor_trust`, `min_provider_trust`: below them the other side is refused (a stranger has 0.5).
    `max_exposure`: the most unpaid work, in wei, for one requestor; less for a newcomer.
    `payment_window_ms`: accepted work is paid within it. `closure_ms`: dues are gathered this long before they are paid
    in one batch.
    `lease_grace_ms`: how long a peer that vanished may take to come back before its subtasks go to others.
    `fee_share`: of a batch's value, the most to spend on gas while it has time; 1: any. `claim_after_ms`: so long past
    due, a payment is claimed by its voucher. `withdraw_at`: so many wei earned are taken out by themselves; 0: never.
    `check_share`: of the results of any provider, at least so many are checked, or so closely; 1: all of it.
    `has_chain`: whether there is one to pay on. `verification_ms`: how long the checks of one result may take.
    `max_job_ms`, `max_output_bytes`: longer or larger jobs are refused. `requestors`: whom it works for; empty: all.
    `forsaken_ms`: how long a requestor may be gone before its jobs are ended here.
    `gossip_epoch_ms`, `gossip_round_ms`: how often reputations are averaged anew, and the time between two exchanges.
    `strategy`: by which the node trades, "module:attribute"; empty: the standard one.
    `observe_ms`: time between two looks at the chain. `offers_ms`: how long offers are gathered before the first pick.
    """

    provide: bool = False
    slots: Annotated[int, Meta(ge=1, le=1024)] = 1
    templates: tuple[Name, ...] = ()
    min_price: Wei = Wei(0)
    peak_price: Wei = Wei(0)
    min_requestor_trust: float = 0.3
    min_provider_trust: float = 0.3
    check_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    max_exposure: Wei = Wei(10**18)
    payment_window_ms: int = 24 * 3_600_000
    closure_ms: int = 15 * 60_000
    lease_grace_ms: int = 3_000
    verification_ms: Annotated[int, Meta(ge=1)] = 3_600_000
    fee_share: float = 0.01
    claim_after_ms: int = 3_600_000
    has_chain: bool = True
    withdraw_at: Wei = Wei(5 * 10**16)
    max_job_ms: int = 7 * 24 * 3_600_000
    max_output_bytes: int = 1 << 40
    requestors: tuple[NodeId, ...] = ()
    forsaken_ms: int = 10 * 60_000
    observe_ms: int = 5_000
    offers_ms: int = 500
    gossip_epoch_ms: Annotated[int, Meta(ge=1_000)] = 6 * 3_600_000
    gossip_round_ms: Annotated[int, Meta(ge=100)] = 60_000
    bootstrap: tuple[str, ...] = ()
    strategy: str = ""
