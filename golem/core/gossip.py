"""Differential gossip: every node comes to know what all of them together think of each, and nobody collects it.

For each rated node and role a node holds a mass: a value and a weight, whose quotient is its estimate. A rater begins
with its own trust at its own weight, all others with nothing. In an exchange two nodes halve what they hold between
them, so that all quotients approach the mean over all raters. A node begins as many exchanges a round as its degree
exceeds that of its neighbours, with its neighbours in turn.

Each direction of each edge keeps running sums: what was ever sent, and what was ever taken. A message says the sum
and not the increment, so that one which is lost is made good by the next, and one which comes twice says nothing new.
All numbers are whole, so nothing is made or lost: masses and what is under way add up to what there was at first.
When a neighbour is gone, its edge's net flow is taken back. Protocol: docs/reputation.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from golem.model.ids import NodeId, derive
from golem.model.messages import MAX_SUMS, Rated, Share

UNIT = 1 << 32  # a weight of one
MAX_TARGETS = 20_000  # (node, role) pairs held in one epoch, of 100 bytes each; more are not taken
MAX_STEP = 16 * UNIT  # taken at once along an edge: an honest exchange moves at most 8; the rest comes with the next
MAX_EXCHANGES = 8  # begun in one round
MAX_TRIES = 5  # of one exchange; a session loses nothing, so whoever never answers is left out of the epoch
PRECISION = 2e-4  # a fifth of the 1e-3 promised: neighbours that have settled differ by up to three times as much
LEAST_WEIGHT = UNIT >> 20  # below it a quotient is rounding noise

Mass = tuple[int, int]
"""Value and weight."""

NOTHING: Mass = (0, 0)


class Flow(msgspec.Struct):
    """One edge. `sent`, `taken`: running sums each way. `number`, `heard`: of the last message each way.

    `degree`: the neighbour's, as it says; 0 as long as it said nothing. `tries`: of an exchange not answered yet.
    `agreed`: by target, what the neighbour held when we last exchanged, where we held about the same.
    """

    sent: dict[Rated, Mass] = {}
    taken: dict[Rated, Mass] = {}
    number: int = 0
    heard: int = 0
    degree: int = 0
    tries: int = 0
    agreed: dict[Rated, float] = {}


class Epoch(msgspec.Struct):
    """What one node holds in one epoch. `order`: its neighbours, in turn; `turn`: who is next."""

    number: int
    masses: dict[Rated, Mass] = {}
    flows: dict[NodeId, Flow] = {}
    order: list[NodeId] = []
    turn: int = 0
    rounds: int = 0


def begin(number: int, own: Mapping[Rated, tuple[float, float]]) -> Epoch:
    """A new epoch. `own`: this node's trust in others, and at which weight (at most 1) it says so."""
    masses: dict[Rated, Mass] = {}
    for target, (trust, weight) in sorted(own.items())[:MAX_TARGETS]:
        whole = round(min(1.0, weight) * UNIT)
        masses[target] = (round(min(1.0, trust) * whole), whole)
    return Epoch(number=number, masses=masses)


def join(epoch: Epoch, peer: NodeId, salt: bytes, degree: int = 0) -> None:
    """A neighbour is there. Where in the order it stands depends on `salt`. `degree`: its own, as far as known."""
    if peer not in epoch.flows:
        epoch.flows[peer] = Flow(degree=degree)
        place = int(derive(salt.hex(), peer), 16) % (len(epoch.order) + 1)
        epoch.order.insert(place, peer)
        epoch.turn += place < epoch.turn


def leave(epoch: Epoch, peer: NodeId) -> None:
    """A neighbour is gone: take back what went to it, and give up what came from it."""
    flow = epoch.flows.pop(peer, None)
    if flow is None:
        return
    for target in flow.sent.keys() | flow.taken.keys():
        sent, taken = flow.sent.get(target, NOTHING), flow.taken.get(target, NOTHING)
        _add(epoch, target, (sent[0] - taken[0], sent[1] - taken[1]))
    place = epoch.order.index(peer)
    del epoch.order[place]
    epoch.turn -= place < epoch.turn


def exchanges(epoch: Epoch) -> int:
    """How many exchanges to begin this round: own degree over the mean degree of the neighbours."""
    own = len(epoch.flows)
    degrees = [flow.degree or own for flow in epoch.flows.values()]
    return max(1, min(MAX_EXCHANGES, own, _nearest(own * own, sum(degrees)))) if own else 0


def _nearest(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)


def is_settled(epoch: Epoch) -> bool:
    """Whether this node still holds of every target what each neighbour held: then it begins no more, but answers.

    Two neighbours that have settled are three times `PRECISION` apart at most. Whoever knows of nothing yet is not
    settled: it asks, and so hears sooner.
    """
    return bool(epoch.masses) and all(_holds(epoch, target, mass) for target, mass in epoch.masses.items())


def _holds(epoch: Epoch, target: Rated, mass: Mass) -> bool:
    ours = quotient(mass)
    return all(_agree(ours, flow.agreed.get(target)) for flow in epoch.flows.values())


def _agree(ours: float | None, theirs: float | None) -> bool:
    return ours is not None and theirs is not None and abs(ours - theirs) <= PRECISION * max(ours, theirs)


def next_round(epoch: Epoch) -> list[tuple[NodeId, Share]]:
    """Begin a round: what to say, and to whom."""
    return [(peer, ask(epoch, peer)) for peer in plan_round(epoch)]


def plan_round(epoch: Epoch) -> list[NodeId]:
    """Whom to ask in a new round. Whoever did not answer yet is asked again before others are."""
    for peer in [peer for peer, flow in epoch.flows.items() if flow.tries >= MAX_TRIES]:
        leave(epoch, peer)
    epoch.rounds += 1
    unanswered = [peer for peer, flow in epoch.flows.items() if flow.tries]
    if is_settled(epoch) and not unanswered:
        return []
    return _partners(epoch, unanswered)


def ask(epoch: Epoch, peer: NodeId) -> Share:
    """Begin an exchange: give half of all we hold."""
    epoch.flows[peer].tries += 1
    return _share(epoch, peer, 0, epoch.masses)


def _partners(epoch: Epoch, unanswered: Sequence[NodeId]) -> list[NodeId]:
    """Whom to ask in this round, nobody twice."""
    count = exchanges(epoch)
    chosen = list(unanswered[:count])
    for _ in range(len(epoch.order)):
        if len(chosen) >= count:
            break
        peer = epoch.order[epoch.turn % len(epoch.order)]
        epoch.turn = (epoch.turn + 1) % len(epoch.order)
        if peer not in chosen:
            chosen.append(peer)
    return chosen


def _share(epoch: Epoch, peer: NodeId, answers: int, masses: Mapping[Rated, Mass]) -> Share:
    """Give half of `masses` (which are ours, or were before the other's came) to a neighbour; say the running sums."""
    flow = epoch.flows[peer]
    flow.number += 1
    targets = sorted(masses)
    first = epoch.rounds * MAX_SUMS % max(1, len(targets))  # each in its turn where there are more than fit
    told = [*targets[first:], *targets[:first]][:MAX_SUMS]
    for target in told:
        half = (masses[target][0] // 2, masses[target][1] // 2)
        sent = flow.sent.get(target, NOTHING)
        flow.sent[target] = (sent[0] + half[0], sent[1] + half[1])
        _add(epoch, target, (-half[0], -half[1]))
    sums = tuple((target, *flow.sent[target]) for target in told)
    return Share(epoch=epoch.number, number=flow.number, answers=answers, degree=len(epoch.flows), sums=sums)


def hear(epoch: Epoch, peer: NodeId, share: Share) -> Share | None:
    """A neighbour gave us half of what it holds; the answer gives it half of what we held before, if it began.

    What is of another epoch, of no neighbour, or not newer than what we heard, changes nothing and has no answer.
    """
    flow = epoch.flows.get(peer)
    if flow is None or share.epoch != epoch.number or share.number <= flow.heard:
        return None
    flow.heard, flow.degree = share.number, share.degree
    before = dict(epoch.masses)
    for target, value, weight in share.sums:
        if target in epoch.masses or len(epoch.masses) < MAX_TARGETS:
            _take(epoch, flow, target, (value, weight))
    if share.answers:
        flow.tries = 0
        return None
    return _share(epoch, peer, share.number, before)


def _take(epoch: Epoch, flow: Flow, target: Rated, total: Mass) -> None:
    """Take what a running sum says beyond what we had of it, and note whether the neighbour agrees with us."""
    taken = flow.taken.get(target, NOTHING)
    step = (_clip(total[0] - taken[0]), _clip(total[1] - taken[1]))
    flow.taken[target] = (taken[0] + step[0], taken[1] + step[1])
    theirs = quotient(step)
    if theirs is not None and _agree(quotient(epoch.masses.get(target, NOTHING)), theirs):
        flow.agreed[target] = theirs
    else:
        flow.agreed.pop(target, None)
    _add(epoch, target, step)


def _clip(step: int) -> int:
    return max(-MAX_STEP, min(MAX_STEP, step))


def _add(epoch: Epoch, target: Rated, step: Mass) -> None:
    value, weight = epoch.masses.get(target, NOTHING)
    epoch.masses[target] = (value + step[0], weight + step[1])


def quotient(mass: Mass) -> float | None:
    """What a mass says, or None where it is too light to say anything."""
    value, weight = mass
    return min(1.0, max(0.0, value / weight)) if weight >= LEAST_WEIGHT else None


def outcome(epoch: Epoch) -> dict[Rated, tuple[float, float]]:
    """What the network thinks: by target, the mean of all raters' trust, and their weight per node of the network."""
    means = {target: quotient(mass) for target, mass in epoch.masses.items()}
    return {target: (mean, epoch.masses[target][1] / UNIT) for target, mean in means.items() if mean is not None}
