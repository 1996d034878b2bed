"""The development chain: JSON-RPC as other nodes speak it, whatever is asked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest
from eth_typing import Address
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from golem.adapters.devchain.evm import CONTRACT, DevChain
from golem.adapters.devchain.rpc import MAX_CALLS, Rpc
from golem.testing.keys import FixedKeyring
from golem.wire.transaction import Fees, Transaction, digest, signed

ETHER = 10**18
GWEI = 10**9
ALICE = FixedKeyring("alice")
BOB = "0x" + "b0" * 20
START = 1_700_000_000
CODE = bytes.fromhex("60015f5260205ff3")  # answers 1


class Caller:
    """The chain by its front door. A call answers its result, or raises AssertionError with the error."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        funds = {Address(bytes.fromhex(ALICE.account[2:])): 100 * ETHER}
        self.chain = DevChain(self.clock, 1337, funds, CODE)
        self.rpc = Rpc(self.chain)

    def raw(self, form: object) -> object:
        return json.loads(self.rpc.answer(json.dumps(form).encode()))

    def __call__(self, method: str, *params: object) -> object:
        answer = self.raw({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})
        assert answer["id"] == 7
        if "error" in answer:
            raise AssertionError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def send(self, nonce: int, value: int = 1, most: int = 10 * GWEI, to: str = BOB, data: bytes = b"") -> str:
        return self("eth_sendRawTransaction", "0x" + transfer(nonce, value, most, to, data).hex())


def transfer(
    nonce: int, value: int = 1, most: int = 10 * GWEI, to: str = BOB, data: bytes = b"", chain: int = 1337
) -> bytes:
    body = Transaction(
        chain_id=chain, nonce=nonce, fees=Fees(most=most, tip=GWEI), gas=100_000, to=to, value=value, data=data
    )
    return signed(body, ALICE.sign_payment(digest(body)))


@pytest.fixture
def call() -> Caller:
    return Caller()


def test_it_starts_with_its_funds_and_its_contract(call: Caller) -> None:
    assert call("eth_chainId") == hex(1337) and call("net_version") == "1337"
    assert call("eth_blockNumber") == "0x0"
    assert call("eth_getBalance", ALICE.account, "latest") == hex(100 * ETHER)
    assert call("eth_getCode", "0x" + CONTRACT.hex(), "latest") == "0x" + CODE.hex()


def test_a_transaction_is_mined_as_it_arrives(call: Caller) -> None:
    name = call.send(0, 5)
    receipt = call("eth_getTransactionReceipt", name)
    assert (receipt["status"], receipt["blockNumber"], receipt["gasUsed"]) == ("0x1", "0x1", hex(21_000))
    block = call("eth_getBlockByNumber", "latest", False)
    assert block["transactions"] == [name] and block["hash"] == receipt["blockHash"]
    assert call("eth_getBlockByNumber", "0x1", True)["transactions"][0]["hash"] == name
    assert call("eth_getTransactionByHash", name)["from"] == ALICE.account
    assert call("eth_getBalance", BOB, "latest") == "0x5"
    fee = int(receipt["effectiveGasPrice"], 16) * 21_000
    assert call("eth_getBalance", ALICE.account, "latest") == hex(100 * ETHER - 5 - fee)
    assert call("eth_getTransactionCount", ALICE.account, "latest") == "0x1"


def test_earlier_states_stay_readable(call: Caller) -> None:
    call.send(0, 5)
    call.send(1, 5)
    assert [call("eth_getBalance", BOB, hex(number)) for number in range(3)] == ["0x0", "0x5", "0xa"]


def test_transactions_wait_for_the_nonces_before_them(call: Caller) -> None:
    late = call.send(1)
    assert call("eth_getTransactionReceipt", late) is None
    assert call("eth_getTransactionByHash", late)["blockNumber"] is None
    early = call.send(0)
    receipts = [call("eth_getTransactionReceipt", name) for name in (early, late)]
    assert [receipt["transactionIndex"] for receipt in receipts] == ["0x0", "0x1"]
    assert [receipt["gasUsed"] for receipt in receipts] == [hex(21_000)] * 2


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (transfer(0), "already known"),
        (transfer(0, value=2), "nonce too low"),
        (transfer(1, value=200 * ETHER), "insufficient funds for gas"),
        (transfer(1, chain=1), "invalid chain id"),
        (b"\x02\xc0", "invalid transaction"),
        (b"", "invalid transaction"),
        (transfer(1)[:-1], "invalid transaction"),
    ],
)
def test_a_transaction_that_can_not_be_is_refused_in_the_words_of_other_nodes(
    call: Caller, raw: bytes, words: str
) -> None:
    call.send(0)
    with pytest.raises(AssertionError, match=words):
        call("eth_sendRawTransaction", "0x" + raw.hex())


def test_a_waiting_transaction_is_replaced_only_for_a_tenth_more(call: Caller) -> None:
    call("evm_setAutomine", False)
    call.send(0, most=10 * GWEI)
    with pytest.raises(AssertionError, match="underpriced"):
        call.send(0, value=2, most=11 * GWEI)


def test_a_reverted_call_says_why(call: Caller) -> None:
    words = bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (5).to_bytes(32, "big") + b"short".ljust(32, b"\0")
    deploy = b"".join(
        b"\x7f" + words[i : i + 32].ljust(32, b"\0") + b"\x60" + bytes([i]) + b"\x52" for i in range(0, 128, 32)
    )
    code = deploy + bytes.fromhex("60645ffd")
    call.chain = DevChain(call.clock, 1337, {}, code)
    call.rpc = Rpc(call.chain)
    with pytest.raises(AssertionError, match="execution reverted: short"):
        call("eth_call", {"to": "0x" + CONTRACT.hex(), "data": "0x"}, "latest")


def test_a_call_answers_and_changes_nothing(call: Caller) -> None:
    assert call("eth_call", {"to": "0x" + CONTRACT.hex()}, "latest") == "0x" + "00" * 31 + "01"
    assert call("eth_blockNumber") == "0x0"
    needed = int(call("eth_estimateGas", {"from": ALICE.account, "to": "0x" + CONTRACT.hex()}), 16)
    assert 21_000 < needed < 50_000


def test_block_times_are_the_worlds_however_fast_blocks_come(call: Caller) -> None:
    for _ in range(20):
        call("evm_mine")
        call.clock.advance(0.1)
    times = [int(call("eth_getBlockByNumber", hex(number), False)["timestamp"], 16) for number in range(21)]
    assert times == sorted(times) and times[-1] - START <= 2


def test_empty_blocks_lower_the_base_fee_and_keep_the_gas_limit(call: Caller) -> None:
    for _ in range(10):
        call("evm_mine")
    history = call("eth_feeHistory", hex(5), "latest", [50])
    fees = [int(fee, 16) for fee in history["baseFeePerGas"]]
    assert len(history["reward"]) == 5 and fees == sorted(fees, reverse=True)
    assert call("eth_getBlockByNumber", "latest", False)["gasLimit"] == hex(30_000_000)


def test_a_reverted_chain_has_forgotten(call: Caller) -> None:
    name = call.send(0)
    call("evm_revert", "0x0")
    assert call("eth_getTransactionReceipt", name) is None and call("eth_getBalance", BOB) == "0x0"
    assert call.send(0) == name


def test_the_faucet_gives(call: Caller) -> None:
    for _ in range(2):
        call("golem_fund", BOB, hex(3 * ETHER))
    assert call("eth_getBalance", BOB) == hex(6 * ETHER)


def test_a_batch_is_answered_in_order_and_has_a_bound(call: Caller) -> None:
    asked = [
        {"id": number, "method": method} for number, method in enumerate(["eth_chainId", "nix", "eth_blockNumber"])
    ]
    answers = call.raw([*asked, 7])
    assert [answer["id"] for answer in answers] == [0, 1, 2, None]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32601, None, -32600]
    assert call.raw(asked[:1] * (MAX_CALLS + 1))["error"]["code"] == -32600
    assert call.raw([])["error"]["code"] == -32600


METHODS = st.sampled_from(sorted(Rpc(Caller().chain)._methods))
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=70)
    | st.binary(max_size=33).map(lambda b: "0x" + b.hex())
)
JSON = st.recursive(
    LEAVES,
    lambda x: (
        st.lists(x, max_size=3)
        | st.dictionaries(st.sampled_from(["from", "to", "data", "value", "gas"]), x, max_size=4)
    ),
    max_leaves=8,
)
SHARED = Caller()


@given(METHODS, JSON | st.lists(JSON, max_size=3))
def test_nonsense_is_answered_by_an_error_and_nothing_worse(method: str, params: object) -> None:
    answer = SHARED.raw({"id": 1, "method": method, "params": params})
    assert ("error" in answer) != ("result" in answer)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_json_are_answered_by_an_error(data: bytes) -> None:
    answer = json.loads(SHARED.rpc.answer(data))
    assert answer == [] or "error" in answer, "an empty batch has no answers"


def test_code_that_never_ends_is_stopped_by_its_gas(call: Caller) -> None:
    chain = DevChain(call.clock, 1337, {}, bytes.fromhex("5b5f56"))
    call.rpc = Rpc(chain)
    with pytest.raises(AssertionError):
        call("eth_call", {"to": "0x" + CONTRACT.hex(), "gas": hex(100_000)}, "latest")


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[bytes], dict[str, object]]]:
    command = [sys.executable, "-m", "golem.adapters.devchain", "--port", "0", "--block", "0.1"]
    command += ["--chain-id", "99", "--fund", f"{ALICE.account}=2.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout
        yield running, json.loads(running.stdout.readline())
        running.terminate()


def test_as_a_process_it_says_where_it_is_and_ends_when_told(process: tuple[subprocess.Popen[bytes], dict]) -> None:
    running, place = process
    assert place["contract"] == "0x" + CONTRACT.hex() and place["chain_id"] == 99
    asked = json.dumps([{"id": 1, "method": "eth_getBalance", "params": [ALICE.account]}]).encode()
    with urllib.request.urlopen(place["rpc"], asked, timeout=10) as answer:
        assert json.load(answer)[0]["result"] == hex(5 * ETHER // 2)
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) in (0, -signal.SIGTERM)
