"""Payments on an Ethereum node that is not ours, through all that can go wrong: paid to the wei, and never stuck."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import wraps
from hashlib import sha256
from pathlib import Path
from random import Random
from urllib.request import Request as Question
from urllib.request import urlopen

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from golem.adapters.anvil import Anvil, program
from golem.adapters.ethereum import EthereumChain, EthereumSettings
from golem.errors import ChainFault, ChainLies
from golem.model.chain import Receipt, Voucher
from golem.model.ids import Address
from golem.model.money import Wei
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.payer import CHAIN_ID, DEPOSIT, batch
from golem.wire.transaction import Fees, Transaction, digest, signed
from golem.wire.voucher import due_digest, seal

try:
    program()
    missing = ""
except ChainFault as why:
    missing = str(why)
pytestmark = pytest.mark.skipif(bool(missing), reason=missing)

GWEI, ETHER = 10**9, 10**18
BLOCK_S, POLL_MS = 0.05, 10
LIMIT_S = 60.0
ALICE, BOB = FixedKeyring("alice"), FixedKeyring("bob")
PAYEES = [str(BOB.account), *(f"0x{sha256(b'payee %d' % n).hexdigest()[:40]}" for n in range(6))]


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


class Town:
    """Alice, who owes, and the chain she pays on. `owed`: by payee, all ever."""

    def __init__(self, folder: Path) -> None:
        self.anvil = Anvil(0, CHAIN_ID, "--block-time", str(BLOCK_S), "--block-base-fee-per-gas", str(GWEI))
        for keys in (ALICE, BOB):
            self.anvil.fund(keys.account, 10 * ETHER)
        self.contract = Address(self.anvil.deploy())
        self.proxy = Lossy(self.anvil.rpc)
        self.folder = folder
        self.owed: dict[str, int] = {}
        self._made: list[EthereumChain] = []

    def chain(self, keys: FixedKeyring = ALICE, **changes: object) -> EthereumChain:
        """A view of the chain, made anew: what an earlier one knew is gone, as after a crash."""
        folder = self.folder / keys.node_id[:8]
        folder.mkdir(exist_ok=True)
        settings = EthereumSettings(
            rpc=self.proxy.place, contract=self.contract, chain_id=CHAIN_ID, folder=str(folder), poll_ms=POLL_MS
        )
        self._made.append(EthereumChain(reactor, keys, evolve(settings, **changes)))
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
        data = "0x" + _PAID_TO + f"{ALICE.account[2:]:0>64}{64:064x}{1:064x}{payee[2:]:0>64}"
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

    def mine(self, blocks: int = 1) -> None:
        self.anvil.ask("anvil_mine", hex(blocks))

    def stop(self) -> None:
        for one in self._made:
            one.close()
        blockon(self.proxy.stop())
        self.anvil.stop()


from golem.wire.account import keccak256  # noqa: E402

_PAID_TO = keccak256(b"paid_to(address,address[])")[:4].hex()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    try:
        blockon(made.chain().deposit("payer", DEPOSIT))
        yield made
    finally:
        made.stop()


def bounded(test: Callable[..., Coroutine[Deferred[object], object, None]]) -> Callable[..., Deferred[None]]:
    """On the reactor, and not for ever."""

    @wraps(test)
    def run(town: Town, **others: object) -> Deferred[None]:
        return Deferred.fromCoroutine(test(town, **others)).addTimeout(LIMIT_S, reactor)

    return run


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await deferLater(reactor, 0.01, lambda: None)


async def insist(work: Callable[[], Awaitable[Receipt]]) -> Receipt:
    """What the core does: ask again."""
    for _ in range(1000):
        try:
            return await work()
        except ChainFault:
            continue
    raise AssertionError("failed a thousand times")


@pytest.mark.faults
@pytest.mark.parametrize("fate", ["before", "after"])
@bounded
async def test_a_death_at_every_call_pays_once(town: Town, fate: str) -> None:
    at, asked = 0, 1
    while asked > at:
        at += 1
        totals, begin = town.owes(at, 2 * at, 3), town.proxy.asked
        town.proxy.loses = lambda n, _: fate if n == begin + at else ""  # noqa: B023 - called before the next round
        await insist(lambda: town.chain(confirmations=0, patience_s=0.0).pay(batch(totals)))  # noqa: B023
        asked = town.proxy.asked - begin
    assert at > 20, "too few calls for this to prove anything"
    await town.is_square()


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(3))
@bounded
async def test_two_fifths_of_what_is_sent_and_of_the_answers_may_be_lost(town: Town, seed: int) -> None:
    chance = Random(seed)
    lossy, good = [0.36, 0.4, 0.24], [0.9, 0.05, 0.05]  # of what arrives, two fifths are not answered

    def loses(_: int, body: bytes) -> str:
        return chance.choices(["", "before", "after"], lossy if b"eth_sendRawTransaction" in body else good)[0]

    town.proxy.loses = loses
    alice = town.chain(confirmations=1)
    for amount in (5, 7, 11):
        totals = town.owes(amount, amount)
        await insist(lambda: alice.pay(batch(totals)))  # noqa: B023
    await town.is_square()


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(2))
def test_a_payer_may_be_killed_at_any_time(town: Town, seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    (tmp_path / "killed").mkdir()
    batches = [town.owes(*(chance.randrange(1, 10**6) for _ in range(7))) for _ in range(3)]
    command = [sys.executable, "-m", "golem.testing.payer", town.anvil.rpc, town.contract, str(tmp_path / "killed")]
    for _ in range(4):
        payer = subprocess.Popen([*command, json.dumps(batches)], stdout=subprocess.DEVNULL)
        try:
            payer.wait(chance.uniform(0.8, 2.5))
        except subprocess.TimeoutExpired:
            payer.kill()
            payer.wait()
        for payee, total in town.owed.items():
            assert town.paid(payee) <= total
    last = subprocess.run([*command, json.dumps(batches)], capture_output=True, text=True, timeout=LIMIT_S, check=True)
    assert last.stdout == "done\n"
    assert {payee: town.paid(payee) for payee in town.owed} == town.owed


@pytest.mark.parametrize("depth", [2, 3])
@bounded
async def test_a_reorganisation_undoes_a_payment_and_it_is_mined_again(town: Town, depth: int) -> None:
    alice, before = town.chain(confirmations=5), town.nonce
    payment = alice.pay(batch(town.owes(300, 5)))
    await until(lambda: town.nonce > before)
    town.anvil.ask("anvil_reorg", depth, [])
    await payment
    await town.is_square()
    assert town.nonce == before + 1


@bounded
async def test_gas_may_become_a_billion_times_dearer_while_a_payment_waits(town: Town) -> None:
    town.anvil.ask("anvil_setNextBlockBaseFeePerGas", hex(7))
    town.freeze()
    town.mine()
    before = town.nonce
    payment = town.chain(confirmations=0).pay(batch(town.owes(300)))
    await until(lambda: len(town.waiting) == 1)
    first = town.waiting[0]["hash"]
    for _ in range(40):
        if town.nonce > before:
            break
        town.anvil.ask("anvil_setNextBlockBaseFeePerGas", hex(100 * GWEI))
        town.mine()
        await deferLater(reactor, 0.1, lambda: None)
    town.thaw()
    assert (await payment).tx_hash != first
    assert town.nonce == before + 1
    await town.is_square()


@bounded
async def test_a_nonce_that_another_wallet_took_is_no_trouble(town: Town) -> None:
    town.freeze()
    payment = town.chain(confirmations=0).pay(batch(town.owes(300)))
    await until(lambda: len(town.waiting) == 1)
    fees = Fees(most=1000 * GWEI, tip=100 * GWEI)
    nonce = town.nonce
    other = Transaction(chain_id=CHAIN_ID, nonce=nonce, fees=fees, gas=21_000, to=BOB.account, value=1, data=b"")
    town.anvil.ask("eth_sendRawTransaction", "0x" + signed(other, ALICE.sign_payment(digest(other))).hex())
    for _ in range(40):
        town.mine()
        await deferLater(reactor, 0.05, lambda: None)
        if payment.called:
            break
    town.thaw()
    await payment
    assert town.nonce == nonce + 2
    await town.is_square()


@bounded
async def test_a_payment_that_was_forgotten_entirely_is_not_made_twice(town: Town) -> None:
    totals = town.owes(300, 5)
    await town.chain().pay(batch(totals))
    for file in (town.folder / ALICE.node_id[:8]).iterdir():
        file.unlink()
    assert (await town.chain().pay(batch(totals))).tx_hash == ""
    await town.chain().pay(batch(town.owes(1, 1, 1)))
    await town.is_square()


@bounded
async def test_a_voucher_may_be_claimed_while_its_payment_is_on_its_way(town: Town) -> None:
    totals = town.owes(10**15, 5)
    voucher = Voucher(payer=ALICE.account, payee=BOB.account, cumulative=Wei(totals[PAYEES[0]]), due_ms=1000)
    alice, bob = town.chain(confirmations=0), town.chain(BOB, confirmations=0)
    voucher = evolve(voucher, signature=seal(ALICE.sign_payment, due_digest(alice.domain, voucher)))
    town.freeze()
    payment, claim = alice.pay(batch(totals)), bob.claim(voucher)
    await until(lambda: len(town.waiting) == 1)
    await deferLater(reactor, 0.3, lambda: None)
    town.mine(2)
    await payment
    await claim
    town.thaw()
    assert (await bob.claim(voucher)).tx_hash == "", "claimed again, it is seen to bring nothing"
    await town.is_square()


@bounded
async def test_a_node_that_forgets_its_pool_is_told_again(town: Town) -> None:
    town.freeze()
    payment = town.chain(confirmations=0).pay(batch(town.owes(300)))
    for _ in range(2):
        await until(lambda: len(town.waiting) == 1)
        town.anvil.ask("anvil_dropAllTransactions")
    await until(lambda: len(town.waiting) == 1)
    town.mine()
    await payment
    town.thaw()
    await town.is_square()


@bounded
async def test_a_payment_that_waits_keeps_no_other_from_being_sent(town: Town) -> None:
    town.freeze()
    alice = town.chain(confirmations=0)
    first = alice.pay(batch(town.owes(300)))
    await until(lambda: len(town.waiting) == 1)
    second = alice.pay(batch(town.owes(0, 5)))
    await until(lambda: len(town.waiting) == 2)
    town.mine()
    await first
    await second
    town.thaw()
    await town.is_square()


@bounded
async def test_the_chains_clock_may_jump_by_a_day(town: Town) -> None:
    payment = town.chain().pay(batch(town.owes(300)))
    town.anvil.ask("evm_increaseTime", 86_400)
    await payment
    await town.is_square()


@bounded
async def test_two_nodes_that_agree_are_as_good_as_one(town: Town) -> None:
    alice = town.chain(witness=town.anvil.rpc)
    await alice.pay(batch(town.owes(300)))
    assert (await alice.observe([BOB.account])).paid == {BOB.account: 0}
    await town.is_square()


@bounded
async def test_a_node_on_another_chain_is_found_out_and_nothing_is_signed(town: Town) -> None:
    other = Anvil(0, CHAIN_ID, "--block-time", "1")
    try:
        assert other.deploy() == town.contract
        for _ in range(2):
            other.ask("anvil_mine", hex(100))
        alice, before = town.chain(witness=other.rpc), town.nonce
        for attempt in (alice.pay(batch({PAYEES[0]: 300})), alice.observe([])):
            with pytest.raises(ChainLies, match=r"payment\.witness"):
                await attempt
        assert (town.nonce, town.waiting) == (before, [])
    finally:
        other.stop()
