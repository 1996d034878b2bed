"""The chain itself: blocks by py-evm, under the rules of the Prague fork, all in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eth.abc import BlockHeaderAPI, ComputationAPI, ReceiptAPI, SignedTransactionAPI, VirtualMachineAPI
from eth.chains.base import Chain
from eth.db.atomic import AtomicDB
from eth.typing import AccountDetails, HeaderParams
from eth.vm.forks.prague import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_keys.datatypes import PrivateKey
from eth_keys.exceptions import BadSignature
from eth_typing import Address, BlockNumber
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException  # type: ignore[import-untyped]  # rlp has no types
from twisted.internet.interfaces import IReactorTime

from golem.wire.account import keccak256

GAS_LIMIT = 30_000_000  # as on the main chain before 2025; a batch of 500 new pairs takes 12 M
MAX_TX_GAS = 1 << 24  # EIP-7825
GENESIS_BASE_FEE = 10**9
MAX_POOL = 1024  # transactions that wait; a development chain has a few nodes that send one at a time
FAUCET_WEI = 10**30
CONTRACT = Address(keccak256(b"golem dev chain/PairBank")[-20:])
FAUCET = PrivateKey(keccak256(b"golem dev chain/faucet"))
FAUCET_ADDRESS = Address(FAUCET.public_key.to_canonical_address())


class Rejected(Exception):
    """The pool does not take a transaction; the words are those of other Ethereum nodes, since clients read them."""


Receipt = ReceiptAPI  # named here for those who drive the chain and do not know py-evm


@dataclass(frozen=True)
class Mined:
    """A block of this chain. `receipts`: as py-evm makes them, so their `gas_used` is cumulative."""

    header: BlockHeaderAPI
    transactions: tuple[SignedTransactionAPI, ...] = ()
    receipts: tuple[ReceiptAPI, ...] = ()


@dataclass(frozen=True)
class Message:
    """A call that is only tried, not mined."""

    sender: Address
    to: Address
    value: int
    data: bytes
    gas: int = GAS_LIMIT


def base_fee(header: BlockHeaderAPI) -> int:
    """Wei per gas that a block burns; every block here has it."""
    return int(header.base_fee_per_gas or 0)


class DevChain:
    """Blocks and the transactions that wait for one. `automine`: a transaction gets its block at once."""

    def __init__(self, clock: IReactorTime, chain_id: int, funds: Mapping[Address, int], code: bytes) -> None:
        self._clock = clock
        self.chain_id = chain_id
        self.automine = True
        self.next_base_fee: int | None = None
        wallets = {**funds, FAUCET_ADDRESS: FAUCET_WEI}
        state: dict[Address, AccountDetails] = {
            address: {"nonce": 0, "balance": wei, "code": b"", "storage": {}} for address, wei in wallets.items()
        }
        state[CONTRACT] = {"nonce": 1, "balance": 0, "code": code, "storage": {}}
        kind = Chain.configure("DevChain", vm_configuration=((BlockNumber(0), PragueVM),), chain_id=chain_id)
        params: dict[str, HeaderParams] = {
            "gas_limit": GAS_LIMIT,
            "timestamp": self._now(),
            "base_fee_per_gas": GENESIS_BASE_FEE,
        }
        self._chain = kind.from_genesis(AtomicDB(), params, state)
        self.blocks = [Mined(self._chain.get_canonical_block_header_by_number(BlockNumber(0)))]
        self.places: dict[bytes, tuple[int, int]] = {}
        self.pool: dict[tuple[Address, int], SignedTransactionAPI] = {}

    @property
    def head(self) -> BlockHeaderAPI:
        """The latest block's header."""
        return self.blocks[-1].header

    def after(self, number: int) -> BlockHeaderAPI:
        """The header that follows block `number`: as it is, or as it will begin."""
        return self.blocks[number + 1].header if number + 1 < len(self.blocks) else self._next()

    def vm(self, number: int) -> VirtualMachineAPI:
        """The machine with the state after block `number`."""
        return self._chain.get_vm(self.blocks[number].header)

    def add(self, raw: bytes) -> bytes:
        """Take a signed transaction into the pool and say its hash. Raises Rejected."""
        transaction = self._decode(raw)
        sender, state = transaction.sender, self.vm(-1).state
        if transaction.hash in self.places or transaction.hash == self._waiting(sender, transaction.nonce):
            raise Rejected("already known")
        nonce = state.get_nonce(sender)
        if transaction.nonce < nonce:
            raise Rejected(f"nonce too low: next nonce {nonce}, tx nonce {transaction.nonce}")
        cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
        if cost > state.get_balance(sender):
            raise Rejected(f"insufficient funds for gas * price + value: have {state.get_balance(sender)} want {cost}")
        if not transaction.intrinsic_gas <= transaction.gas <= MAX_TX_GAS:
            raise Rejected(f"gas limit {transaction.gas} not within {transaction.intrinsic_gas} and {MAX_TX_GAS}")
        self._replace(sender, transaction)
        if self.automine:
            self.mine()
        return transaction.hash

    def fund(self, address: Address, wei: int) -> bytes:
        """Send ether out of nothing; answers the transaction's hash."""
        nonce = self.vm(-1).state.get_nonce(FAUCET_ADDRESS)
        while (FAUCET_ADDRESS, nonce) in self.pool:
            nonce += 1
        unsigned = self.vm(-1).create_unsigned_transaction(
            nonce=nonce, gas_price=max(self._base_fee() * 2, 1), gas=100_000, to=address, value=wei, data=b""
        )
        return self.add(unsigned.as_signed_transaction(FAUCET, chain_id=self.chain_id).encode())

    def mine(self) -> Mined:
        """Make a block of what can be mined now."""
        header = self._next()
        # Blocks come faster than once a second here, and their time is still the world's: two may have the same.
        header = header.copy(timestamp=max(self._now(), self.head.timestamp), base_fee_per_gas=self._base_fee())
        self.next_base_fee = None
        vm = self._chain.get_vm(header)
        taken: list[tuple[SignedTransactionAPI, ReceiptAPI]] = []
        for transaction in self._ready(vm):
            try:
                receipt, _ = vm.apply_transaction(header, transaction)
            except ValidationError:  # its sender has spent what it needs by now, or the block is full
                continue
            header = vm.add_receipt_to_header(header, receipt)
            taken.append((transaction, receipt))
        transactions, receipts = tuple(t for t, _ in taken), tuple(r for _, r in taken)
        block = vm.set_block_transactions_and_withdrawals(vm.get_block(), header, transactions, receipts)
        mined = Mined(vm.finalize_block(block).block.header, transactions, receipts)
        self._append(mined)
        return mined

    def revert(self, number: int) -> None:
        """Forget every block after `number`, and all that waits, as if a longer chain had come without them."""
        del self.blocks[number + 1 :]
        self.places = {name: place for name, place in self.places.items() if place[0] <= number}
        self.pool.clear()

    def call(self, message: Message, number: int) -> ComputationAPI:
        """Try a message on the state after block `number`; costs nothing and changes nothing."""
        with self.vm(number).in_costless_state() as state:
            return state.costless_execute_transaction(self._spoof(message, state.get_nonce(message.sender)))

    def estimate(self, message: Message, number: int) -> int:
        """The gas that a message needs, at most 21,000 too high."""
        nonce = self.vm(number).state.get_nonce(message.sender)
        return self._chain.estimate_gas(self._spoof(message, nonce), self.blocks[number].header)

    def _spoof(self, message: Message, nonce: int) -> SignedTransactionAPI:
        unsigned = self.vm(-1).create_unsigned_transaction(
            nonce=nonce, gas_price=0, gas=message.gas, to=message.to, value=message.value, data=message.data
        )
        return SpoofTransaction(unsigned, from_=message.sender)  # type: ignore[return-value]  # it acts as one

    def _decode(self, raw: bytes) -> SignedTransactionAPI:
        try:
            transaction = self.vm(-1).get_transaction_builder().decode(raw)
            transaction.validate()
            transaction.sender  # noqa: B018 - recovers the key, or raises
        except (RLPException, ValidationError, BadSignature, ValueError, TypeError, IndexError) as why:
            raise Rejected(f"invalid transaction: {why}") from why
        if transaction.chain_id != self.chain_id:
            raise Rejected(f"invalid chain id for signer: have {transaction.chain_id} want {self.chain_id}")
        return transaction

    def _waiting(self, sender: Address, nonce: int) -> bytes:
        waiting = self.pool.get((sender, nonce))
        return waiting.hash if waiting else b""

    def _replace(self, sender: Address, transaction: SignedTransactionAPI) -> None:
        key = (sender, transaction.nonce)
        old = self.pool.get(key)
        if old is None and len(self.pool) >= MAX_POOL:
            raise Rejected("txpool is full")
        if old is not None and not (
            transaction.max_fee_per_gas * 10 >= old.max_fee_per_gas * 11
            and transaction.max_priority_fee_per_gas * 10 >= old.max_priority_fee_per_gas * 11
        ):
            raise Rejected("replacement transaction underpriced")
        self.pool[key] = transaction

    def _ready(self, vm: VirtualMachineAPI) -> Iterator[SignedTransactionAPI]:
        """What waits and can pay the base fee, each sender's in the order of its nonces."""
        for (sender, nonce), transaction in sorted(self.pool.items(), key=lambda item: item[0][1]):
            if nonce == vm.state.get_nonce(sender) and transaction.max_fee_per_gas >= base_fee(vm.get_header()):
                yield transaction

    def _append(self, mined: Mined) -> None:
        for index, transaction in enumerate(mined.transactions):
            self.places[transaction.hash] = (len(self.blocks), index)
        self.blocks.append(mined)
        self._chain.chaindb.persist_header(mined.header)
        if mined.transactions:
            state = self.vm(-1).state
            for sender, nonce in [key for key in self.pool if key[1] < state.get_nonce(key[0])]:
                del self.pool[sender, nonce]

    def _base_fee(self) -> int:
        if self.next_base_fee is not None:
            return self.next_base_fee
        return base_fee(self._next())

    def _next(self) -> BlockHeaderAPI:
        parent = self.head
        return self._chain.create_header_from_parent(parent, timestamp=parent.timestamp + 1, gas_limit=GAS_LIMIT)

    def _now(self) -> int:
        return int(self._clock.seconds())
