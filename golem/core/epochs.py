"""Reputation among nodes: epochs of gossip by the clock, and opinions told to neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from golem.core import gossip
from golem.core.fusion import Hearsay, Opinion, belief, credibility, fuse, voice_weight
from golem.core.gossip import Epoch
from golem.core.knowledge import first_hand
from golem.core.reputation import Role, Standing, faded, trust
from golem.core.turn import Turn
from golem.model.effects import Whisper
from golem.model.ids import NodeId
from golem.model.messages import MAX_EVIDENCE, MAX_OPINIONS, Opinions, Rated, Share

ROUNDS = 30  # of one epoch; 18 bring a hundred thousand nodes within a thousandth (docs/reputation.md)
MAX_SUBJECTS = 10_000  # whom neighbours speak of; more are not listened to
MAX_VOICES = 12  # neighbours heard about one target
NEWS = 0.1  # a change of trust that neighbours are told of


def start(turn: Turn) -> None:
    """The node runs: listen in the epoch that runs, unless it spoke in it before, and speak from the next one on."""
    _enter(turn, is_rater=False)
    _schedule(turn)


def _schedule(turn: Turn) -> None:
    """The next round, or the next epoch where this one is over."""
    settings, epoch = turn.settings, turn.state.rumours.epoch
    passed = turn.now_ms % settings.gossip_epoch_ms
    wait = settings.gossip_epoch_ms - passed
    if epoch is not None and epoch.number == _number(turn) and epoch.rounds < ROUNDS:
        wait = min(wait, settings.gossip_round_ms)
    turn.after(wait, "gossip")


def _number(turn: Turn) -> int:
    return turn.now_ms // turn.settings.gossip_epoch_ms


def on_timer(turn: Turn) -> None:
    """A round, or a new epoch: then what this node knows by itself is its part in it."""
    epoch = _enter(turn, is_rater=True)
    if epoch.rounds < ROUNDS:
        for peer, share in gossip.next_round(epoch):
            turn.ask(Whisper(to=(peer,), message=share))
        if epoch.rounds == ROUNDS:
            _conclude(turn)
    _tell_news(turn)
    _schedule(turn)


def _enter(turn: Turn, *, is_rater: bool) -> Epoch:
    """The epoch of the hour; where it is a new one, what the last came to is kept."""
    before, number = turn.state.rumours.epoch, _number(turn)
    if before is not None and before.number == number:
        return before
    _conclude(turn)
    epoch = gossip.begin(number, dict(_voices(turn)) if is_rater else {})
    degrees = {peer: flow.degree for peer, flow in before.flows.items()} if before else {}
    for node, peer in turn.state.peers.items():
        if peer.is_connected:
            gossip.join(epoch, node, turn.salt, degrees.get(node, 0))
    turn.state.rumours.epoch = epoch
    return epoch


def _running(turn: Turn) -> Epoch:
    epoch = turn.state.rumours.epoch
    assert epoch is not None, "one was entered at the start"
    return epoch


def _voices(turn: Turn) -> Iterator[tuple[Rated, tuple[float, float]]]:
    """Of everybody this node has evidence of: its own trust alone, and the weight of its voice."""
    for key, standing in turn.state.standings.items():
        now = faded(standing, turn.now_ms)
        yield Rated(key), (trust(now, turn.now_ms), voice_weight(now))


def _conclude(turn: Turn) -> None:
    """Keep what the epoch came to. Its weight is per node, so it is multiplied by the nodes we know of."""
    epoch = turn.state.rumours.epoch
    if epoch is None:
        return
    nodes = {NodeId(target.partition("/")[2]) for target in epoch.masses}
    count = len(nodes | turn.state.peers.keys()) + 1
    found = gossip.outcome(epoch)
    turn.state.rumours.hearsay = {
        target: Hearsay(mean=mean, raters=weight * count, epoch=epoch.number)
        for target, (mean, weight) in found.items()
    }
    standings = turn.state.standings
    both = [(faded(standings[t], turn.now_ms), h) for t, h in turn.state.rumours.hearsay.items() if t in standings]
    turn.state.rumours.belief = belief(both)
    turn.tell("node", "gossip", epoch=epoch.number, rounds=epoch.rounds, targets=len(found))


def on_share(turn: Turn, peer: NodeId, share: Share) -> None:
    """A neighbour exchanges with us. One whose epoch began a moment before ours makes ours begin."""
    if share.epoch != _number(turn):
        return
    before = turn.state.rumours.epoch
    epoch = _enter(turn, is_rater=True)
    if epoch is not before:
        _schedule(turn)
    answer = gossip.hear(epoch, peer, share)
    if answer is not None:
        turn.ask(Whisper(to=(peer,), message=answer))


def connected(turn: Turn, peer: NodeId) -> None:
    """A new neighbour: it takes part, and hears what we think of others."""
    lost(turn, peer)  # the edge of an earlier session is over, also where we were not told
    gossip.join(_running(turn), peer, turn.salt)
    latest = [Rated(key) for key in list(turn.state.standings)[-MAX_OPINIONS:]]
    if latest:
        turn.ask(Whisper(to=(peer,), message=_opinions({key: _word(turn, key) for key in latest})))


def lost(turn: Turn, peer: NodeId) -> None:
    """A neighbour is gone."""
    gossip.leave(_running(turn), peer)


def _word(turn: Turn, target: Rated) -> Opinion:
    return first_hand(turn.state, target, turn.now_ms)


def _opinions(words: Mapping[Rated, Opinion]) -> Opinions:
    return Opinions(
        of=tuple(
            (target, _milli(o.good), _milli(o.bad), _milli(o.heard_good), _milli(o.heard_bad))
            for target, o in words.items()
        )
    )


def _milli(evidence: float) -> int:
    return min(MAX_EVIDENCE, round(evidence * 1000))


def _tell_news(turn: Turn) -> None:
    """Tell neighbours where what we know moved our trust by more than a tenth since we told it last."""
    state, told = turn.state, turn.state.rumours.told
    near = tuple(node for node, peer in state.peers.items() if peer.is_connected)
    if not near:
        return
    fresh = list(state.rumours.fresh)[:MAX_OPINIONS]
    moved = [
        Rated(key)
        for key, standing in state.standings.items()
        if abs(trust(standing, turn.now_ms) - told.get(Rated(key), 0.5)) > NEWS
    ]
    for target in fresh:
        del state.rumours.fresh[target]
    words = {target: _word(turn, target) for target in [*moved, *fresh][:MAX_OPINIONS]}
    news = {target: word for target, word in words.items() if abs(_trust(word) - told.get(target, 0.5)) > NEWS}
    if news:
        turn.ask(Whisper(to=near, message=_opinions(news)))
        told.update({target: _trust(word) for target, word in news.items()})


def _trust(o: Opinion) -> float:
    return fuse(Standing(good=o.good + o.heard_good, bad=o.bad + o.heard_bad), (), None).trust


def on_opinions(turn: Turn, peer: NodeId, opinions: Opinions) -> None:
    """A neighbour says what it knows of others; of itself and of us it has nothing to say."""
    state = turn.state
    for target, *counts in opinions.of:
        node = NodeId(target.partition("/")[2])
        voices = state.rumours.opinions.get(target, {})
        has_room = target in state.rumours.opinions or len(state.rumours.opinions) < MAX_SUBJECTS
        if node in (peer, turn.started.node_id) or not has_room or (peer not in voices and len(voices) >= MAX_VOICES):
            continue
        state.rumours.opinions.setdefault(target, {})[peer] = _heard(*counts)
        state.rumours.fresh[target] = None
    state.rumours.credible[peer] = _credible(turn, peer)


def _heard(good: int, bad: int, heard_good: int, heard_bad: int) -> Opinion:
    return Opinion(good=good / 1000, bad=bad / 1000, heard_good=heard_good / 1000, heard_bad=heard_bad / 1000)


def _credible(turn: Turn, peer: NodeId) -> float:
    pairs = [
        (faded(turn.state.standings[target], turn.now_ms), voices[peer])
        for target, voices in turn.state.rumours.opinions.items()
        if peer in voices and target in turn.state.standings
    ]
    own = min(trust(turn.standing(peer, role), turn.now_ms) for role in Role)
    return credibility(pairs, own)
