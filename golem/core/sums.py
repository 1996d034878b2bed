"""What single results tell too little of, summed over a provider's results for a template (`ISumming`).

The verifier says what is summed and what follows; here it is kept, so that it survives a restart and stays bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from golem.core.subtask import Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.interfaces import MAX_SUMS
from golem.model.spec import Judgement, Verdict
from golem.model.value import evolve

MOST_SUMMED = 1_000  # providers and templates, judged last: at most 64 sums of 50 bytes each, so 3 MB

Sums = Mapping[str, float]


def weigh(turn: Turn, board: Board, subtask: Subtask, ask: Callable[[Sums], tuple[Verdict, Sums]]) -> Verdict:
    """A verdict on the sums so far; those with it are kept for the next. After WRONG the result keeps the former."""
    kept, key = turn.state.dealings.sums, f"{board.task.spec.template}/{subtask.provider}"
    before = kept.get(key, {})
    verdict, sums = ask(before)
    if len(sums) > MAX_SUMS:
        raise ValueError(f"it keeps {len(sums)} sums of one provider, at most {MAX_SUMS}")
    after = {str(name): float(value) for name, value in sums.items()}
    kept.pop(key, None)
    if verdict.judgement is Judgement.WRONG:
        turn.state.subtasks[subtask.subtask_id] = evolve(subtask, sums=before)
    elif after:
        kept[key] = after
        if len(kept) > MOST_SUMMED:
            del kept[next(iter(kept))]
    return verdict
