"""`golem doctor`: what is wrong with a running node, and what to do; `--limits`: what peers may cost it, and did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.cli.command import Call, Parser, options
from golem.cli.exits import Exit
from golem.cli.screen import YELLOW
from golem.control.views import Prospects, Status, view
from golem.model.budgets import TABLE


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    parser.add_argument("--limits", action="store_true", help="list every limit on what peers may cost, and its count")
    options(parser, environ, _show)


def _show(call: Call) -> int:
    status = view(Status, call.client.get("/status"))
    prospects = view(Prospects, call.client.get("/explain"))
    found = list(dict.fromkeys([*status.problems, *prospects.advice]))
    if call.screen.is_json:
        call.screen.record(
            {"reached": status.reached, "gpus": status.gpus, "problems": found, "limits": _limits(status)}
        )
        return Exit.OK
    call.screen.say(f"reached {status.reached or 'not yet: it is starting'}")
    call.screen.say(f"gpus {', '.join(status.gpus) or 'none for jobs: no /dev/nvidia0, or provider.gpu not set'}")
    for words in found:
        call.screen.say(f"look at this: {words}", YELLOW)
    if call.args.limits:
        _table(call, status)
    elif status.refused:
        call.screen.note("some limits were met: golem doctor --limits")
    return Exit.OK


def _limits(status: Status) -> list[dict[str, str | int]]:
    return [{**budget._asdict(), "met": status.refused.get(budget.name, 0)} for budget in TABLE]


def _table(call: Call, status: Status) -> None:
    rows = [
        (budget.name, f"{budget.limit:,}", budget.unit, budget.excess, status.refused.get(budget.name, "-"))
        for budget in TABLE
    ]
    call.screen.table(("LIMIT", "THE MOST", "OF", "BEYOND", "MET"), rows, "")
