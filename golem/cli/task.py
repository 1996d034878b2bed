"""`golem task`: list, show, cancel, explain; the logs of a task, and the jobs that run here for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from golem.cli.command import Call, Parser, Verbs, find_task
from golem.cli.exits import Exit
from golem.cli.explain import explain_task
from golem.cli.words import count, money, short_node, short_task, span, when
from golem.control.views import Happening, Job, Log, Subtask, Task, view, views

MOST_ROWS = 50  # a screenful; --all shows the rest


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    verbs.add("list", _list, "list this node's tasks, the latest first")
    show = verbs.add("show", _show, "show one task and who computed it")
    show.add_argument("--all", action="store_true", help=f"show every subtask, not only the last {MOST_ROWS}")
    cancel = verbs.add("cancel", _cancel, "end a task; what was done so far is paid")
    logs = verbs.add("logs", _logs, "show what a task's jobs print, as its requestor or where they run")
    logs.add_argument("--follow", action="store_true", help="go on showing it, until the task is over or ctrl-c")
    verbs.add("jobs", _jobs, "list what this node computes for others now")
    for verb in (show, cancel, logs):
        verb.add_argument("task", metavar="ID", help="the task's id, or its start")
    explain = verbs.add("explain", explain_task, "say where every chunk is, and why those that wait do")
    explain.add_argument("task", metavar="ID", help="the task's id, or its start")


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
    phase = f"{s.phase}, {s.percent} %" if s.percent else s.phase
    return s.label or s.chunk, s.attempt + 1, short_node(s.provider), phase, took, cost, s.reason


def _cancel(call: Call) -> int:
    record = call.client.delete(f"/tasks/{find_task(call.client, call.args.task)}")
    if call.screen.is_json:
        call.screen.record(record)
    else:
        call.screen.say("cancelled; what was done so far is paid")
    return Exit.OK


def _logs(call: Call) -> int:
    task_id = _known(call)
    if call.screen.is_json:
        call.screen.record(call.client.get(f"/tasks/{task_id}/logs"))
    elif call.args.follow:
        return _follow(call, task_id)
    else:
        _say_logs(call, task_id)
    return Exit.OK


def _follow(call: Call, task_id: str) -> int:
    try:
        with closing(call.client.watch(f"log/{task_id}")) as stream:
            next(stream, None)  # from here on nothing is missed
            _say_logs(call, task_id)
            while not _is_over(call, task_id):
                while (record := next(stream, None)) is not None:  # None: a while in which nothing was printed
                    fields = view(Happening, record).fields
                    _say(call, str(fields.get("subtask", "")), str(fields.get("log", "")))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.OK


def _say_logs(call: Call, task_id: str) -> None:
    for log in views(Log, call.client.get(f"/tasks/{task_id}/logs")):
        _say(call, log.subtask_id, log.log)


def _known(call: Call) -> str:
    """The id of a task of ours, or of one that is computed here. Raises NotFound."""
    start = str(call.args.task)
    computed = {job.task_id for job in views(Job, call.client.get("/jobs")) if job.task_id.startswith(start)}
    return computed.pop() if len(computed) == 1 else find_task(call.client, start)


def _is_over(call: Call, task_id: str) -> bool:
    ours = views(Task, call.client.get("/tasks"))
    here = views(Job, call.client.get("/jobs"))
    return not any(task.task_id == task_id and not task.is_over for task in ours) and not any(
        job.task_id == task_id for job in here
    )


def _say(call: Call, subtask: str, text: str) -> None:
    for line in text.splitlines():
        call.screen.say(f"{short_task(subtask)}  {line}")


def _jobs(call: Call) -> int:
    records = call.client.get("/jobs")
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    rows = [
        (short_task(j.task_id), j.template, short_node(j.requestor), j.phase, f"{j.percent} %", when(j.since_ms))
        for j in views(Job, records)
    ]
    headers = ("TASK", "TEMPLATE", "REQUESTOR", "PHASE", "DONE", "SINCE")
    call.screen.table(headers, rows, "nothing is computed here now; golem node explain says why")
    return Exit.OK
