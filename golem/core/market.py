"""Both sides of a demand: whether to offer, at which price, whom to take, and the named reason for every no."""

from __future__ import annotations

from golem.core.ledger import Pair, unpaid
from golem.core.protection import shut_out
from golem.core.reputation import Role, is_quarantined
from golem.core.trading import price as price_of
from golem.core.turn import Turn
from golem.model.ids import NodeId
from golem.model.messages import Assignment, Demand, Offer, Reason
from golem.model.money import Wei, cost
from golem.model.spec import Capability, Limits
from golem.model.trade import Terms

MAX_QUEUED_PER_SLOT = 64  # short jobs travel in numbers; longer ones are never assigned so deep
STRANGER_TRUST = 0.5
NEWCOMERS_PART = 10  # of the exposure: who comes under ever new names has no more of it than that
LEAST_WORK_MS = 1_000  # an assignment must be able to pay for this much work


def fits(limits: Limits, capability: Capability) -> bool:
    """Whether a machine has room for one such job."""
    return limits.cores <= capability.cores and limits.memory_bytes <= capability.memory_bytes


def ask(turn: Turn, demand: Demand) -> Wei:
    """What we would do a demand's work for, now."""
    settings = turn.settings
    terms = Terms(settings.min_price, settings.peak_price, settings.slots, min(len(turn.state.busy), settings.slots))
    return price_of(turn, demand, terms)


def room_for(turn: Turn, limits: Limits) -> int:
    """How many such jobs have room now, beside those at hand."""
    jobs = [turn.state.works[subtask_id].assignment.job.limits for subtask_id in turn.state.busy]
    cores = turn.started.capability.cores - sum(job.cores for job in jobs)
    memory = turn.started.capability.memory_bytes - sum(job.memory_bytes for job in jobs)
    return min(turn.settings.slots - len(jobs), cores // limits.cores, memory // max(1, limits.memory_bytes))


def unfit_machine(demand: Demand, capability: Capability) -> Reason | None:
    """Why a machine can't do a demand's jobs, or None."""
    if demand.environment not in capability.environments:
        return Reason.ENVIRONMENT
    if demand.tiers and capability.tier not in demand.tiers:
        return Reason.TIER
    return None if fits(demand.limits, capability) else Reason.RESOURCES


def unwanted_demand(turn: Turn, demand: Demand, price: Wei) -> Reason | None:
    """Why this provider does not offer, or None."""
    settings = turn.settings
    if not settings.provide:
        return Reason.NOT_PROVIDING
    if demand.template not in turn.templates or demand.template not in settings.templates:
        return Reason.TEMPLATE
    if reason := unfit_machine(demand, turn.started.capability):
        return reason
    if reason := shut_out(turn, demand.requestor, demand.template, demand.limits):
        return reason
    if price > demand.max_price:
        return Reason.PRICE_TOO_LOW
    if turn.trust(demand.requestor, Role.REQUESTOR) < settings.min_requestor_trust:
        return Reason.REPUTATION
    return unpaid_for(turn, demand.requestor)


def unpaid_for(turn: Turn, requestor: NodeId) -> Reason | None:
    """Why this provider does no more work for a requestor before it has paid, or None."""
    if is_behind(turn, requestor):
        return Reason.OVERDUE
    return None if exposure_left(turn, requestor) > 0 else Reason.EXPOSURE


def is_behind(turn: Turn, requestor: NodeId) -> bool:
    """Whether the chain was seen without a payment of this requestor's that was due."""
    peer = turn.state.peers.get(requestor)
    due = turn.state.dues.get(peer.payee, []) if peer else []
    return any(turn.state.works[subtask_id].is_late for subtask_id in due[:1])


def exposure_left(turn: Turn, requestor: NodeId) -> int:
    """How much more unpaid work this requestor may have of us, in wei.

    A newcomer has a part of `max_exposure`, and more by twice what it has paid us, up to all of it; who is trusted less
    than a stranger has less. What it reserved for us comes on top.
    """
    most, peer = turn.settings.max_exposure, turn.state.peers.get(requestor)
    if peer is None:
        return most // NEWCOMERS_PART
    earning = turn.state.ledger.earning.get(peer.payee, Pair())
    earned = min(most, most // NEWCOMERS_PART + 2 * earning.paid)
    share = min(1.0, turn.trust(requestor, Role.REQUESTOR) / STRANGER_TRUST)
    return int(earned * share) + turn.state.reserved.get(peer.payee, 0) - unpaid(turn.state.ledger, peer.payee)


def unwanted_offer(turn: Turn, demand: Demand, provider: NodeId, offer: Offer) -> Reason | None:
    """Why this requestor does not take an offer, or None."""
    if offer.price > demand.max_price:
        return Reason.PRICE_TOO_HIGH
    if reason := unfit_machine(demand, offer.capability):
        return reason
    if is_quarantined(turn.standing(provider, Role.PROVIDER), turn.now_ms):
        return Reason.QUARANTINE
    if turn.trust(provider, Role.PROVIDER) < turn.settings.min_provider_trust:
        return Reason.REPUTATION
    return None


def unwanted_assignment(turn: Turn, requestor: NodeId, assignment: Assignment, queued: int) -> Reason | None:
    """Why this provider does not take an assignment, or None. `queued`: jobs it has already."""
    job, settings = assignment.job, turn.settings
    demand = turn.state.demands.get(job.task_id)
    price = turn.state.offered.get(job.task_id)
    if reason := shut_out(turn, requestor, job.template, job.limits):
        return reason
    if (
        price is None
        or demand is None
        or demand.requestor != requestor
        or str(job.job_id) != str(assignment.subtask_id)
    ):
        return Reason.UNKNOWN
    if assignment.price < price or assignment.cap < min(cost(price, LEAST_WORK_MS), cost(price, job.limits.timeout_ms)):
        return Reason.PRICE_TOO_LOW
    if job.template != demand.template:
        return Reason.TEMPLATE
    if not fits(job.limits, turn.started.capability):
        return Reason.RESOURCES
    if queued >= settings.slots * MAX_QUEUED_PER_SLOT:
        return Reason.BUSY
    return unpaid_for(turn, requestor)
