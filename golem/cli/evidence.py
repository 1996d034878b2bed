"""`golem evidence`: what verdicts against results rest on, in a file by which any node can come to them anew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from golem.cli.command import Call, Parser, Verbs, find_task
from golem.cli.exits import Exit, UsageError
from golem.cli.words import count, short_node, short_task
from golem.control.views import Evidence, Rehearing, view, views
from golem.errors import NotFound, StoreFault

MAX_FILE_BYTES = 8 << 20  # 64 verdicts of 64 KiB, in base64


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    show = verbs.add(
        "show", _show, "show the verdicts against a task's results; --json: signed, with what they rest on"
    )
    save = verbs.add("save", _save, "write that to a file, and keep the contents that it takes to repeat them")
    replay = verbs.add("replay", _replay, "come to the verdicts in a file anew, on this node; fails where one differs")
    for verb in (show, save):
        verb.add_argument("task", metavar="TASK", help="the task's id, or its start")
    for verb in (save, replay):
        verb.add_argument("file", metavar="FILE", help="as golem evidence save writes it")
    replay.add_argument(
        "--from",
        dest="sources",
        metavar="HOST:PORT",
        action="append",
        default=[],
        help="a gateway that may have the contents",
    )


def _show(call: Call) -> int:
    records = _records(call)
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    rows = [(short_task(e.subtask_id), short_node(e.provider), e.judgement, e.reason) for e in views(Evidence, records)]
    call.screen.table(("SUBTASK", "PROVIDER", "VERDICT", "REASON"), rows, "nothing was found wrong or malformed")
    return Exit.OK


def _records(call: Call) -> object:
    return call.client.get(f"/tasks/{find_task(call.client, call.args.task)}/evidence")


def _save(call: Call) -> int:
    records = _records(call)
    found = views(Evidence, records)
    if not found:
        raise NotFound("nothing was found wrong or malformed in this task: there is no evidence to save")
    gone = [cid for cid in dict.fromkeys(cid for one in found for cid in one.contents) if not _keep(call, cid)]
    try:
        Path(call.args.file).write_text(json.dumps(records))
    except OSError as why:
        raise UsageError(f"{call.args.file}: {why.strerror}") from why
    if call.screen.is_json:
        call.screen.record({"file": call.args.file, "verdicts": len(found), "gone": gone})
        return Exit.OK
    call.screen.say(f"{call.args.file}: {count(len(found), 'verdict')}; repeat them with: golem evidence replay")
    for cid in gone:
        call.screen.note(f"{cid} is not here any more, as the task is over: who repeats this needs it from elsewhere")
    return Exit.OK


def _keep(call: Call, cid: str) -> bool:
    try:
        call.client.post("/resources", {"type": "Pin", "cid": cid})
    except StoreFault:
        return False
    return True


def _replay(call: Call) -> int:
    answers = [
        call.client.post("/rehearings", {"signed": one.signed, "sources": call.args.sources}) for one in _read(call)
    ]
    told = [view(Rehearing, answer) for answer in answers]
    same = sum(one.found == one.said for one in told)
    if call.screen.is_json:
        call.screen.record(answers)
    else:
        rows = [_row(one) for one in told]
        call.screen.table(("SUBTASK", "REQUESTOR", "PROVIDER", "SAID", "FOUND HERE", "WHY"), rows, "no verdicts")
        call.screen.say(f"{same} of {count(len(told), 'verdict')} came out the same here")
    return Exit.OK if same == len(told) else Exit.FAILED


def _row(one: Rehearing) -> tuple[object, ...]:
    why = one.found_why if one.found == one.said else f"{one.found_why}; said: {one.said_why}"
    return short_task(one.subtask_id), short_node(one.requestor), short_node(one.provider), one.said, one.found, why


def _read(call: Call) -> list[Evidence]:
    path = Path(call.args.file)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES)
        return msgspec.json.decode(data, type=list[Evidence])
    except OSError as why:
        raise UsageError(f"{path}: {why.strerror}") from why
    except (msgspec.MsgspecError, ValueError, RecursionError) as why:
        raise UsageError(f"{path} is not what golem evidence save writes: {why}") from why
