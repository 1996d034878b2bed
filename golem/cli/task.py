"""`golem task`: list, show, cancel, explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.cli.command import Call, Parser, Verbs, find_task
from golem.cli.exits import Exit
from golem.cli.words import count, money, short_node, short_task, span, when
from golem.control.views import Reason, Subtask, Task, view, views

MOST_ROWS = 50  # a screenful; --all shows the rest


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    verbs.add("list", _list, "list this node's tasks, the latest first")
    show = verbs.add("show", _show, "show one task and who computed it")
    show.add_argument("--all", action="store_true", help=f"show every subtask, not only the last {MOST_ROWS}")
    cancel = verbs.add("cancel", _cancel, "end a task; what was done so far is paid")
    for verb in (show, cancel):
        verb.add_argument("task", metavar="ID", help="the task's id, or its start")
    explain = verbs.add("explain", _explain, "say why a task waits; without ID, why this provider idles")
    explain.add_argument("task", metavar="ID", nargs="?", help="the task's id, or its start")


def _list(call: Call) -> int:
    records = call.client.get("/tasks")
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    rows = [
        (
            short_task(task.task_id),
            task.template,
            task.phase,
            f"{task.accepted}/{task.chunks}",
            money(task.spent),
            money(task.budget),
            when(task.submitted_ms),
        )
        for task in views(Task, records)
    ]
    headers = ("ID", "TEMPLATE", "PHASE", "CHUNKS", "SPENT", "BUDGET", "SUBMITTED")
    call.screen.table(headers, rows, "no tasks yet; begin with: golem run TEMPLATE …")
    return Exit.OK


def _show(call: Call) -> int:
    task_id = find_task(call.client, call.args.task)
    record, attempts = call.client.get(f"/tasks/{task_id}"), call.client.get(f"/tasks/{task_id}/subtasks")
    if call.screen.is_json:
        call.screen.record({"task": record, "subtasks": attempts})
        return Exit.OK
    task, subtasks = view(Task, record), views(Subtask, attempts)
    took = span(task.finished_ms - task.submitted_ms) if task.finished_ms else ""
    call.screen.fields(
        ("task", task.task_id),
        ("template", task.template),
        ("phase", f"{task.phase}: {task.reason}" if task.reason else task.phase),
        ("chunks", f"{task.accepted} of {task.chunks} accepted, {task.running} running, {task.pending} waiting"),
        ("spent", f"{money(task.spent)} of {money(task.budget)}"),
        ("submitted", when(task.submitted_ms)),
        ("took", took),
        *((f"result {name}", path) for name, path in task.results.items()),
    )
    call.screen.say()
    shown = subtasks if call.args.all else subtasks[-MOST_ROWS:]
    rows = [_row(subtask) for subtask in shown]
    call.screen.table(("CHUNK", "TRY", "PROVIDER", "PHASE", "TIME", "COST", "REASON"), rows, "nothing was assigned yet")
    if len(shown) < len(subtasks):
        call.screen.note(f"the last {count(len(shown), 'subtask')} of {len(subtasks)}; --all shows the rest")
    return Exit.OK


def _row(s: Subtask) -> tuple[object, ...]:
    took = span(s.used_ms) if s.used_ms else ""
    cost = money(s.amount) if int(s.amount) else ""
    return s.label or s.chunk, s.attempt + 1, short_node(s.provider), s.phase, took, cost, s.reason


def _cancel(call: Call) -> int:
    record = call.client.delete(f"/tasks/{find_task(call.client, call.args.task)}")
    if call.screen.is_json:
        call.screen.record(record)
    else:
        call.screen.say("cancelled; what was done so far is paid")
    return Exit.OK


def _explain(call: Call) -> int:
    start = call.args.task
    path = f"/tasks/{find_task(call.client, start)}/explain" if start else "/explain"
    records = call.client.get(path)
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    rows = [(reason.count, reason.reason, short_node(reason.by)) for reason in views(Reason, records)]
    call.screen.table(("TIMES", "REASON", "SAID BY"), rows, "nobody has refused anything")
    return Exit.OK
