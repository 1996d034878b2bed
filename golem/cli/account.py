"""`golem account`: money. What was paid and is owed, and taking earnings out of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.cli.command import Call, Parser, Verbs
from golem.cli.exits import Exit
from golem.cli.words import money, when
from golem.control.views import Payment, Status, view, views
from golem.errors import Fault


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    verbs.add("show", _show, "show balances, and who owes whom")
    verbs.add("withdraw", _withdraw, "take out of the contract what others have paid")


def _show(call: Call) -> int:
    status, payments = call.client.get("/status"), call.client.get("/payments")
    if call.screen.is_json:
        call.screen.record({"status": status, "payments": payments})
        return Exit.OK
    node = view(Status, status)
    call.screen.fields(
        ("account", node.account),
        ("deposit", money(node.funds.free)),
        ("wallet", money(node.funds.wallet)),
        ("to withdraw", money(node.funds.claimable)),
    )
    call.screen.say()
    rows = [_row(payment) for payment in views(Payment, payments)]
    call.screen.table(("", "ACCOUNT", "PROMISED", "PAID", "OPEN", "DUE"), rows, "nobody owes anybody anything")
    return Exit.OK


def _row(payment: Payment) -> tuple[str, ...]:
    rest = int(payment.promised) - int(payment.paid)
    way = "to" if payment.direction == "out" else "from"
    return way, payment.account, money(payment.promised), money(payment.paid), money(rest), when(payment.due_ms)


def _withdraw(call: Call) -> int:
    record = call.client.post("/withdraw")
    if call.screen.is_json:
        call.screen.record(record)
        return Exit.OK
    if not isinstance(record, dict):
        raise Fault("the node does not say what it withdrew; are node and command of one version?")
    call.screen.say(f"withdrew {money(str(record.get('amount', '0')))} in transaction {record.get('tx_hash', '')}")
    return Exit.OK
