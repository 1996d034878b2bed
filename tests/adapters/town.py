"""Alice, who owes, on a chain by anvil, and a wire to it that loses what it is told to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from hashlib import sha256
from pathlib import Path
from urllib.request import Request as Question
from urllib.request import urlopen

from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from golem.adapters.anvil import Anvil
from golem.adapters.ethereum import EthereumChain, EthereumSettings
from golem.errors import ChainFault
from golem.model.chain import Receipt
from golem.model.ids import Address
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.payer import CHAIN_ID, DEPOSIT
from golem.wire.account import keccak256

GWEI, ETHER = 10**9, 10**18
BLOCK_S, POLL_MS = 0.05, 10
OLD_BLOCKS = 8  # the contract is in every block that a test looks back to
LIMIT_S = 60.0
ALICE, BOB = FixedKeyring("alice"), FixedKeyring("bob")
PAYEES = [str(BOB.account), *(f"0x{sha256(b'payee %d' % n).hexdigest()[:40]}" for n in range(6))]
PAID_TO = keccak256(b"paid_to(address,address[])")[:4].hex()


class Lossy(Resource):
    """Hands requests on to an Ethereum node. `loses`: when the n-th is lost, "before" it is heard or "after"; or ""."""

    isLeaf = True

    def __init__(self, rpc: str) -> None:
        super().__init__()
        self.loses: Callable[[int, bytes], str] = lambda *_: ""
        self.asked = 0
        self._rpc = rpc
        self._port = reactor.listenTCP(0, Site(self), interface="127.0.0.1")
        self.place = f"http://127.0.0.1:{self._port.getHost().port}"

    def render_POST(self, request: Request) -> int:
        self.asked += 1
        body = request.content.read()
        fate = self.loses(self.asked, body)
        if fate == "before":
            self._answer(None, request, fate)
        else:
            deferToThread(self._hand_on, body).addBoth(self._answer, request, fate)
        return NOT_DONE_YET

    def _hand_on(self, body: bytes) -> bytes:
        with urlopen(Question(self._rpc, body, {"Content-Type": "application/json"})) as answer:
            return bytes(answer.read())

    def _answer(self, answer: object, request: Request, fate: str) -> None:
        if request.finished or request._disconnected:
            return
        request.setResponseCode(503 if fate or not isinstance(answer, bytes) else 200)
        request.setHeader("content-type", "application/json")
        request.finish() if fate or not isinstance(answer, bytes) else (request.write(answer), request.finish())

    def stop(self) -> Deferred[None]:
        return self._port.stopListening()


class Skewed:
    """The reactor, with a clock that is wrong by `offset_s`."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def seconds(self) -> float:
        return float(reactor.seconds()) + self.offset_s

    def __getattr__(self, name: str) -> object:
        return getattr(reactor, name)


class Town:
    """Alice, who owes, and the chain she pays on. `owed`: by payee, all ever."""

    def __init__(self, folder: Path) -> None:
        self._args = ("--state", str(folder / "state.json"), "--preserve-historical-states")
        self.anvil = Anvil(
            0, CHAIN_ID, "--block-time", str(BLOCK_S), "--block-base-fee-per-gas", str(GWEI), *self._args
        )
        for keys in (ALICE, BOB):
            self.anvil.fund(keys.account, 10 * ETHER)
        self.contract = Address(self.anvil.deploy())
        self.mine(OLD_BLOCKS)
        self.proxy = Lossy(self.anvil.rpc)
        self.folder = folder
        self.owed: dict[str, int] = {}
        self._made: list[EthereumChain] = []

    def chain(self, keys: FixedKeyring = ALICE, clock: object = reactor, **changes: object) -> EthereumChain:
        """A view of the chain, made anew: what an earlier one knew is gone, as after a crash."""
        folder = self.folder / keys.node_id[:8]
        folder.mkdir(exist_ok=True)
        settings = EthereumSettings(
            rpc=self.proxy.place, contract=self.contract, chain_id=CHAIN_ID, folder=str(folder), poll_ms=POLL_MS
        )
        self._made.append(EthereumChain(clock, keys, evolve(settings, **changes)))
        return self._made[-1]

    def owes(self, *amounts: int) -> dict[str, int]:
        """Alice owes more, to the first payees; answers all totals."""
        for payee, amount in zip(PAYEES, amounts, strict=False):
            self.owed[payee] = self.owed.get(payee, 0) + amount
        return dict(self.owed)

    async def is_square(self) -> None:
        """Every payee holds what it is owed, to the wei, and the rest of the deposit is where it was."""
        self.proxy.loses = lambda *_: ""
        for payee, total in self.owed.items():
            assert self.paid(payee) == total
        assert (await self.chain(confirmations=0).observe([])).funds.free == DEPOSIT - sum(self.owed.values())

    def paid(self, payee: str) -> int:
        data = "0x" + PAID_TO + f"{ALICE.account[2:]:0>64}{64:064x}{1:064x}{payee[2:]:0>64}"
        answer = self.anvil.ask("eth_call", {"to": self.contract, "data": data}, "latest")
        return int(str(answer)[-64:], 16)

    @property
    def nonce(self) -> int:
        return int(str(self.anvil.ask("eth_getTransactionCount", ALICE.account, "latest")), 16)

    @property
    def waiting(self) -> list[dict[str, str]]:
        """Transactions of Alice's that no block has yet."""
        pool = self.anvil.ask("txpool_content")
        assert isinstance(pool, dict)
        found = {name.lower(): mine for name, mine in pool["pending"].items()}.get(ALICE.account, {})
        return list(found.values())

    def freeze(self) -> None:
        """No more blocks."""
        self.anvil.ask("evm_setAutomine", False)
        self.anvil.ask("evm_setIntervalMining", 0)

    def thaw(self) -> None:
        """Blocks again; anvil counts in whole seconds here."""
        self.anvil.ask("evm_setIntervalMining", 1)

    def restart(self) -> None:
        """End the chain's process and start another on what it had on disk: its blocks, and none of its pool."""
        self.anvil.stop(is_orderly=True)
        port = int(self.anvil.rpc.rsplit(":", 1)[1])
        self.anvil = Anvil(port, CHAIN_ID, "--no-mining", *self._args)

    def mine(self, blocks: int = 1) -> None:
        self.anvil.ask("anvil_mine", hex(blocks))

    def stop(self) -> None:
        for one in self._made:
            one.close()
        blockon(self.proxy.stop())
        self.anvil.stop()


def bounded(test: Callable[..., Coroutine[Deferred[object], object, None]]) -> Callable[..., Deferred[None]]:
    """On the reactor, and not for ever."""

    @wraps(test)
    def run(town: Town, **others: object) -> Deferred[None]:
        return Deferred.fromCoroutine(test(town, **others)).addTimeout(LIMIT_S, reactor)

    return run


async def until(is_so: Callable[[], bool], under_way: Deferred[Receipt]) -> None:
    """Wait, and fail as soon as what is under way does."""
    while not is_so():
        if under_way.called:
            raise AssertionError(f"ended before: {await under_way}")
        await deferLater(reactor, 0.01, lambda: None)


async def insist(work: Callable[[], Awaitable[Receipt]]) -> Receipt:
    """What the core does: ask again."""
    for _ in range(1000):
        try:
            return await work()
        except ChainFault:
            continue
    raise AssertionError("failed a thousand times")
