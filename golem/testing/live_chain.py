"""A development chain served on loopback by this process, whose answers can be lost and whose blocks can be undone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files

from eth_typing import Address as RawAddress
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import LoopingCall
from twisted.web.server import Request, Site

from golem.adapters.devchain.__main__ import LOOPBACK, Endpoint
from golem.adapters.devchain.evm import CONTRACT, DevChain
from golem.adapters.devchain.rpc import Rpc
from golem.model.ids import Address

CHAIN_ID = 1337
LOST = 503  # what a proxy says in a node's place


class Outage:
    """Which requests are lost: the `at`-th from now, counted from 1, before or after the node has heard it; 0: none."""

    def __init__(self) -> None:
        self.at = 0
        self.is_heard = False
        self.asked = 0

    def begin(self, at: int, *, is_heard: bool) -> None:
        """Lose one request, counted from now."""
        self.at, self.is_heard, self.asked = at, is_heard, 0


class _Lossy(Endpoint):
    def __init__(self, rpc: Rpc, outage: Outage) -> None:
        super().__init__(rpc)
        self._outage = outage

    def render_POST(self, request: Request) -> bytes:
        outage = self._outage
        outage.asked += 1
        if outage.asked != outage.at:
            return super().render_POST(request)
        if outage.is_heard:
            super().render_POST(request)
        request.setResponseCode(LOST)
        return b""


class LiveChain:
    """The chain, and the clock that makes its blocks. Listens as soon as it is made."""

    def __init__(self, reactor: PosixReactorBase, funds: Mapping[Address, int], block_s: float) -> None:
        code = json.loads((files("golem.adapters") / "pairbank.json").read_text())["runtime"]
        raw = {RawAddress(bytes.fromhex(account[2:])): wei for account, wei in funds.items()}
        self.chain = DevChain(reactor, CHAIN_ID, raw, bytes.fromhex(code.removeprefix("0x")))
        self.outage = Outage()
        site = Site(_Lossy(Rpc(self.chain), self.outage))
        self._port = reactor.listenTCP(0, site, interface=LOOPBACK)
        address = self._port.getHost()
        assert isinstance(address, IPv4Address)
        self.rpc = f"http://{LOOPBACK}:{address.port}"
        self.contract = Address("0x" + CONTRACT.hex())
        self._blocks = LoopingCall(self.chain.mine)
        self._blocks.clock = reactor
        self._block_s = block_s
        self.resume()

    def nonce(self, account: Address) -> int:
        """How many transactions of an account were mined."""
        return self.chain.vm(-1).state.get_nonce(RawAddress(bytes.fromhex(account[2:])))

    def pause(self) -> None:
        """No more blocks by the clock."""
        if self._blocks.running:
            self._blocks.stop()

    def resume(self) -> None:
        """Blocks by the clock again."""
        self._blocks.start(self._block_s, now=False)

    def stop(self) -> Deferred[None]:
        """No more blocks, no more answers."""
        self.pause()
        return maybeDeferred(self._port.stopListening)
