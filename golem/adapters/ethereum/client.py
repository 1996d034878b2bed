"""The only importer of web3. Everything here blocks, so it is called in threads; web3 is imported by the first call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, cast

from golem.errors import ChainFault, NodeFault
from golem.model.chain import Batch, Funds, Receipt, Sighting, Statement
from golem.model.ids import Address
from golem.model.money import Wei
from golem.model.value import Value, evolve
from golem.wire.transaction import word

if TYPE_CHECKING:
    from eth_typing import HexStr
    from web3.types import TxReceipt

CONNECT_S, ANSWER_S = 3.0, 10.0  # an Ethereum node that takes longer is no use to us
MAX_ASKED = 500  # pairs in one call: the contract takes 600
TIP_BLOCKS = 10
GWEI = 10**9
U96 = (1 << 96) - 1


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


class Seen(Value):
    """A sighting, and the hash of its block."""

    sighting: Sighting
    block_hash: str


class Backing(Value):
    """A pair and its payer, in wei and seconds. `unlock_at_s`: when reserves can be taken back; 0: never."""

    at_s: int
    paid: int
    reserved: int
    free: int
    unlock_at_s: int


class Client:
    """One Ethereum node and the contract on it. Every method raises ChainFault."""

    def __init__(self, rpc: str, contract: Address, chain_id: int) -> None:
        from web3 import HTTPProvider, Web3
        from web3.exceptions import (
            BadFunctionCallOutput,
            BlockNotFound,
            TransactionNotFound,
            Web3Exception,
            Web3RPCError,
        )
        from web3.middleware import ExtraDataToPOAMiddleware

        # A node's odd answer can be of any shape: web3 lets these pass.
        self._faults = (Web3Exception, OSError, ValueError, TypeError, KeyError, AttributeError)
        self._checked = Web3.to_checksum_address
        self._unknown, self._answered = TransactionNotFound, Web3RPCError
        self._no_block, self._no_contract = BlockNotFound, BadFunctionCallOutput
        self._rpc = rpc
        # Without retries of its own: whoever asks decides, and asks again.
        wire = HTTPProvider(rpc, {"timeout": (CONNECT_S, ANSWER_S)}, exception_retry_configuration=None)
        self._sessions = wire._request_session_manager.session_cache  # web3 has no public way to end them
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
            raise NodeFault(f"the Ethereum node {self._rpc} failed: {why}; is it running, and in step?") from why

    def close(self) -> None:
        """Hang up."""
        for _, session in self._sessions.items():
            session.close()

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
                free=self._slots("accounts", [payer], block)[payer] & U96,
                paid=self._totals(payer, payees, block),
            )

    def sighting(self, account: Address, payers: Sequence[Address], depth: int, block: int | None = None) -> Seen:
        """What the contract holds for `account`, at `block` or else `depth` blocks below the latest."""
        eth, me = self._web3.eth, self._checked(account)
        with self._translated():
            number = max(0, eth.block_number - depth) if block is None else block
            head = eth.get_block(number)
            pairs = self._slots("pairs", list(dict.fromkeys(payers)), number, me)
            accounts = self._slots("accounts", [*pairs, account], number)
            kept = {payer: pair for payer, pair in pairs.items() if pair >> 192 and not accounts[payer] >> 128}
            sighting = Sighting(
                block=number,
                block_ms=head["timestamp"] * 1000,
                base_fee=Wei(head["baseFeePerGas"]),
                funds=Funds(
                    free=Wei(accounts[account] & U96),
                    claimable=Wei(sum((pair & U96) - (pair >> 96 & U96) for pair in pairs.values())),
                    wallet=Wei(eth.get_balance(me, number)),
                ),
                paid={payer: Wei(pair & U96) for payer, pair in pairs.items()},
                reserved={payer: Wei((pair >> 192) * GWEI) for payer, pair in kept.items()},
                sent=eth.get_transaction_count(me, number),
            )
            return Seen(sighting=sighting, block_hash=head["hash"].hex())

    def height(self) -> int:
        """The latest block's number."""
        with self._translated():
            return self._web3.eth.block_number

    def payers(self, account: Address, first: int, last: int) -> set[Address]:
        """Whoever has paid `account` by a batch or a claim in these blocks."""
        batch, claim = self._contract.events.Batch, self._contract.events.Defaulted
        with self._translated():
            batches = batch.get_logs(from_block=first, to_block=last)
            mine = {"payee": self._checked(account)}
            claims = claim.get_logs(from_block=first, to_block=last, argument_filters=mine)
        to_me = bytes.fromhex(account[2:])
        paid = [log for log in batches if any(bytes(word)[12:] == to_me for word in log["args"]["words"])]
        return {Address(log["args"]["payer"].lower()) for log in [*paid, *claims]}

    def recalled(self, account: Address, payees: Sequence[Address], seen: Sighting) -> Sighting:
        """What was seen, and what `account` has ever paid each payee by the latest block."""
        paid = self.books(account, payees, 0).paid
        return evolve(seen, given={payee: Wei(total) for payee, total in paid.items()})

    def block_hash(self, number: int) -> str:
        """Which block has this number; empty: none yet."""
        with self._translated():
            try:
                return self._web3.eth.get_block(number)["hash"].hex()
            except self._no_block:
                return ""

    def backing(self, payer: Address, payee: Address) -> Backing:
        """What a pair stands at and what there is to claim from, at the latest block."""
        with self._translated():
            head = self._web3.eth.get_block("latest")
            number = head["number"]
            pair = self._slots("pairs", [payer], number, self._checked(payee))[payer]
            account = self._slots("accounts", [payer], number)[payer]
            return Backing(
                at_s=head["timestamp"],
                paid=pair & U96,
                reserved=(pair >> 192) * GWEI,
                free=account & U96,
                unlock_at_s=account >> 128,
            )

    def statement(
        self, account: Address, payers: Sequence[Address], payees: Sequence[Address], depth: int, *, is_sound: bool
    ) -> Statement:
        """What the contract holds of an account, `depth` blocks below the latest."""
        seen = self.sighting(account, payers, depth).sighting
        with self._translated():
            reserves = [
                self._slots("pairs", [account], seen.block, self._checked(payee))[account] >> 192 for payee in payees
            ]
            return Statement(
                block=seen.block,
                held=self._web3.eth.get_balance(self._contract.address, seen.block),
                free=seen.funds.free,
                claimable=seen.funds.claimable,
                paid={payee: Wei(paid) for payee, paid in self._totals(account, payees, seen.block).items()},
                received=seen.paid,
                reserved=Wei(sum(reserves) * GWEI),
                is_sound=is_sound,
            )

    def _slots(self, view: str, accounts: Sequence[Address], block: int, *payee: str) -> dict[Address, int]:
        slots: dict[Address, int] = {}
        for some in _slices(accounts):
            listed = [self._checked(account) for account in some]
            slots |= zip(some, self._view(view, block, listed, *payee), strict=True)
        return slots

    def _totals(self, payer: Address, payees: Sequence[Address], block: int) -> dict[Address, int]:
        totals: dict[Address, int] = {}
        for some in _slices(list(dict.fromkeys(payees))):
            listed = [self._checked(payee) for payee in some]
            totals |= zip(some, self._view("paid_to", block, self._checked(payer), listed), strict=True)
        return totals

    def _view(self, view: str, block: int, *arguments: object) -> list[int]:
        try:
            found: list[int] = self._contract.functions[view](*arguments).call(block_identifier=block)
        except self._no_contract as why:
            raise NodeFault(
                f"there is no PairBank at {self._contract.address} yet in block {block} of {self._rpc}: it is younger "
                "than payment.confirmations, wait"
            ) from why
        return found

    def data(self, function: str, *arguments: object) -> bytes:
        """The call of one of the contract's functions. Accounts may be in lower case."""
        checked = [self._checksummed(argument) for argument in arguments]
        return bytes.fromhex(self._contract.encode_abi(function, checked)[2:])

    def _checksummed(self, argument: object) -> object:
        if isinstance(argument, str):
            return self._checked(argument)
        return [self._checksummed(item) for item in argument] if isinstance(argument, list) else argument

    def pay_data(self, batch: Batch) -> bytes:
        """The call that pays a batch; its id is the reference that the contract logs."""
        return self.data("pay", [word(w) for w in batch.words], bytes.fromhex(batch.batch_id).rjust(32, b"\0"))


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
