"""`python -m golem.adapters.devchain --port 0 --fund 0x…=100`: serve a development chain, on loopback, until killed.

Its first line of output is JSON: `{"rpc": "http://127.0.0.1:8545", "contract": "0x…", "chain_id": 1337}`.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from importlib.resources import files

from eth_typing import Address
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTCP, IReactorTime
from twisted.internet.task import LoopingCall, react
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from golem.adapters.devchain.evm import CONTRACT, DevChain
from golem.adapters.devchain.rpc import Rpc
from golem.model.money import ether

MAX_REQUEST_BYTES = 1 << 20  # a transaction has 128 KiB at most elsewhere; a batch of calls is smaller still
IDLE_S = 60.0
LOOPBACK = "127.0.0.1"


class Endpoint(Resource):
    """POST of JSON-RPC to any path."""

    isLeaf = True

    def __init__(self, rpc: Rpc) -> None:
        super().__init__()
        self._rpc = rpc

    def render_POST(self, request: Request) -> bytes:
        """Answer."""
        body = request.content.read(MAX_REQUEST_BYTES + 1) if request.content else b""
        if len(body) > MAX_REQUEST_BYTES:
            request.setResponseCode(413)
            return b""
        request.setHeader(b"content-type", b"application/json")
        return self._rpc.answer(body)


def _fund(text: str) -> tuple[Address, int]:
    account, _, amount = text.partition("=")
    try:
        address = bytes.fromhex(account.removeprefix("0x"))
        if len(address) != 20:
            raise ValueError("an account has 20 bytes")
        return Address(address), int(ether(amount))
    except ValueError as why:
        raise ArgumentTypeError(f"{text!r} is not ACCOUNT=ETHER: {why}") from why


def _parse(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m golem.adapters.devchain", description="A chain for development.")
    parser.add_argument("--host", default=LOOPBACK, help=f"the address to listen on (default {LOOPBACK})")
    parser.add_argument("--port", type=int, default=8545, help="0: any free one (default 8545)")
    parser.add_argument("--chain-id", type=int, default=1337, metavar="NUMBER", help="default 1337")
    parser.add_argument("--block", type=float, default=1.0, metavar="SECONDS", help="between blocks (default 1.0)")
    parser.add_argument(
        "--fund", type=_fund, action="append", default=[], metavar="ACCOUNT=ETHER", help="may be given many times"
    )
    return parser.parse_args(arguments)


def serve(reactor: IReactorTime, options: Namespace) -> Deferred[None]:
    """Listen, announce, and go on for ever."""
    code = json.loads((files("golem.adapters") / "pairbank.json").read_text())["runtime"]
    chain = DevChain(reactor, options.chain_id, dict(options.fund), bytes.fromhex(code.removeprefix("0x")))
    site = Site(Endpoint(Rpc(chain)), timeout=IDLE_S)
    port = IReactorTCP(reactor).listenTCP(options.port, site, interface=options.host)  # type: ignore[arg-type]  # Twisted's stubs do not see that a Site is a factory
    address = port.getHost()
    assert isinstance(address, IPv4Address)
    clock = LoopingCall(chain.mine)
    clock.clock = reactor
    ended: Deferred[None] = clock.start(options.block, now=False).addCallback(lambda _: None)
    place = {"rpc": f"http://{address.host}:{address.port}", "contract": "0x" + CONTRACT.hex()}
    sys.stdout.write(json.dumps({**place, "chain_id": options.chain_id}) + "\n")
    sys.stdout.flush()
    return ended


if __name__ == "__main__":
    react(serve, [_parse(sys.argv[1:])])
