"""What a node knows of others, for its user: who they are, how far they are trusted, and which deeds made that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.core.evidence import Noted
from golem.core.fusion import counted
from golem.core.knowledge import known, rated, voices
from golem.core.reputation import Deed, Role, is_quarantined
from golem.core.state import NodeState, Peer
from golem.errors import NotFound
from golem.model.ids import NodeId, SubtaskId
from golem.model.messages import Rated
from golem.node.evidence import AGAINST

Record = Mapping[str, object]


def _targets(state: NodeState) -> list[Rated]:
    """Everybody of whom anything is known, in a role."""
    return sorted(
        {Rated(key) for key in state.standings} | state.rumours.opinions.keys() | state.rumours.hearsay.keys()
    )


def standings(state: NodeState, now_ms: int) -> list[Record]:
    """What is known of other nodes, and what it rests on: own deeds, neighbours' word, and the network's mean."""
    return [standing(state, target, now_ms) for target in _targets(state)]


def standing(state: NodeState, target: Rated, now_ms: int) -> Record:
    """The same of one node in one role."""
    role, _, node = target.partition("/")
    fused, own = known(state, target, now_ms), state.standings.get(target)
    hearsay = state.rumours.hearsay.get(target)
    return {
        "node": node,
        "role": role,
        "trust": fused.trust,
        "deeds": own.deeds if own else 0,
        "good": fused.own[0],
        "bad": fused.own[1],
        "heard_good": fused.heard[0],
        "heard_bad": fused.heard[1],
        "neighbours": len(state.rumours.opinions.get(target, {})),
        "network": fused.mean,
        "network_weight": fused.weight,
        "network_raters": hearsay.raters if hearsay else 0.0,
        "is_quarantined": own is not None and is_quarantined(own, now_ms),
    }


def why(state: NodeState, node: str, now_ms: int) -> list[Record]:
    """What made the numbers of one node, by role: each adds good or bad, and all together are the standing's.

    Raises NotFound where nothing is known of it.
    """
    found = [target for target in _targets(state) if target.endswith(f"/{node}")]
    if not found:
        raise NotFound(f"nothing is known of {node}; `golem reputation list` shows of whom there is")
    return [{**standing(state, target, now_ms), "made_of": _made_of(state, target, now_ms)} for target in found]


def _made_of(state: NodeState, target: Rated, now_ms: int) -> list[Record]:
    deeds = [_deed(state, noted, now_ms) for noted in state.dealings.deeds.get(target, [])]
    return [*_earlier(state, target, deeds, now_ms), *deeds, *_heard(state, target, now_ms), *_network(state, target)]


def _deed(state: NodeState, noted: Noted, now_ms: int) -> Record:
    good, bad = noted.worth(now_ms)
    subtask = state.subtasks.get(SubtaskId(noted.about))
    work = state.works.get(SubtaskId(noted.about))
    return {
        "source": "own",
        "what": Deed[noted.deed].words,
        "at_ms": noted.at_ms,
        "stake": str(noted.price_wei),
        "good": good,
        "bad": bad,
        "subtask": noted.about,
        "why": noted.why,
        "result": subtask.delivery.result if subtask and subtask.delivery else "",
        "task": subtask.task_id if subtask and subtask.judgement in AGAINST else "",
        "voucher": work.voucher.signature.hex() if work and work.voucher else "",
    }


def _earlier(state: NodeState, target: Rated, deeds: Sequence[Record], now_ms: int) -> list[Record]:
    """What is left of deeds that are not kept one by one."""
    own = known(state, target, now_ms).own
    standing_ = state.standings.get(target)
    count = (standing_.deeds if standing_ else 0) - len(deeds)
    if count <= 0:
        return []
    good, bad = (max(0.0, own[n] - sum(float(str(d[key])) for d in deeds)) for n, key in enumerate(("good", "bad")))
    return [{"source": "own", "what": f"{count} earlier", "good": good, "bad": bad}]


def _heard(state: NodeState, target: Rated, now_ms: int) -> list[Record]:
    said = voices(state, target, now_ms)
    each = {peer: counted(voice) for peer, voice in said.items()}
    total = sum(good + bad for good, bad in each.values())
    heard = sum(known(state, target, now_ms).heard)
    scale = heard / total if total else 0.0
    return [
        {
            "source": "neighbour",
            "what": "says",
            "by": peer,
            "said_good": said[peer].opinion.good + said[peer].opinion.heard_good,
            "said_bad": said[peer].opinion.bad + said[peer].opinion.heard_bad,
            "believed": said[peer].credible,
            "limit": said[peer].limit,
            "good": scale * good,
            "bad": scale * bad,
        }
        for peer, (good, bad) in sorted(each.items())
    ]


def _network(state: NodeState, target: Rated) -> list[Record]:
    hearsay = state.rumours.hearsay.get(target)
    if hearsay is None:
        return []
    weight = known(state, target, 0).weight
    return [
        {
            "source": "network",
            "what": f"the mean of about {hearsay.raters:.1f} raters, of epoch {hearsay.epoch}",
            "believed": state.rumours.belief,
            "good": weight * hearsay.mean,
            "bad": weight * (1 - hearsay.mean),
        }
    ]


def peers(state: NodeState, now_ms: int) -> list[Record]:
    """Every node that we have met, those with a session first."""
    met = sorted(state.peers.items(), key=lambda item: (not item[1].is_connected, item[0]))
    return [_peer(state, node, met_peer, now_ms) for node, met_peer in met]


def _peer(state: NodeState, node: NodeId, met: Peer, now_ms: int) -> Record:
    return {
        "node": node,
        "address": met.address,
        "gateway": met.gateway,
        "account": met.payee,
        "is_connected": met.is_connected,
        "trust": {role.value: known(state, rated(node, role), now_ms).trust for role in Role},
    }


def _speeds(state: NodeState, node: NodeId) -> Record:
    """By template: what it claims in offers to tasks that we know, and what its verified work was."""
    claimed = {
        board.task.spec.template: board.offers[node].speed for board in state.boards.values() if node in board.offers
    }
    measured = {key.partition("/")[0]: pace for key, pace in state.dealings.paces.items() if key.endswith(f"/{node}")}
    return {
        name: {"claimed": claimed.get(name, 0), "measured": round(100 * measured.get(name, 0.0))}
        for name in sorted({*claimed, *measured})
    }


def peer(state: NodeState, node: str, now_ms: int) -> Record:
    """One node that we have met, and what there is between us. Raises NotFound."""
    met = state.peers.get(NodeId(node))
    if met is None:
        raise NotFound(f"we have not met {node}; `golem peer list` shows whom we have")
    owing, earning = state.ledger.owing.get(met.payee), state.ledger.earning.get(met.payee)
    return {
        **_peer(state, NodeId(node), met, now_ms),
        "speeds": _speeds(state, NodeId(node)),
        "owed": str(owing.promised - owing.paid) if owing else "0",
        "due": str(earning.promised - earning.paid) if earning else "0",
        "computes_for_us": sum(
            state.subtasks[subtask].provider == node for board in state.boards.values() for subtask in board.open
        ),
        "computed_here": sum(state.works[subtask].requestor == node for subtask in state.busy),
        "believed": state.rumours.credible.get(NodeId(node), 0.0),
        "neighbours_word_of": sum(node in voices for voices in state.rumours.opinions.values()),
    }
