"""The only importer of web3. Everything here blocks, so it is called in threads; web3 is imported by the first call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, cast

from golem.errors import ChainFault
from golem.model.chain import Batch, Funds, Receipt, Sighting
from golem.model.ids import Address
from golem.model.money import Wei
from golem.model.value import Value
from golem.wire.transaction import word

if TYPE_CHECKING:
    from eth_typing import HexStr
    from web3.types import TxReceipt

CONNECT_S, ANSWER_S = 3.0, 10.0  # an Ethereum node that takes longer is no use to us
MAX_ASKED = 500  # pairs in one call: the contract takes 600
TIP_BLOCKS = 10


class Head(Value):
    """The chain's latest block and what our account is there. `nonce`: of the next transaction; `wallet`: in wei."""

    block: int
    base_fee: int
    tips: tuple[int, ...]
    nonce: int
    wallet: int


class Books(Value):
    """What the contract holds of a payer at the latest block: its free wei, and by payee all it has ever paid."""

    free: int
    paid: dict[Address, int]


class Client:
    """One Ethereum node and the contract on it. Every method raises ChainFault."""

    def __init__(self, rpc: str, contract: Address, chain_id: int) -> None:
        from web3 import HTTPProvider, Web3
        from web3.exceptions import TransactionNotFound, Web3Exception, Web3RPCError
        from web3.middleware import ExtraDataToPOAMiddleware

        # A node's odd answer can be of any shape: web3 lets these pass.
        self._faults = (Web3Exception, OSError, ValueError, TypeError, KeyError, AttributeError)
        self._checked = Web3.to_checksum_address
        self._unknown, self._answered = TransactionNotFound, Web3RPCError
        self._rpc = rpc
        # Without retries of its own: whoever asks decides, and asks again.
        wire = HTTPProvider(rpc, {"timeout": (CONNECT_S, ANSWER_S)}, exception_retry_configuration=None)
        self._web3 = Web3(wire)
        self._web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        made = json.loads((files("golem.adapters") / "pairbank.json").read_text())
        self._contract = self._web3.eth.contract(self._checked(contract), abi=made["abi"])
        with self._translated():
            found = self._web3.eth.chain_id
            code = self._web3.eth.get_code(self._checked(contract))
            self.genesis = self._web3.eth.get_block(0)["hash"].hex()
        if found != chain_id:
            raise ChainFault(f"{rpc} is on chain {found}, and payment.chain_id is {chain_id}: change one of the two")
        if code.hex() != made["runtime"].removeprefix("0x"):
            raise ChainFault(f"there is no PairBank of this version at {contract} on {rpc}: change payment.contract")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._faults as why:
            raise ChainFault(f"the Ethereum node {self._rpc} failed: {why}; is it running, and in step?") from why

    def head(self, account: Address) -> Head:
        """The latest block. The nonce is read first: what is found mined afterwards can't have been taken by others."""
        eth, me = self._web3.eth, self._checked(account)
        with self._translated():
            nonce = eth.get_transaction_count(me, "latest")
            block = eth.get_block("latest")
            history = eth.fee_history(TIP_BLOCKS, "latest", [50])
            return Head(
                block=block["number"],
                base_fee=block["baseFeePerGas"],
                tips=tuple(tips[0] for tips in history["reward"]),
                nonce=nonce,
                wallet=eth.get_balance(me),
            )

    def send(self, raw: bytes) -> str:
        """Hand over a signed transaction. That it is known, or too late, is no fault but an answer, and returned."""
        with self._translated():
            try:
                self._web3.eth.send_raw_transaction(raw)
            except self._answered as answer:
                return str(answer)
        return ""

    def receipt(self, hashes: Sequence[str]) -> tuple[Receipt, bool] | None:
        """What became of whichever of these was mined, and whether it did what it should; None: none was."""
        for name in hashes:
            with self._translated():
                try:
                    return _receipt(self._web3.eth.get_transaction_receipt(cast("HexStr", name)))
                except self._unknown:
                    continue
        return None

    def books(self, payer: Address, payees: Sequence[Address], depth: int) -> Books:
        """What the contract holds, `depth` blocks below the latest."""
        with self._translated():
            block = max(0, self._web3.eth.block_number - depth)
            return Books(
                free=self._contract.functions.free(self._checked(payer)).call(block_identifier=block),
                paid=self._totals("paid_to", payer, payees, block),
            )

    def sighting(self, account: Address, payers: Sequence[Address], depth: int) -> Sighting:
        """What the contract holds for `account`, `depth` blocks below the latest."""
        eth, call, me = self._web3.eth, self._contract.functions, self._checked(account)
        with self._translated():
            block = max(0, eth.block_number - depth)
            paid = self._totals("paid_by", account, payers, block)
            asked = [[self._checked(payer) for payer in some] for some in _slices(list(paid))]
            claimable = sum(call.claimable(some, me).call(block_identifier=block) for some in asked)
            free = call.free(me).call(block_identifier=block)
            wallet = eth.get_balance(me, block)
            return Sighting(
                block=block,
                block_ms=eth.get_block(block)["timestamp"] * 1000,
                funds=Funds(free=Wei(free), claimable=Wei(claimable), wallet=Wei(wallet)),
                paid={payer: Wei(total) for payer, total in paid.items()},
            )

    def _totals(self, view: str, one: Address, others: Sequence[Address], block: int) -> dict[Address, int]:
        totals: dict[Address, int] = {}
        for some in _slices(list(dict.fromkeys(others))):
            listed = [self._checked(other) for other in some]
            arguments = (self._checked(one), listed) if view == "paid_to" else (listed, self._checked(one))
            found = self._contract.functions[view](*arguments).call(block_identifier=block)
            totals |= zip(some, found, strict=True)
        return totals

    def deposit_data(self) -> bytes:
        """The call that deposits the ether it carries."""
        return bytes.fromhex(self._contract.encode_abi("deposit")[2:])

    def pay_data(self, batch: Batch) -> bytes:
        """The call that pays a batch; its id is the reference that the contract logs."""
        words = [word(w) for w in batch.words]
        reference = bytes.fromhex(batch.batch_id).rjust(32, b"\0")
        return bytes.fromhex(self._contract.encode_abi("pay", [words, reference])[2:])

    def withdraw_data(self, payers: Sequence[Address], to: Address) -> bytes:
        """The call that takes out what payers have paid."""
        listed = [self._checked(payer) for payer in payers]
        return bytes.fromhex(self._contract.encode_abi("withdraw", [listed, self._checked(to)])[2:])


def _receipt(found: TxReceipt) -> tuple[Receipt, bool]:
    used = found["gasUsed"]
    receipt = Receipt(
        tx_hash="0x" + found["transactionHash"].hex(),
        block=found["blockNumber"],
        gas_used=used,
        fee=Wei(used * found["effectiveGasPrice"]),
    )
    return receipt, found["status"] == 1


def _slices(items: Sequence[Address]) -> Iterator[Sequence[Address]]:
    for start in range(0, len(items), MAX_ASKED):
        yield items[start : start + MAX_ASKED]
