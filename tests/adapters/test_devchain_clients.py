"""The development chain, judged by clients that others wrote: web3 and eth-account."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import cast
from urllib.parse import urlsplit

import pytest
from eth_account import Account as Wallet
from eth_account.signers.local import LocalAccount
from eth_typing import Address
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractLogicError, Web3RPCError

from golem.adapters.devchain.evm import CONTRACT, GENESIS_BASE_FEE, MAX_POOL, DevChain
from golem.adapters.devchain.rpc import Rpc

CHAIN_ID = 1337
ETHER = 10**18
START_S = 20.0
ALICE: LocalAccount = Wallet.from_key(b"\x01" * 32)
BOB: LocalAccount = Wallet.from_key(b"\x02" * 32)
ARTEFACT = json.loads((files("golem.adapters") / "pairbank.json").read_text())
CODE = bytes.fromhex(ARTEFACT["runtime"].removeprefix("0x"))
Json = dict[str, object]


class Node:
    """A chain without a network. `clock`: in seconds, as the blocks have it."""

    def __init__(self, wallet: int = 100 * ETHER) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.chain = DevChain(self.clock, CHAIN_ID, {_raw(ALICE): wallet}, CODE)
        self.rpc = Rpc(self.chain)

    def answer(self, method: str, *params: object) -> Json:
        asked = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        answer = cast(Json, json.loads(self.rpc.answer(json.dumps(asked).encode())))
        assert answer["jsonrpc"] == "2.0" and answer["id"] == 7
        return answer

    def ask(self, method: str, *params: object) -> object:
        return self.answer(method, *params)["result"]

    def error(self, method: str, *params: object) -> tuple[int, str]:
        error = cast(Json, self.answer(method, *params)["error"])
        return cast(int, error["code"]), str(error["message"])

    def send(self, **changes: object) -> Json:
        return self.answer("eth_sendRawTransaction", transfer(**changes))

    def block(self) -> Json:
        return cast(Json, self.ask("eth_getBlockByNumber", "latest", False))


def transfer(signer: LocalAccount = ALICE, **changes: object) -> str:
    """A signed transfer of one wei to Bob, made by eth-account."""
    fields = {
        "type": 2,
        "chainId": CHAIN_ID,
        "nonce": 0,
        "to": BOB.address,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 4 * GENESIS_BASE_FEE,
        "maxPriorityFeePerGas": 1,
    }
    return "0x" + signer.sign_transaction(fields | changes).raw_transaction.hex()


def _raw(account: LocalAccount) -> Address:
    return Address(bytes.fromhex(account.address[2:]))


@pytest.fixture
def node() -> Node:
    return Node()


def test_a_fee_is_what_its_receipt_says(node: Node) -> None:
    receipt = cast(Json, node.ask("eth_getTransactionReceipt", node.send()["result"]))
    price = int(str(receipt["effectiveGasPrice"]), 16)
    assert price == int(str(node.block()["baseFeePerGas"]), 16) + 1
    left = int(str(node.ask("eth_getBalance", ALICE.address, "latest")), 16)
    assert left == 100 * ETHER - 1 - 21_000 * price


def test_who_offers_less_than_the_base_fee_waits_until_it_falls(node: Node) -> None:
    node.ask("anvil_setNextBlockBaseFeePerGas", hex(100 * GENESIS_BASE_FEE))
    name = node.send(maxFeePerGas=2 * GENESIS_BASE_FEE)["result"]
    assert node.ask("eth_getTransactionReceipt", name) is None
    node.ask("anvil_setNextBlockBaseFeePerGas", hex(GENESIS_BASE_FEE))
    node.ask("evm_mine")
    assert node.ask("eth_getTransactionReceipt", name) is not None


def test_the_pool_refuses_rather_than_grows(node: Node) -> None:
    node.ask("evm_setAutomine", False)
    raw = transfer()
    waiting = node.chain._decode(bytes.fromhex(raw[2:]))
    node.chain.pool = {(_raw(BOB), nonce): waiting for nonce in range(MAX_POOL)}
    assert node.error("eth_sendRawTransaction", raw) == (-32000, "txpool is full")


def test_an_estimate_is_enough(node: Node) -> None:
    deposit = Web3().eth.contract(abi=ARTEFACT["abi"]).encode_abi("deposit")
    to = Web3.to_checksum_address(CONTRACT)
    message = {"from": ALICE.address, "to": to, "value": "0x5", "data": deposit}
    gas = int(str(node.ask("eth_estimateGas", message, "latest")), 16)
    receipt = node.ask("eth_getTransactionReceipt", node.send(to=to, value=5, data=deposit, gas=gas)["result"])
    used = int(str(cast(Json, receipt)["gasUsed"]), 16)
    assert cast(Json, receipt)["status"] == "0x1" and used <= gas <= used + 21_000


def test_the_fee_history_ends_with_the_next_blocks_fee(node: Node) -> None:
    for nonce in range(3):
        node.send(nonce=nonce)
    history = cast(Json, node.ask("eth_feeHistory", "0x2", "latest", [50]))
    fees = cast(list[str], history["baseFeePerGas"])
    assert (history["oldestBlock"], len(fees), len(cast(list[object], history["reward"]))) == ("0x2", 3, 2)
    assert fees[1] == node.block()["baseFeePerGas"]
    node.ask("evm_mine")
    assert fees[2] == node.block()["baseFeePerGas"], "as whoever makes an offer for the next block must know"


SHARED = Node()
METHODS = sorted(SHARED.rpc._methods)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1 << 70) | st.text(max_size=8)
    | st.sampled_from(["latest", "0x0", "0x1", BOB.address, "0x" + "ff" * 32, transfer()]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "to", "data", "x"]), inner),
    max_leaves=6,
)  # fmt: skip


@given(st.sampled_from(METHODS), st.lists(VALUES, max_size=3) | VALUES)
def test_any_parameters_are_answered_and_nothing_worse(method: str, params: object) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = json.loads(SHARED.rpc.answer(json.dumps(asked).encode()))
    assert ("result" in answer) != ("error" in answer)


# the process


@contextmanager
def served(*arguments: str) -> Iterator[Json]:
    """The program, and what it says first."""
    command = [sys.executable, "-m", "golem.adapters.devchain", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            yield cast(Json, json.loads(program.stdout.readline()))
        finally:
            program.kill()


@pytest.fixture(scope="module")
def place() -> Iterator[Json]:
    with served("--block", "0.05", "--fund", f"{ALICE.address}=100") as place:
        yield place


def connected(place: Json) -> Web3:
    return Web3(HTTPProvider(str(place["rpc"]), {"timeout": 10.0}))


@pytest.mark.integration
def test_web3_reads_and_writes_the_chain_of_a_process(place: Json) -> None:
    w3 = connected(place)
    assert w3.is_connected() and w3.eth.chain_id == place["chain_id"] == CHAIN_ID
    assert w3.eth.get_balance(ALICE.address) == 100 * ETHER
    bank = w3.eth.contract(Web3.to_checksum_address(str(place["contract"])), abi=ARTEFACT["abi"])
    call = bank.functions.deposit().build_transaction({"from": ALICE.address, "value": 9, "nonce": 0})
    name = w3.eth.send_raw_transaction(ALICE.sign_transaction(call).raw_transaction)
    receipt = w3.eth.wait_for_transaction_receipt(name, timeout=10)
    assert receipt["status"] == 1
    (event,) = bank.events.Deposited().process_receipt(receipt)
    assert (event["args"]["payer"], event["args"]["amount"]) == (ALICE.address, 9)
    assert bank.functions.free(ALICE.address).call() == 9
    with pytest.raises(ContractLogicError, match="short"):
        bank.functions.withdraw_own(10).call({"from": ALICE.address})
    with pytest.raises(Web3RPCError, match="nonce too low"):
        w3.eth.send_raw_transaction(ALICE.sign_transaction({**call, "value": 10}).raw_transaction)
    assert w3.eth.get_transaction(name)["blockHash"] == w3.eth.get_block(receipt["blockNumber"])["hash"]


@pytest.mark.integration
def test_a_request_without_end_is_refused(place: Json) -> None:
    where = urlsplit(str(place["rpc"]))
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=10)
    connection.request("POST", "/", b"[" * ((1 << 20) + 1))
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.integration
def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "golem.adapters.devchain", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
    assert ended.returncode != 0 and port in ended.stderr


@pytest.mark.integration
@pytest.mark.parametrize("fund", ["0x12=1", "x=1", f"{ALICE.address}=much", ALICE.address])
def test_a_fund_that_makes_no_sense_is_refused(fund: str) -> None:
    command = [sys.executable, "-m", "golem.adapters.devchain", "--port", "0", "--fund", fund]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
    assert ended.returncode == 2 and "is not ACCOUNT=ETHER" in ended.stderr
