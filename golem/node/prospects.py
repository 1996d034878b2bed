"""Why this provider gets no work, or not more: every demand that it knows, counted under one reason; and its offers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from golem.core.knowledge import rated
from golem.core.market import ask
from golem.core.provider import objection
from golem.core.reputation import Role
from golem.core.state import NodeState
from golem.core.turn import Policies, Turn
from golem.model.events import Stamp
from golem.model.messages import Demand, Reason
from golem.model.money import show_ether
from golem.model.spec import Environment
from golem.node.explain import HERE, Record, Said, counted

REQUESTORS = "requestors"
LIMITS = {
    Reason.REPUTATION.value: "provider.min_requestor_trust",
    Reason.RESOURCES.value: "provider.memory, cores or max_output",
    Reason.TOO_LONG.value: "provider.max_job",
    Reason.UNLISTED.value: "provider.requestors",
    Reason.EXPOSURE.value: "provider.max_exposure",
    Reason.TIER.value: "provider.executor",
}  # by which key of golem.toml this provider says no


def prospects(state: NodeState, policies: Policies, now_ms: int, reached: tuple[str, str]) -> Record:
    """Why this provider gets no work, or not more: what it says to every demand it knows, and how its offers fared.

    `reached`: how others get to it, and what is to be done about that.
    """
    turn = Turn(state, Stamp(at_ms=now_ms, salt=b""), policies)
    settings, dealings = turn.settings, state.dealings
    demands = [demand for demand in state.demands.values() if demand.requestor != turn.started.node_id]
    said = [_prospect(turn, demand) for demand in demands]
    heard = state.rumours.hearsay.get(rated(turn.started.node_id, Role.PROVIDER))
    return {
        "is_provider": settings.provide,
        "peers": sum(peer.is_connected for peer in state.peers.values()),
        "slots": settings.slots,
        "busy": min(settings.slots, len(state.busy)),
        "queued": max(0, len(state.busy) - settings.slots),
        "demands": len(demands),
        "reasons": counted(said),
        "offers": dealings.offers,
        "taken": dealings.taken,
        "waiting": len(dealings.offered_ms),
        "losses": counted((reason, REQUESTORS) for reason, count in dealings.losses.items() for _ in range(count)),
        "lost": [
            {
                "task_id": lost.task_id,
                "requestor": lost.requestor,
                "at_ms": lost.at_ms,
                "asked": str(lost.asked),
                "reason": lost.reason.value,
                "price": str(lost.price),
            }
            for lost in dealings.lost
        ],
        "reached": reached[0],
        "network": heard.mean if heard else 0.0,
        "raters": heard.raters if heard else 0.0,
        "advice": [words for words in (reached[1], *(rule(turn, demands) for rule in RULES)) if words],
    }


def _prospect(turn: Turn, demand: Demand) -> Said:
    """The one thing there is to say about a demand that we know."""
    state = turn.state
    if any(state.works[sid].assignment.job.task_id == demand.task_id for sid in state.busy):
        return "we work on it", HERE
    if demand.expires_ms < turn.now_ms:
        return "it has expired", HERE
    if demand.task_id in state.offered:
        is_new = demand.task_id in state.dealings.offered_ms
        return ("we have offered, and wait for work" if is_new else "we have offered, and wait for more work"), HERE
    reason = objection(turn, demand, ask(turn, demand))
    return reason.value if reason else "an offer is to be made at the next look", HERE


def _idle(turn: Turn, demands: Sequence[Demand]) -> str:
    if not turn.settings.provide:
        return "this node does not provide: set provider.enabled = true in golem.toml"
    if turn.state.resting is not None:
        return f"no new work is taken: {turn.state.resting.value}"
    return ""


def _unreached(turn: Turn, demands: Sequence[Demand]) -> str:
    if not any(peer.is_connected for peer in turn.state.peers.values()):
        return "no peers: nobody can tell us of tasks; see golem status"
    if not demands:
        return "no task of another node is known: nobody near wants anything computed now"
    return ""


def _unequipped(turn: Turn, demands: Sequence[Demand]) -> str:
    settings, have = turn.settings, turn.started.capability.environments
    missing = sorted(
        {name for name in settings.templates if name in turn.templates and _environment(turn, name) not in have}
    )
    if missing:
        return f"this machine can't run {', '.join(missing)}: its environment is missing; see golem template list"
    return ""


def _unasked(turn: Turn, demands: Sequence[Demand]) -> str:
    wanted = sorted({demand.template for demand in demands} - set(turn.settings.templates))
    return f"others want {', '.join(wanted)}: add it to provider.templates to compute that" if wanted else ""


def _limited(turn: Turn, demands: Sequence[Demand]) -> str:
    said = Counter(_prospect(turn, demand)[0] for demand in demands)
    keys = [f"{count} of {len(demands)} demands by {LIMITS[why]}" for why, count in said.most_common() if why in LIMITS]
    return f"golem.toml refuses {', '.join(keys)}" if keys else ""


def _environment(turn: Turn, name: str) -> str:
    environment: Environment = turn.templates[name].environment
    return environment.name


def _priced_out(turn: Turn, demands: Sequence[Demand]) -> str:
    ours = {demand.task_id: ask(turn, demand) for demand in demands}
    dear = [demand for demand in demands if ours[demand.task_id] > demand.max_price]
    if dear:
        best = max(dear, key=lambda demand: demand.max_price)
        asked, paid = show_ether(ours[best.task_id]), show_ether(best.max_price)
        how = f"{asked} per hour; the best of them pays {paid}"
        return f"{len(dear)} of {len(demands)} demands pay less than we ask: {how}"
    lost = [lost for lost in turn.state.dealings.lost if lost.reason is Reason.OUTBID and lost.price]
    if lost:
        asked, paid = show_ether(lost[-1].asked), show_ether(lost[-1].price)
        return f"offers were lost to others who were paid at most {paid} per hour; we asked {asked}"
    return ""


def _mistrusted(turn: Turn, demands: Sequence[Demand]) -> str:
    bad = {Reason.REPUTATION, Reason.QUARANTINE}
    who = {lost.requestor for lost in turn.state.dealings.lost if lost.reason in bad}
    return f"{len(who)} requestors trust us too little, by their own experience or what they heard" if who else ""


RULES: tuple[Callable[[Turn, Sequence[Demand]], str], ...] = (
    _idle,
    _unreached,
    _unequipped,
    _unasked,
    _limited,
    _priced_out,
    _mistrusted,
)
