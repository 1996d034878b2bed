"""JSON-RPC's forms: what callers send, checked; what they get, in the hexadecimal that Ethereum writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from eth.abc import SignedTransactionAPI
from eth_typing import Address

from golem.adapters.devchain.evm import GAS_LIMIT, Message, Mined, base_fee

Json = object
NOBODY = Address(bytes(20))


def quantity(number: int) -> str:
    """A number, as Ethereum writes it."""
    return hex(number)


def text(data: bytes) -> str:
    """Bytes, as Ethereum writes them."""
    return "0x" + data.hex()


class Wanted(NamedTuple):
    """Which events: of blocks `first` to `last`, by these contracts, with these topics; empty: any."""

    first: int
    last: int
    contracts: Sequence[bytes]
    topics: Sequence[Sequence[bytes]]

    def has(self, contract: bytes, topics: Sequence[bytes]) -> bool:
        """Whether an event is wanted."""
        return (not self.contracts or contract in self.contracts) and (
            len(topics) >= len(self.topics)
            and all(not any_of or topic in any_of for any_of, topic in zip(self.topics, topics, strict=False))
        )


class Params:
    """The parameters of one call, by position. Each reader raises ValueError."""

    def __init__(self, given: Json) -> None:
        if not isinstance(given, list):
            raise ValueError("params must be a list")
        self._given: list[Json] = given

    def __getitem__(self, index: int) -> Json:
        if index >= len(self._given):
            raise ValueError(f"missing value for required argument {index}")
        return self._given[index]

    def flag(self, index: int) -> bool:
        """A Boolean; False where it is left out."""
        return bool(self._given[index]) if index < len(self._given) else False

    def number(self, index: int) -> int:
        """A quantity."""
        return _number(self[index])

    def data(self, index: int, size: int | None = None) -> bytes:
        """Bytes, `size` of them."""
        return _data(self[index], size)

    def address(self, index: int) -> Address:
        """An account."""
        return Address(_data(self[index], 20))

    def block(self, index: int, head: int) -> int:
        """A block's number, by number or name; the head where it is left out."""
        given = self._given[index] if index < len(self._given) else "latest"
        if given in ("latest", "pending", "safe", "finalized"):
            return head
        number = 0 if given == "earliest" else _number(given)
        if number > head:
            raise ValueError(f"unknown block {number}: the head is {head}")
        return number

    def logs(self, index: int, head: int) -> Wanted:
        """What eth_getLogs is asked for. A range that ends past the head ends there."""
        given = self[index]
        if not isinstance(given, dict):
            raise ValueError("a filter is an object")
        topics = given.get("topics") or []
        if not isinstance(topics, list):
            raise ValueError("topics must be a list")
        first, last = (Params([given.get(name) or "latest"]).block(0, head) for name in ("fromBlock", "toBlock"))
        return Wanted(first, last, _any_of(given.get("address"), 20), [_any_of(topic, 32) for topic in topics])

    def message(self, index: int) -> Message:
        """A call that is only tried."""
        given = self[index]
        if not isinstance(given, dict):
            raise ValueError("a call is an object")
        return Message(
            sender=Address(_data(given["from"], 20)) if given.get("from") else NOBODY,
            to=Address(_data(given["to"], 20)) if given.get("to") else Address(b""),
            value=_number(given.get("value", "0x0")),
            data=_data(given.get("input") or given.get("data") or "0x"),
            gas=min(_number(given.get("gas") or hex(GAS_LIMIT)), GAS_LIMIT),
        )


def _number(given: Json) -> int:
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        raise ValueError(f"not a quantity: {given!r:.80}")
    number = given if isinstance(given, int) else int(given, 16)
    if not 0 <= number < 2**256:
        raise ValueError(f"out of range: {given!r:.80}")
    return number


def _data(given: Json, size: int | None = None) -> bytes:
    if not isinstance(given, str) or not given.startswith("0x"):
        raise ValueError(f"not hexadecimal data: {given!r:.80}")
    data = bytes.fromhex(given[2:])
    if size is not None and len(data) != size:
        raise ValueError(f"{size} bytes expected, and {len(data)} came")
    return data


def _any_of(given: Json, size: int) -> Sequence[bytes]:
    """What fits: one of a list, or one; none is any."""
    if given is None:
        return []
    return [_data(one, size) for one in (given if isinstance(given, list) else [given])]


def block_form(mined: Mined, *, full: bool) -> Mapping[str, Json]:
    """A block with its transactions, in full or by hash."""
    header, number = mined.header, mined.header.block_number
    bodies = [transaction_form(t, mined, index) for index, t in enumerate(mined.transactions)]
    return {
        "number": quantity(number),
        "hash": text(header.hash),
        "parentHash": text(header.parent_hash),
        "timestamp": quantity(header.timestamp),
        "baseFeePerGas": quantity(base_fee(header)),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "miner": text(header.coinbase),
        "stateRoot": text(header.state_root),
        "transactionsRoot": text(header.transaction_root),
        "receiptsRoot": text(header.receipt_root),
        "sha3Uncles": text(header.uncles_hash),
        "nonce": text(header.nonce),
        "difficulty": quantity(header.difficulty),
        "extraData": text(header.extra_data),
        "uncles": [],
        "transactions": bodies if full else [text(t.hash) for t in mined.transactions],
    }


def transaction_form(transaction: SignedTransactionAPI, mined: Mined | None, index: int) -> Mapping[str, Json]:
    """A transaction; `mined`: its block, None while it waits."""
    return {
        "hash": text(transaction.hash),
        "type": quantity(transaction.type_id or 0),
        "chainId": quantity(transaction.chain_id or 0),
        "nonce": quantity(transaction.nonce),
        "from": text(transaction.sender),
        "to": text(transaction.to) if transaction.to else None,
        "value": quantity(transaction.value),
        "gas": quantity(transaction.gas),
        "gasPrice": quantity(transaction.max_fee_per_gas),
        "maxFeePerGas": quantity(transaction.max_fee_per_gas),
        "maxPriorityFeePerGas": quantity(transaction.max_priority_fee_per_gas),
        "input": text(transaction.data),
        "v": quantity(transaction.y_parity),
        "r": quantity(transaction.r),
        "s": quantity(transaction.s),
        "blockHash": text(mined.header.hash) if mined else None,
        "blockNumber": quantity(mined.header.block_number) if mined else None,
        "transactionIndex": quantity(index) if mined else None,
    }


def receipt_form(mined: Mined, index: int, created: bytes | None) -> Mapping[str, Json]:
    """What became of a transaction. `created`: the contract it made."""
    transaction, receipt, base = mined.transactions[index], mined.receipts[index], base_fee(mined.header)
    before = mined.receipts[index - 1].gas_used if index else 0
    place = _place(mined, index)
    price = min(transaction.max_fee_per_gas, base + transaction.max_priority_fee_per_gas)
    return {
        **place,
        "type": quantity(transaction.type_id or 0),
        "from": text(transaction.sender),
        "to": text(transaction.to) if transaction.to else None,
        "contractAddress": text(created) if created else None,
        "status": quantity(int(receipt.state_root == b"\x01")),
        "cumulativeGasUsed": quantity(receipt.gas_used),
        "gasUsed": quantity(receipt.gas_used - before),
        "effectiveGasPrice": quantity(price),
        "logsBloom": text(receipt.bloom.to_bytes(256, "big")),
        "logs": _logs(mined, index),
    }


def logs_form(mined: Mined, wanted: Wanted) -> Sequence[Json]:
    """The events of a block that are wanted."""
    return [
        form
        for index, receipt in enumerate(mined.receipts)
        for form, log in zip(_logs(mined, index), receipt.logs, strict=True)
        if wanted.has(log.address, [topic.to_bytes(32, "big") for topic in log.topics])
    ]


def _place(mined: Mined, index: int) -> Mapping[str, Json]:
    return {
        "transactionHash": text(mined.transactions[index].hash),
        "transactionIndex": quantity(index),
        "blockHash": text(mined.header.hash),
        "blockNumber": quantity(mined.header.block_number),
    }


def _logs(mined: Mined, index: int) -> Sequence[Mapping[str, Json]]:
    place, first = _place(mined, index), sum(len(receipt.logs) for receipt in mined.receipts[:index])
    return [
        {
            **place,
            "address": text(log.address),
            "topics": [text(topic.to_bytes(32, "big")) for topic in log.topics],
            "data": text(log.data),
            "logIndex": quantity(first + number),
            "removed": False,
        }
        for number, log in enumerate(mined.receipts[index].logs)
    ]
