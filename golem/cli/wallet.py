"""`golem wallet`: what this node has, and moving it between wallet, contract and reserves."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence

from golem.cli.command import Call, Parser, Verbs
from golem.cli.exits import Exit, UsageError
from golem.cli.screen import YELLOW
from golem.cli.words import money
from golem.control.views import Found, Funds, Status, view, views
from golem.errors import Fault
from golem.model.ids import Address
from golem.model.money import ether
from golem.wire.account import checksummed

CONSENT = re.compile(r"(\d{1,15}):([0-9a-f]{130})")
ACCOUNT = re.compile(r"0x[0-9a-fA-F]{40}")


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    verbs.add("show", _show, "show the account and what it has")
    deposit = verbs.add("deposit", _deposit, "move ether from the wallet into the contract, to pay with")
    withdraw = verbs.add("withdraw", _withdraw, "take out of the contract what others have paid")
    where = withdraw.add_mutually_exclusive_group()
    where.add_argument("--own", metavar="ETHER", help="take back so much of the own deposit instead")
    where.add_argument("--to", metavar="ACCOUNT", help="into this wallet, instead of the node's")
    recover = verbs.add("recover", _recover, "after the node's journal was lost, find those who have paid this account")
    recover.add_argument("--since", metavar="BLOCK", type=int, default=0, help="the first block to look at (0)")
    reserve = verbs.add("reserve", _reserve, "set some of the deposit aside for one provider")
    reclaim = verbs.add("reclaim", _reclaim, "make the reserve for a provider free again, two days after an unlock")
    consent = verbs.add("consent", _consent, "as a provider, let a requestor have its reserve back at once")
    release = verbs.add("release", _release, "take a reserve back at once, by what the provider's consent printed")
    verbs.add("unlock", _unlock, "begin to take reserves back; providers see it, and may claim for two days")
    for verb in (reserve, reclaim, consent, release):
        verb.add_argument("account", metavar="ACCOUNT", help="the other side's, as golem payment list shows it")
    release.add_argument("word", metavar="CONSENT", help="what golem wallet consent printed at the provider")
    for verb in (deposit, reserve):
        verb.add_argument("amount", metavar="ETHER", help="like 0.25")


def _show(call: Call) -> int:
    node, record = view(Status, call.client.get("/status")), call.client.get("/funds")
    funds = view(Funds, record)
    if call.screen.is_json:
        call.screen.record({"account": node.account, "funds": record, "owed": node.owed, "due": node.due})
        return Exit.OK
    call.screen.fields(
        ("account", node.account),
        ("wallet", money(funds.wallet)),
        ("deposit", money(funds.free)),
        ("to withdraw", money(funds.claimable)),
        ("owed to others", money(node.owed)),
        ("due to us", money(node.due)),
        ("gas so far", money(funds.gas)),
    )
    for problem in funds.problems:
        call.screen.say(f"problem: {problem}", YELLOW)
    return Exit.OK


def _deposit(call: Call) -> int:
    amount = _amount(call.args.amount)
    return _order(call, f"deposited {money(amount)}", type="PutIn", amount=str(amount))


def _withdraw(call: Call) -> int:
    if call.args.own is not None:
        amount = _amount(call.args.own)
        return _order(call, f"took back {money(amount)}", type="TakeBack", amount=str(amount))
    to = _account(call.args.to) if call.args.to is not None else ""
    answer = _answer(call, call.client.post("/withdraw", {"to": to} if to else {}))
    return _done(call, answer, f"withdrew {money(str(answer.get('amount', '0')))}{f' to {to}' if to else ''}")


def _recover(call: Call) -> int:
    call.screen.note("looking through the chain; on a public one that may take minutes")
    records = call.client.post(f"/recover/{call.args.since}", {})
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    rows = [(found.account, money(found.paid)) for found in views(Found, records)]
    call.screen.table(("ACCOUNT", "EVER PAID"), rows, "nobody has paid this account whom its books do not know")
    if rows:
        call.screen.note("golem wallet withdraw takes out what is still there")
    return Exit.OK


def _reserve(call: Call) -> int:
    account, amount = _account(call.args.account), _amount(call.args.amount)
    return _order(call, f"reserved {money(amount)} for {account}", type="SetAside", payee=account, amount=str(amount))


def _reclaim(call: Call) -> int:
    account = _account(call.args.account)
    return _order(call, f"took back the reserve for {account}", type="Reclaim", payee=account)


def _consent(call: Call) -> int:
    made = _answer(call, call.client.post(f"/consents/{_account(call.args.account)}", {}))
    if call.screen.is_json:
        call.screen.record(made)
        return Exit.OK
    amount = money(str(made.get("amount", "0")))
    call.screen.note(
        f"{amount} is free again once the other side says, within a day: golem wallet release ACCOUNT, and"
    )
    call.screen.say(f"{made.get('until_s')}:{made.get('signature')}")
    return Exit.OK


def _release(call: Call) -> int:
    account, word = _account(call.args.account), CONSENT.fullmatch(call.args.word)
    if word is None:
        raise UsageError(f"{call.args.word!r} is no consent: the provider's golem wallet consent prints one")
    signature = b64encode(bytes.fromhex(word[2])).decode()
    answer = call.client.post(
        "/orders", {"type": "Release", "payee": account, "until_s": int(word[1]), "signature": signature}
    )
    return _done(call, _answer(call, answer), f"took back the reserve for {account}")


def _unlock(call: Call) -> int:
    return _order(call, "unlocking; golem wallet reclaim works in two days", type="Unlock")


def _order(call: Call, words: str, **order: str) -> int:
    return _done(call, _answer(call, call.client.post("/orders", order)), words)


def _answer(call: Call, answer: object) -> Mapping[str, object]:
    if not isinstance(answer, dict):
        raise Fault("the node does not say what it did; are node and command of one version?")
    return answer


def _done(call: Call, answer: Mapping[str, object], words: str) -> int:
    if call.screen.is_json:
        call.screen.record(answer)
        return Exit.OK
    made = answer.get("tx_hash")
    call.screen.say(f"{words} in transaction {made}" if made else f"{words}: nothing to do")
    if made:
        call.screen.note(f"gas cost {money(str(answer.get('fee', '0')))}")
    return Exit.OK


def _amount(text: str) -> int:
    try:
        amount = int(ether(text))
    except ValueError as why:
        raise UsageError(str(why)) from why
    if not amount:
        raise UsageError("an amount of 0 moves nothing")
    return amount


def _account(text: str) -> str:
    if not ACCOUNT.fullmatch(text):
        raise UsageError(f"{text!r} is no account: 0x and 40 hexadecimal digits, as golem payment list shows them")
    account = Address(text.lower())
    if text[2:] not in (text[2:].lower(), text[2:].upper(), checksummed(account)[2:]):
        raise UsageError(f"{text} is mistyped: its capitals do not fit its digits (EIP-55)")
    return account
