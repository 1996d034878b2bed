"""A task, watched: a bar at the bottom of a terminal, and lines for what went wrong; lines only in a log file."""

from __future__ import annotations

from collections.abc import Sequence

from golem.cli.screen import BOLD, GREEN, RED, YELLOW, Screen
from golem.cli.words import count, cut, money, short_node, short_task, span
from golem.control.views import Estimate, Happening, Reason, Subtask, Task
from golem.model.money import Wei, cost

BAR = 24  # columns
MOST_REASONS = 3  # golem task explain has all
STEPS = 10  # lines in a log file, from nothing to done


class Progress:
    """Shows one task while it is under way. `measured`: what it may cost, once the inputs were looked at."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._step = -1
        self.measured = ""
        self._waits_for: str | None = None

    def update(self, happening: Happening | None, task: Task) -> None:
        """Show what happened, if it is worth a line, and how the task stands."""
        if happening is not None and happening.fields.get("reason") and not task.is_over:
            self._screen.note(_told(happening), YELLOW)
        if happening is not None and happening.name == "prepared":
            self.measured, words = _measured(happening, task)
            self._screen.note(words)
        step = task.accepted * STEPS // max(1, task.chunks)
        if step != self._step and not self._screen.is_live:
            self._screen.note(_standing(task))
        self._step = step
        self._screen.live(f"{bar(task.accepted, task.chunks)} {_standing(task)}")

    def waits(self, reasons: Sequence[Reason]) -> None:
        """Say why nobody computes, and again once that changes: silence is what users complain of most."""
        text = "; ".join(f"{cut(reason.reason)} ({reason.count})" for reason in reasons[:MOST_REASONS])
        if text != self._waits_for:
            self._screen.note(f"still waiting: {text or 'no provider has answered yet'}", YELLOW)
        self._waits_for = text


def _told(happening: Happening) -> str:
    fields = happening.fields
    about = [f"chunk {fields['chunk']}"] if "chunk" in fields else []
    about += [short_node(str(fields["provider"]))] if "provider" in fields else []
    return f"{happening.name} ({', '.join(about)}): {cut(str(fields['reason']))}"


def _measured(happening: Happening, task: Task) -> tuple[str, str]:
    """What a look at the inputs makes of the estimate, at the most price: the range, and a line that says it."""
    least_ms, most_ms = (int(str(happening.fields[name])) for name in ("least_ms", "most_ms"))
    least, most = (cost(Wei(int(task.max_price)), time_ms) for time_ms in (least_ms, most_ms))
    costs = f"{money(least)} to {money(most)}"
    times = f"{span(least_ms)} to {span(most_ms)} on one slot"
    return costs, f"measured: {costs} for {count(task.chunks, 'chunk')}, {times}, plus gas"


def bar(part: int, whole: int) -> str:
    """How much of something is done, to look at."""
    done = part * BAR // max(1, whole)
    return f"[{'█' * done}{'·' * (BAR - done)}]"


def _standing(task: Task) -> str:
    return (
        f"{task.phase}: {task.accepted}/{task.chunks} chunks, {task.running} running, "
        f"{task.pending} waiting, {money(task.spent)}"
    )


def cost_range(guess: Estimate) -> str:
    """What a task may cost, as a range."""
    return f"{money(guess.least)} to {money(guess.most)}"


def summary(screen: Screen, task: Task, subtasks: Sequence[Subtask], estimate: str) -> None:
    """What came of it: results, cost, time, and who did what; the reason alone where it failed before anybody did."""
    style = GREEN if task.phase == "done" else RED
    took = f" in {span(task.finished_ms - task.submitted_ms)}" if task.finished_ms else ""
    screen.say(f"{task.phase}{took}: {task.reason}" if task.reason else f"{task.phase}{took}", style)
    if task.phase == "failed" and not subtasks:
        return
    screen.fields(
        ("chunks", f"{task.accepted} of {task.chunks}"),
        ("cost", f"{money(task.spent)} of {money(task.budget)}"),
        ("estimate", estimate),
    )
    for path in task.results.values():
        screen.say(path, BOLD)
    if subtasks:
        screen.say()
        screen.table(("PROVIDER", "ACCEPTED", "NOT", "TIME", "EARNED", "WHY NOT"), _by_provider(subtasks), "")


def _by_provider(subtasks: Sequence[Subtask]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for provider in sorted({s.provider for s in subtasks}):
        mine = [s for s in subtasks if s.provider == provider]
        good = [s for s in mine if s.phase == "accepted"]
        why = next((s.reason for s in mine if s.reason and s not in good), "")
        time, earned = span(sum(s.used_ms for s in good)), money(sum(int(s.amount) for s in good))
        rows.append((short_node(provider), len(good), len(mine) - len(good), time, earned, why))
    return rows


def next_steps(screen: Screen, task_id: str) -> None:
    """What one may do with a task that goes on by itself."""
    for verb, words in (("show", "how it stands"), ("explain", "why it waits"), ("cancel", "end it")):
        screen.note(f"  golem task {verb:<7} {short_task(task_id)}   {words}")
