"""Payments survive what goes wrong: lost requests, crashes, undone blocks, dear gas, other programs with our key."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import wraps
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from golem.adapters.ethereum import EthereumChain, EthereumSettings
from golem.errors import ChainFault, NotEnoughFunds
from golem.model.chain import Batch, Receipt, Word
from golem.model.ids import Address, BatchId, derive
from golem.model.money import Wei
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.live_chain import CHAIN_ID, LiveChain
from golem.wire.transaction import Fees, Transaction, digest, signed

ETHER = 10**18
GWEI = 10**9
BLOCK_S, POLL_MS = 0.03, 10
LIMIT_S = 60.0
LOOK = 5  # requests in one look at the chain
CONNECTING = 3  # requests before the first that is about a payment
MORTAL = {"confirmations": 0, "patience_s": 0.0}  # whoever is like that dies after each look, and is made anew
BOB = Address("0x" + "b0" * 20)
ALICE = FixedKeyring("alice")


class Net:
    """Alice, and the chain she pays on."""

    def __init__(self, folder: Path) -> None:
        self.live = LiveChain(reactor, {ALICE.account: ETHER}, BLOCK_S)
        self.settings = EthereumSettings(
            rpc=self.live.rpc, contract=self.live.contract, chain_id=CHAIN_ID, folder=str(folder), poll_ms=POLL_MS
        )
        self._made: list[EthereumChain] = []

    @property
    def chain(self):  # type: ignore[no-untyped-def]  # py-evm's types stay in the adapter
        return self.live.chain

    def alice(self, **changes: object) -> EthereumChain:
        """Alice's view of the chain, made anew: what an earlier one knew is gone, as after a crash."""
        self._made.append(EthereumChain(reactor, ALICE, evolve(self.settings, **changes)))
        return self._made[-1]

    @property
    def sent(self) -> int:
        """How many of Alice's transactions are mined."""
        return self.live.nonce(ALICE.account)

    def stop(self) -> None:
        """End everything."""
        for one in self._made:
            one.close()
        blockon(self.live.stop())


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    made = Net(tmp_path)
    yield made
    made.stop()


def bounded(test: Callable[..., Coroutine[Deferred[object], object, None]]) -> Callable[..., Deferred[None]]:
    """On the reactor, and not for ever."""

    @wraps(test)
    def run(net: Net, **others: object) -> Deferred[None]:
        return Deferred.fromCoroutine(test(net, **others)).addTimeout(LIMIT_S, reactor)

    return run


def batch(total: int, name: str = "one") -> Batch:
    return Batch(batch_id=BatchId(derive("test", name)), words=(Word(payee=BOB, cumulative=Wei(total)),))


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await deferLater(reactor, 0.005, lambda: None)


async def waiting(net: Net) -> None:
    """Until a payment that was begun just now has been sent, to a chain that makes no more blocks."""
    net.live.pause()
    net.chain.automine = False
    await until(lambda: len(net.chain.pool) == 1)


async def free(net: Net) -> int:
    net.live.outage.begin(0, is_heard=False)
    return (await net.alice(confirmations=0).observe([])).funds.free


async def insist(work: Callable[[], Awaitable[Receipt]]) -> Receipt:
    """What the core does: ask again."""
    for _ in range(200):
        try:
            return await work()
        except ChainFault:
            continue
    raise AssertionError("failed 200 times")


@pytest.mark.faults
@pytest.mark.parametrize("is_heard", [False, True], ids=["before", "after"])
@bounded
async def test_a_crash_at_any_request_deposits_once(net: Net, is_heard: bool) -> None:
    at = 0
    while net.live.outage.asked >= at:
        at += 1
        net.live.outage.begin(at, is_heard=is_heard)
        await insist(lambda: net.alice(**MORTAL).deposit(f"key {at}", Wei(100)))  # noqa: B023 - awaited here
        assert net.sent == at, f"request {at} lost"
    assert at > 20, "too few requests for this to prove anything"
    assert await free(net) == 100 * at


@pytest.mark.faults
@bounded
async def test_a_crash_at_any_request_pays_once(net: Net) -> None:
    await net.alice().deposit("first", Wei(ETHER // 2))
    at = CONNECTING
    while net.live.outage.asked >= at:
        at += 1
        net.live.outage.begin(at, is_heard=True)
        work = batch(100 * at, f"batch {at}")
        receipt = await insist(lambda: net.alice(**MORTAL).pay(work))  # noqa: B023 - awaited here
        assert receipt.tx_hash and net.sent == 1 + at - CONNECTING
    assert at > 20, "too few requests for this to prove anything"
    assert await free(net) == ETHER // 2 - 100 * at


@bounded
async def test_what_is_signed_is_on_disk_before_it_is_sent(net: Net) -> None:
    net.chain.automine = True
    heard: list[bytes] = []
    taken = net.chain.add

    def add(raw: bytes) -> bytes:
        files = b"".join(path.read_bytes() for path in Path(net.settings.folder).iterdir())
        assert raw in files
        heard.append(raw)
        return taken(raw)

    net.chain.add = add
    await net.alice().deposit("first", Wei(100))
    assert heard


@bounded
async def test_a_payment_is_done_when_deep_enough_and_no_sooner(net: Net) -> None:
    net.live.pause()
    deposit = net.alice(confirmations=3).deposit("first", Wei(100))
    await until(lambda: net.sent == 1)
    for _ in range(3):
        net.live.outage.begin(0, is_heard=False)
        await until(lambda: net.live.outage.asked >= 3 * LOOK)
        assert not deposit.called
        net.chain.mine()
    assert (await deposit).block + 3 == len(net.chain.blocks) - 1


@bounded
async def test_an_undone_block_is_mined_again_and_pays_once(net: Net) -> None:
    alice = net.alice(confirmations=8)
    await alice.deposit("first", Wei(1000))
    before = len(net.chain.blocks) - 1
    payment = alice.pay(batch(300))
    for _ in range(2):
        await until(lambda: net.sent == 2)
        net.chain.revert(before)
        assert net.sent == 1
    await payment
    assert net.sent == 2
    assert await free(net) == 700


@bounded
async def test_an_undone_deposit_stays_one_deposit(net: Net) -> None:
    alice = net.alice(confirmations=8)
    before = len(net.chain.blocks) - 1
    deposit = alice.deposit("first", Wei(300))
    await until(lambda: net.sent == 1)
    net.chain.revert(before)
    await deposit
    assert (net.sent, await free(net)) == (1, 300)


@bounded
async def test_a_payment_that_offers_too_little_is_raised_at_its_nonce(net: Net) -> None:
    alice = net.alice()
    await alice.deposit("first", Wei(1000))
    payment = alice.pay(batch(300))
    await waiting(net)
    ((first, nonce),) = [(t.hash, t.nonce) for t in net.chain.pool.values()]
    net.chain.next_base_fee = 50 * GWEI
    net.live.resume()
    receipt = await payment
    assert receipt.tx_hash != "0x" + first.hex()
    assert (net.sent, nonce) == (2, 1)
    assert await free(net) == 700


@bounded
async def test_a_nonce_that_another_program_took_is_replaced_by_the_next(net: Net) -> None:
    alice = net.alice()
    await alice.deposit("first", Wei(1000))
    payment = alice.pay(batch(300))
    await waiting(net)
    other = Transaction(
        chain_id=CHAIN_ID,
        nonce=1,
        fees=Fees(most=100 * GWEI, tip=10 * GWEI),
        gas=21_000,
        to=BOB,
        value=1,
        data=b"",
    )
    net.chain.add(signed(other, ALICE.sign_payment(digest(other))))
    net.live.resume()
    await payment
    assert net.sent == 3
    assert await free(net) == 700


class Late(dict[bytes, tuple[int, int]]):
    """Where transactions are, for a node that finds receipts late."""

    looks = 6

    def get(self, key: bytes, default: object = None) -> object:  # type: ignore[override]  # as the chain calls it
        self.looks -= 1
        return default if self.looks >= 0 else super().get(key)


@bounded
async def test_a_receipt_that_comes_late_is_waited_for(net: Net) -> None:
    net.live.pause()
    net.chain.places = Late()
    alice = net.alice(confirmations=0)
    await alice.deposit("first", Wei(300))
    net.live.resume()
    assert net.chain.places.looks < 0
    assert (net.sent, (await alice.observe([])).funds.free) == (1, 300)


@bounded
async def test_a_payment_waits_behind_one_that_is_stuck_and_frees_it(net: Net) -> None:
    await net.alice().deposit("first", Wei(1000))
    given_up = net.alice().pay(batch(300, "one"))
    await waiting(net)
    given_up.addErrback(lambda _: None)
    given_up.cancel()
    net.chain.pool.clear()
    net.live.resume()
    await net.alice().pay(batch(500, "two"))
    assert net.sent == 3
    assert await free(net) == 500


@bounded
async def test_a_batch_that_is_short_costs_no_gas(net: Net) -> None:
    await net.alice().deposit("first", Wei(100))
    with pytest.raises(NotEnoughFunds, match="make a deposit"):
        await net.alice().pay(batch(101))
    assert net.sent == 1


@bounded
async def test_what_the_chain_has_is_not_paid_again_though_we_forgot(net: Net) -> None:
    await net.alice().deposit("first", Wei(100))
    paid = await net.alice().pay(batch(60))
    for file in Path(net.settings.folder).iterdir():
        file.unlink()
    again = await net.alice().pay(batch(60))
    assert (again.tx_hash, again.gas_used, net.sent) == ("", 0, 2)
    assert paid.tx_hash


@bounded
async def test_nothing_is_sent_while_gas_is_dearer_than_allowed(net: Net) -> None:
    net.chain.next_base_fee = 50 * GWEI
    net.chain.mine()
    with pytest.raises(ChainFault, match="wait"):
        await net.alice(most_gwei=1).deposit("first", Wei(1000))
    assert net.sent == 0


@bounded
async def test_a_wallet_without_ether_for_gas_says_where_to_send_some(net: Net) -> None:
    with pytest.raises(ChainFault, match=f"{ALICE.account}.*send it ether"):
        await net.alice().deposit("first", Wei(ETHER))


@bounded
async def test_another_chain_is_refused_and_both_are_named(net: Net) -> None:
    with pytest.raises(ChainFault, match=r"chain 1337.*payment.chain_id is 1"):
        await net.alice(chain_id=1).observe([])


@bounded
async def test_another_contract_is_refused(net: Net) -> None:
    with pytest.raises(ChainFault, match=f"no PairBank .* at {BOB}"):
        await net.alice(contract=BOB).observe([])


@bounded
async def test_a_node_that_is_away_is_named_and_found_again(net: Net) -> None:
    alice = net.alice()
    with pytest.raises(ChainFault, match=r"http://127.0.0.1:1 failed"):
        await net.alice(rpc="http://127.0.0.1:1").observe([])
    net.live.outage.begin(1, is_heard=False)
    with pytest.raises(ChainFault, match=net.live.rpc):
        await alice.observe([])
    assert (await alice.observe([])).funds.wallet == ETHER


@bounded
async def test_a_sighting_lags_by_the_confirmations(net: Net) -> None:
    net.live.pause()
    for _ in range(10):
        net.chain.mine()
    head = len(net.chain.blocks) - 1
    assert [(await net.alice(confirmations=depth).observe([])).block for depth in (0, 3, 9)] == [
        head,
        head - 3,
        head - 9,
    ]
    assert (await net.alice(confirmations=head + 5).observe([])).block == 0


@bounded
async def test_a_thousand_payers_are_seen_at_once(net: Net) -> None:
    payers = [Address(f"0x{number:040x}") for number in range(1, 1001)]
    assert (await net.alice().observe(payers)).paid == dict.fromkeys(payers, Wei(0))


@bounded
async def test_who_asks_after_the_end_is_told_so(net: Net) -> None:
    alice = net.alice()
    await alice.observe([])
    alice.close()
    with pytest.raises(ChainFault, match="stops"):
        await alice.observe([])


def test_a_chain_that_is_never_asked_imports_no_web3() -> None:
    program = (
        "import sys; from golem.adapters.ethereum import EthereumChain, EthereumSettings;"
        "from golem.testing.keys import FixedKeyring; from twisted.internet import reactor;"
        "EthereumChain(reactor, FixedKeyring('a'), EthereumSettings(rpc='', contract='', chain_id=1, folder=''));"
        "print('web3' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False\n"
