"""`golem faucet`: play money from a development chain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.error import URLError
from urllib.request import Request, urlopen

from golem.cli.command import Call, Parser, options
from golem.cli.exits import Exit, UsageError
from golem.cli.words import money
from golem.errors import ChainFault
from golem.model.money import ether

ANSWER_S = 10.0
METHODS = ("golem_fund", "anvil_addBalance")  # of our own chain, and of anvil


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    options(parser, environ, _faucet)
    parser.add_argument("account", metavar="ACCOUNT", help="who gets it: 0x and 40 hexadecimal digits")
    parser.add_argument("--rpc", required=True, metavar="URL", help="the development chain, as golem devnet shows it")
    parser.add_argument("--amount", default="1", metavar="ETHER", help="default: 1")


def _faucet(call: Call) -> int:
    args = call.args
    try:
        amount = int(ether(args.amount))
    except ValueError as why:
        raise UsageError(str(why)) from why
    if not args.rpc.startswith(("http://", "https://")):
        raise UsageError(f"--rpc: {args.rpc!r} is no URL, like http://127.0.0.1:8545")
    refusals = [refusal for method in METHODS if (refusal := _ask(args.rpc, method, args.account, hex(amount)))]
    if len(refusals) == len(METHODS):
        raise ChainFault(f"{args.rpc} gives nothing away: {refusals[0]}; is it a development chain?")
    if call.screen.is_json:
        call.screen.record({"account": args.account, "amount": str(amount)})
    else:
        call.screen.say(f"{args.account} got {money(amount)}")
    return Exit.OK


def _ask(rpc: str, method: str, *params: str) -> str:
    """Call a method; why it did not work, or nothing."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = Request(rpc, body, {"Content-Type": "application/json"})  # noqa: S310 - checked by the caller
    try:
        with urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
            said = json.load(answer)
    except (URLError, OSError, ValueError) as why:
        raise ChainFault(f"{rpc} does not answer: {why}") from why
    return str(said.get("error", {}).get("message", "")) if isinstance(said, dict) else "no JSON-RPC"
