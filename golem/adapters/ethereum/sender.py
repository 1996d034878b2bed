"""How a call gets into the chain: signed, kept, sent, and waited for until its block is deep enough.

    sign -> keep on disk -> send -> mined -> deep: done
              ^  ^           |        |
              |  '-- raise --'        '-- block undone: send the same bytes again
              '-- nonce taken by another program with our key: sign anew

Each look at the chain reads our nonce first and receipts afterwards; the other order would see nonces stolen that our
own transaction has just used. Everything that was signed and is not mined is sent again at every look, so that neither
a crash of ours nor a node that forgets its pool stops a payment. Looks happen one at a time, since two would race for
a nonce; between them nothing is held, so one payment that waits keeps no other from being sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from golem.adapters.ethereum.attempts import DEPOSIT, Attempt, Attempts
from golem.adapters.ethereum.client import Client, Head
from golem.adapters.ethereum.link import Link
from golem.adapters.ethereum.settings import GWEI, EthereumSettings
from golem.adapters.ethereum.witness import Witness
from golem.errors import ChainFault, NodeFault, NotEnoughFunds, TooDear
from golem.interfaces import IKeyring
from golem.model.chain import Receipt
from golem.model.money import show_ether
from golem.model.value import Value
from golem.wire.account import keccak256
from golem.wire.transaction import Fees, Transaction, digest, offer, replaced, signed

CHEAP_BLOCKS = 3  # a transaction that offers too little is raised after these
SLOW_BLOCKS = 6  # any other after these: whoever makes blocks prefers others
LOST_BLOCKS = 6  # for so long must our nonce be used and our transaction missing: nodes index receipts with delay
T = TypeVar("T")


def kept(key: str) -> str:
    """A key whose attempts are kept for ever, since what it stands for must not happen twice."""
    return DEPOSIT + key


class Call(Value):
    """A call to make. `most_fee`: the most to offer for its gas, in wei; 0: whatever it takes."""

    value: int
    gas: int
    data: bytes
    most_fee: int = 0


class Waiting:
    """One call on its way. `lost_at`: since which block its nonce is used and it is nowhere; `said`: by the node."""

    def __init__(self, key: str, call: Call) -> None:
        self.key = key
        self.call = call
        self.lost_at = -1
        self.said = ""


class Sender:
    """Sends one account's transactions. `witness`: asked before one is signed, and before one is believed."""

    def __init__(
        self,
        clock: IReactorTime,
        link: Link,
        keyring: IKeyring,
        settings: EthereumSettings,
        witness: Witness,
    ) -> None:
        self._clock = clock
        self._link = link
        self._keyring = keyring
        self._settings = settings
        self._witness = witness
        self._looking = DeferredLock()
        self._kept: Attempts | None = None

    async def settle(self, key: str, call: Call) -> Receipt:
        """Have a call mined and deep, once per key, however often this is begun. Raises ChainFault, out of patience."""
        waiting, patience_s = Waiting(key, call), self._settings.patience_s
        ends = self._clock.seconds() + patience_s
        while True:
            receipt = await self._try(waiting, is_last=self._clock.seconds() >= ends)
            if receipt is not None:
                return receipt
            if self._clock.seconds() >= ends:
                break
            await deferLater(self._clock, self._settings.poll_ms / 1000, lambda: None)
        raise ChainFault(
            f"{key} was not mined within {patience_s:.0f} s by {self._settings.rpc}, which last said: "
            f"{waiting.said or 'nothing'}; it goes on when asked again"
        )

    async def _try(self, waiting: Waiting, *, is_last: bool) -> Receipt | None:
        """Look, and put up with a node that does not answer, but for the last time."""
        try:
            return await self._alone(lambda: self._look(waiting))
        except NodeFault as why:
            if is_last:
                raise
            waiting.said = str(why)
            return None

    async def attempts(self) -> Attempts:
        """Kept apart by chain: a development chain that starts anew has the old one's name and number."""
        client = await self._link.client()
        if self._kept is None:
            self._kept = Attempts(Path(self._settings.folder) / f"attempts-{client.genesis[:16]}.sqlite")
        return self._kept

    def close(self) -> None:
        """Let go of the file."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    async def _alone(self, work: Callable[[], Awaitable[T]]) -> T:
        await self._looking.acquire()
        try:
            return await work()
        finally:
            self._looking.release()

    async def _look(self, w: Waiting) -> Receipt | None:
        attempts = await self.attempts()
        head = await self._link.ask(Client.head, self._keyring.account)
        tried = attempts.of(w.key)
        found = await self._link.receipt([attempt.tx_hash for attempt in tried])
        if found is not None:
            receipt, succeeded = found
            if receipt.block + self._settings.confirmations <= head.block:
                await self._witness.attest(receipt)
                return receipt if succeeded else self._reverted(attempts, w.key, receipt)
        elif tried and tried[-1].body.nonce >= head.nonce:
            await self._raise(attempts, head, w.call.most_fee)
        elif not tried or 0 <= w.lost_at <= head.block - LOST_BLOCKS:
            await self._witness.agree(head.block)
            await self._sign(attempts, w, head)
            w.lost_at = -1
        elif w.lost_at < 0:
            w.lost_at = head.block
        for attempt in attempts.since(head.nonce):
            w.said = await self._link.ask(Client.send, attempt.raw) or w.said
        return None

    async def _sign(self, attempts: Attempts, w: Waiting, head: Head) -> None:
        waiting, call = attempts.since(head.nonce), w.call
        fees = self._offer(head, call)
        if head.wallet < call.value + call.gas * fees.most:
            need = show_ether(call.value + call.gas * fees.most)
            raise ChainFault(
                f"the wallet {self._keyring.account} holds {show_ether(head.wallet)}, not {need}: send it ether for gas"
            )
        body = Transaction(
            chain_id=self._settings.chain_id,
            nonce=waiting[-1].body.nonce + 1 if waiting else head.nonce,
            fees=fees,
            gas=call.gas,
            to=self._settings.contract,
            value=call.value,
            data=call.data,
        )
        await self._keep(attempts, w.key, body, head)

    async def _raise(self, attempts: Attempts, head: Head, most_fee: int) -> None:
        """Offer more for the transaction that the others wait for, if it has waited long."""
        first = attempts.since(head.nonce)[0]
        waited = head.block - first.block
        is_cheap = first.body.fees.most < head.base_fee + first.body.fees.tip
        if waited >= SLOW_BLOCKS or (waited >= CHEAP_BLOCKS and is_cheap):
            body = replaced(first.body, offer(head.base_fee, head.tips))
            is_allowed = not most_fee or body.gas * (head.base_fee + body.fees.tip) <= most_fee
            if is_allowed and body.fees.most <= self._settings.most_gwei * GWEI:
                await self._keep(attempts, first.key, body, head)

    async def _keep(self, attempts: Attempts, key: str, body: Transaction, head: Head) -> None:
        raw = signed(body, await self._link.work(self._keyring.sign_payment, digest(body)))
        attempts.add(Attempt(key=key, block=head.block, tx_hash="0x" + keccak256(raw).hex(), body=body, raw=raw))

    def _offer(self, head: Head, call: Call) -> Fees:
        fees = offer(head.base_fee, head.tips)
        if fees.most > self._settings.most_gwei * GWEI:
            most = self._settings.most_gwei
            raise TooDear(
                f"gas costs {head.base_fee // GWEI} gwei, and with room to grow that is over {most} gwei: wait"
            )
        fee = call.gas * (head.base_fee + fees.tip)
        if call.most_fee and fee > call.most_fee:
            raise TooDear(
                f"gas would cost {show_ether(fee)}, and this is worth {show_ether(call.most_fee)} now: it waits for "
                "cheaper gas, or its due date (payment.fee_share)"
            )
        return fees

    def _reverted(self, attempts: Attempts, key: str, receipt: Receipt) -> Receipt:
        attempts.forget(key)
        raise NotEnoughFunds(f"the contract refused {key} in {receipt.tx_hash}: what it needs was spent before")
