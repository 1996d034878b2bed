"""`golem payment`: who owes whom, how it stands with one account, and whether all books agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.cli.command import Call, Parser, Verbs
from golem.cli.exits import Exit
from golem.cli.screen import GREEN, RED, YELLOW
from golem.cli.words import money, when
from golem.control.views import Finding, Payment, views
from golem.errors import NotFound

WAYS = {"out": "to", "in": "from"}


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    verbs.add("list", _list, "list who owes whom")
    show = verbs.add("show", _show, "show how it stands with one account")
    show.add_argument("account", metavar="ACCOUNT", help="the other side's, or its start")
    verbs.add("audit", _audit, "compare this node's books with the contract's; fails where they differ")


def _list(call: Call) -> int:
    records = call.client.get("/payments")
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    rows = [_row(payment) for payment in views(Payment, records)]
    headers = ("", "ACCOUNT", "STATE", "PROMISED", "PAID", "OPEN", "DUE")
    call.screen.table(headers, rows, "nobody owes anybody anything")
    return Exit.OK


def _row(p: Payment) -> tuple[str, ...]:
    amounts = (money(p.promised), money(p.paid), money(_rest(p)))
    return WAYS.get(p.direction, ""), p.account, p.state, *amounts, when(p.due_ms)


def _rest(payment: Payment) -> int:
    return int(payment.promised) - int(payment.paid)


def _show(call: Call) -> int:
    start = call.args.account.lower()
    records = call.client.get("/payments")
    found = [payment for payment in views(Payment, records) if payment.account.startswith(start)]
    if len({payment.account for payment in found}) != 1:
        many = "several accounts begin" if found else "nothing was ever promised to or by an account that begins"
        raise NotFound(f"{many} with {start}; see: golem payment list")
    records = call.client.get(f"/payments/{found[0].account}")
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    for payment in views(Payment, records):
        _tell(call, payment)
    return Exit.OK


def _tell(call: Call, payment: Payment) -> None:
    call.screen.fields(
        (WAYS.get(payment.direction, ""), payment.account),
        ("state", payment.state),
        ("promised", money(payment.promised)),
        ("paid", money(payment.paid)),
        ("by the contract", money(payment.on_chain) if payment.on_chain is not None else ""),
        ("last paid", when(payment.last_ms)),
        ("transaction", payment.last_tx),
        ("open", money(_rest(payment))),
        ("due", when(payment.due_ms) if _rest(payment) else ""),
        ("reserved", money(payment.reserved) if int(payment.reserved) else ""),
    )
    if payment.problem:
        call.screen.say(f"problem: {payment.problem}", YELLOW)


def _audit(call: Call) -> int:
    records = call.client.get("/audit")
    findings = views(Finding, records)
    if call.screen.is_json:
        call.screen.record(records)
    for finding in () if call.screen.is_json else findings:
        call.screen.say(f"{finding.law}  {'holds ' if finding.holds else 'BROKEN'}  {finding.words}", _style(finding))
        for broken in finding.broken:
            call.screen.say(f"    {broken}")
    return Exit.OK if all(finding.holds for finding in findings) else Exit.FAILED


def _style(finding: Finding) -> str:
    return GREEN if finding.holds else RED
