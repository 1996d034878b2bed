"""All that is known of another node, from every source: what `Turn.trust` and `golem reputation why` rest on."""

from __future__ import annotations

from golem.core.fusion import Fused, Opinion, Voice, fuse
from golem.core.reputation import STRANGER, Role, faded
from golem.core.state import NodeState
from golem.model.ids import NodeId
from golem.model.messages import Rated
from golem.model.value import evolve


def rated(node: NodeId, role: Role) -> Rated:
    """The name under which a node in a role is kept."""
    return Rated(f"{role.value}/{node}")


def voices(state: NodeState, target: Rated, now_ms: int) -> dict[NodeId, Voice]:
    """What neighbours say of a target, how far each is believed, and for how much at most."""
    return {
        peer: Voice(opinion, state.rumours.credible.get(peer, 0.0), earned(state, peer, now_ms))
        for peer, opinion in state.rumours.opinions.get(target, {}).items()
    }


def earned(state: NodeState, peer: NodeId, now_ms: int) -> float:
    """The most that a neighbour's word may weigh: the good it has done us, in both roles."""
    return sum(faded(state.standings.get(rated(peer, role), STRANGER), now_ms).good for role in Role)


def first_hand(state: NodeState, target: Rated, now_ms: int) -> Opinion:
    """What to tell neighbours: our own evidence, and what ours saw themselves. So a word goes two steps, no further."""
    own = faded(state.standings.get(target, STRANGER), now_ms)
    near = [
        voice._replace(opinion=evolve(voice.opinion, heard_good=0.0, heard_bad=0.0))
        for voice in voices(state, target, now_ms).values()
    ]
    heard = fuse(own, near, None).heard
    return Opinion(good=own.good, bad=own.bad, heard_good=heard[0], heard_bad=heard[1])


def known(state: NodeState, target: Rated, now_ms: int) -> Fused:
    """A node in a role, as this node sees it now."""
    own = faded(state.standings.get(target, STRANGER), now_ms)
    return fuse(own, voices(state, target, now_ms).values(), state.rumours.hearsay.get(target), state.rumours.belief)
