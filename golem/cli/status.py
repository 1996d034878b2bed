"""`golem status`: one node on one screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.cli.command import Call, Parser, options
from golem.cli.exits import Exit
from golem.cli.screen import YELLOW
from golem.cli.words import money, when
from golem.control.views import Funds, Status, view
from golem.errors import Fault


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    options(parser, environ, _show)


def _show(call: Call) -> int:
    record = call.client.get("/status")
    if isinstance(record, dict) and record.get("account"):
        record |= _fresh(call, record)
    if call.screen.is_json:
        call.screen.record(record)
        return Exit.OK
    status = view(Status, record)
    call.screen.fields(
        ("node", status.node_id),
        ("version", status.version),
        (
            "network",
            f"{status.network}, {status.peers} peers connected"
            if status.peers != 1
            else f"{status.network}, 1 peer connected",
        ),
        ("address", status.address or "none"),
        ("reached", status.reached),
        ("since", when(status.started_ms)),
        ("provides", _provides(status)),
        ("tasks", ", ".join(f"{number} {phase}" for phase, number in status.tasks.items()) or "none"),
        ("chain", "" if status.has_chain else "none: work is done for nothing (set payment.rpc and payment.contract)"),
        ("account", status.account),
        ("deposit", money(status.funds.free)),
        ("wallet", money(status.funds.wallet)),
        ("to withdraw", money(status.funds.claimable)),
        ("we owe", money(status.owed)),
        ("owed to us", money(status.due)),
    )
    for problem in status.problems:
        call.screen.say(f"problem: {problem}", YELLOW)
    return Exit.OK


def _fresh(call: Call, record: Mapping[str, object]) -> Mapping[str, object]:
    """What the chain says of its funds now, instead of what the node last saw; where it can't be seen, why."""
    problems = view(Status, record).problems
    try:
        funds = call.client.get("/funds")
    except Fault as why:
        return {"problems": list(dict.fromkeys([*problems, f"{why}; the funds are those last seen"]))}
    return {"funds": funds, "problems": [*problems, *view(Funds, funds).problems]}


def _provides(status: Status) -> str:
    if not status.is_provider:
        return "no (set provider.enabled in golem.toml)"
    tier = f", in {status.tier}" if status.tier else ""
    return f"{', '.join(status.templates)}{tier}; {status.busy} of {status.slots} slots busy"
