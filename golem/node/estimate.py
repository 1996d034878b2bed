"""What a task may cost, before it is submitted: a range, since a template only guesses, and providers set prices."""

from __future__ import annotations

from collections.abc import Mapping

from golem.core.turn import copies_of
from golem.interfaces import ITaskTemplate
from golem.model.money import Wei, cost
from golem.model.spec import TaskSpec

SPREAD = 2  # a guess at a chunk's time is off by that factor, either way
MOST_ASKED = 1_000  # chunks, evenly over a task: to ask for a hundred thousand would keep the node from all else
START_MS = 1_000  # on top, where no worker is warm: most of it for a container, a tenth for a sandbox


def estimate(template: ITaskTemplate, spec: TaskSpec) -> Mapping[str, object]:
    """At the most price: half to twice of the template's guess and starts, at most the budget, and by time-outs."""
    chunks = template.split(spec)
    times = [
        min(template.cost_ms(spec, chunk), spec.limits.timeout_ms) for chunk in chunks[:: -(-len(chunks) // MOST_ASKED)]
    ]
    copies = copies_of(template.verifier(spec))

    def whole(asked: int) -> int:
        return copies * asked * len(chunks) // len(times)

    most = whole(sum(cost(spec.max_price, min(SPREAD * time + START_MS, spec.limits.timeout_ms)) for time in times))
    least = whole(sum(cost(spec.max_price, time // SPREAD) for time in times))
    return {
        "chunks": len(chunks),
        "time_ms": whole(sum(times)),
        "least": Wei(min(least, spec.budget)),
        "most": Wei(min(most, spec.budget)),
        "is_enough": most <= spec.budget,
    }
