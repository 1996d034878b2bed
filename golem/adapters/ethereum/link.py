"""A client in two threads of its own, made when it is first asked something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from twisted.internet.defer import DeferredLock
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from golem.adapters.ethereum.client import Client, Seen
from golem.errors import ChainFault
from golem.model.chain import Receipt, Sighting
from golem.model.ids import Address

THREADS = 2  # a look at the chain must not wait for a payment that is being sent
P = ParamSpec("P")
T = TypeVar("T")


class Link:
    """Where the blocking client lives. `make` may raise; it is tried again at the next question."""

    def __init__(self, reactor: PosixReactorBase, make: Callable[[], Client]) -> None:
        self._reactor = reactor
        self._make = make
        self._pool: ThreadPool | None = None
        self._client: Client | None = None
        self._making = DeferredLock()
        self._is_closed = False

    async def client(self) -> Client:
        """The client. Raises ChainFault."""
        await self._making.acquire()
        try:
            if self._client is None:
                self._client = await deferToThreadPool(self._reactor, self._threads(), self._make)
            return self._client
        finally:
            self._making.release()

    async def ask(self, question: Callable[Concatenate[Client, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer to one of the client's methods. Raises ChainFault."""
        client = await self.client()
        return await deferToThreadPool(self._reactor, self._threads(), question, client, *args, **kwargs)

    async def work(self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the reactor need not do itself, done in one of the threads."""
        return await deferToThreadPool(self._reactor, self._threads(), task, *args, **kwargs)

    def close(self) -> None:
        """End the threads, once they have their answers; whoever asks later is told that this node stops."""
        self._is_closed = True
        if self._pool is not None:
            self._pool.stop()
            self._pool = None
        if self._client is not None:
            self._client.close()
            self._client = None

    # what a witness asks, of either node

    async def block_hash(self, number: int) -> str:
        """See `Source.block_hash`."""
        return await self.ask(Client.block_hash, number)

    async def sighting(self, account: Address, payers: Sequence[Address], depth: int, block: int | None = None) -> Seen:
        """See `Source.sighting`."""
        return await self.ask(Client.sighting, account, payers, depth, block)

    async def recalled(self, account: Address, payees: Sequence[Address], seen: Sighting) -> Sighting:
        """See `Source.recalled`."""
        return await self.ask(Client.recalled, account, payees, seen)

    async def receipt(self, hashes: Sequence[str]) -> tuple[Receipt, bool] | None:
        """See `Source.receipt`."""
        return await self.ask(Client.receipt, hashes)

    def _threads(self) -> ThreadPool:
        if self._is_closed:  # threads that start during shutdown would keep the process alive
            raise ChainFault("this node stops")
        if self._pool is None:
            self._pool = ThreadPool(0, THREADS, "ethereum")
            self._pool.start()
        return self._pool
