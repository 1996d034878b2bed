"""The embedded IPFS node: block store, gateway and fetcher, as the content store of a node.

With a daemon beside it, what is for everybody is given to the daemon too, as a CAR, so that the whole IPFS network can
have it; what no other node gives is asked of the daemon. Blocks are checked here in either case, and ids never depend
on it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TypeVar

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.posixbase import PosixReactorBase
from twisted.logger import Logger
from zope.interface import implementer

from golem.errors import ConfigError, DaemonFault, StoreFault
from golem.interfaces import Accuse, IResourceStore
from golem.ipfs.blockstore import BlockStore, exported, put, write
from golem.ipfs.cid import Key, from_text, to_text
from golem.ipfs.fetch import Fetcher, Wanted
from golem.ipfs.kubo import Client
from golem.ipfs.serving import Serving, Terms
from golem.ipfs.tickets import PUBLIC, Channels, Tickets
from golem.ipfs.workers import Workers
from golem.model.content import Content, Importing, Survey
from golem.model.ids import Cid, Ticket
from golem.model.messages import Place

R = TypeVar("R")

log = Logger()

MAX_TRANSFERS = 8  # at once; more wait for their turn. Each may hold 4 MiB received and unchecked


@implementer(IResourceStore)
class EmbeddedStore(Service):
    """Content by its id, on this machine's disk and from other nodes.

    `folder`: the store's own. `staging`: a folder whose files come and go; they are copied when put. Any others are
    served from where they are, for as long as they stay as they are. `channels`: how nodes of one task are talked to.
    `daemon`: see above. `behind`: how to reach the gateways of nodes that can't be dialled, if at all.
    """

    behind: Callable[[Place], IStreamClientEndpoint] | None = None

    def __init__(
        self,
        reactor: PosixReactorBase,
        folder: Path,
        staging: Path,
        terms: Terms,
        channels: Channels,
        daemon: Client | None = None,
    ) -> None:
        self._reactor = reactor
        self._folder = folder
        self._staging = os.path.realpath(staging)
        self._terms = terms
        self._channels = channels
        self._tickets = Tickets()
        self._serving = Serving(reactor, terms, channels, self._tickets)
        self.parcels = self._serving.parcels
        self._daemon = daemon
        self._workers = Workers(reactor)
        self._room = DeferredSemaphore(MAX_TRANSFERS)
        self._transfers: dict[Key, list[Deferred[None]]] = {}
        self._holds: list[_Hold] = []

    def startService(self) -> None:
        """Open the store and listen. Raises StoreFault, or ConfigError where the address can't be had."""
        self._blocks = BlockStore(self._folder, self._terms.quota_bytes, is_public=self._terms.is_public)
        try:
            self._serving.open(self._blocks, self._workers)
        except ConfigError:
            self._blocks.close()
            raise
        self._workers.start()
        self._fetcher = Fetcher(self._reactor, self._workers, self._channels, self._daemon, self.behind)
        super().startService()

    async def _stop(self) -> None:
        await self._serving.close()
        self._blocks.freeze()
        await self._fetcher.close()
        if self._daemon is not None:
            await self._daemon.close()
        for hold in list(self._holds):
            await hold.ended
        await self._workers.stop()
        self._blocks.close()

    def stopService(self) -> Deferred[None]:
        """Stop serving; what is under way fails, and leaves nothing."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    @property
    def port(self) -> int:
        """Where the gateway listens, once the service runs."""
        return self._serving.port

    def admit(self, owner: str, ticket: Ticket) -> None:
        """See `IResourceStore.admit`."""
        self._tickets.add(owner, ticket)

    def put(self, path: str, owner: str) -> Deferred[Content]:
        """See `IResourceStore.put`."""
        return Deferred.fromCoroutine(self._hold(owner, self._put(path, owner)))

    def get(
        self, cid: Cid, sources: Sequence[Place], limit: int, owner: str, accuse: Accuse | None = None
    ) -> Deferred[int]:
        """See `IResourceStore.get`. Cancelled, it hangs up at once."""
        return Deferred.fromCoroutine(self._hold(owner, self._get(cid, sources, limit, owner, accuse)))

    def survey(self) -> Deferred[Survey]:
        """See `IResourceStore.survey`."""
        return Deferred.fromCoroutine(self._hold(None, self._survey()))

    async def _survey(self) -> Survey:
        return Survey(
            incoming=tuple(self._fetcher.moving()),
            kept=tuple(await self._workers.run(self._blocks.index.contents)),
            used_bytes=self._blocks.used_bytes(),
            quota_bytes=self._terms.quota_bytes,
            gateway=self._serving.place,
            importing=tuple(
                Importing(path=path, read_bytes=draft.read_bytes)
                for draft, path in list(self._blocks.importing.items())
            ),
        )

    def collect(self) -> Deferred[int]:
        """See `IResourceStore.collect`."""
        return Deferred.fromCoroutine(self._hold(None, self._work(lambda: self._blocks.collect())))

    def materialise(self, cid: Cid, into: str) -> Deferred[None]:
        """See `IResourceStore.materialise`."""
        return Deferred.fromCoroutine(self._hold(None, self._work(lambda: write(self._blocks, from_text(cid), into))))

    def unpin(self, owner: str) -> Deferred[None]:
        """See `IResourceStore.unpin`. What is under way for `owner` is hung up on, and won't be kept either."""
        for hold in list(self._holds):
            if hold.owner == owner:
                hold.is_released = True
                hold.work.cancel()
        self._tickets.drop(owner)
        return Deferred.fromCoroutine(self._unpin(owner))

    async def _unpin(self, owner: str) -> None:
        gone = await self._workers.run(self._blocks.unpin, owner)
        if self._daemon is None:
            return
        for key in gone:
            try:
                await self._daemon.pin.rm(to_text(key))
            except DaemonFault as why:  # it never had it, or is down: its disk is its owner's to tidy
                log.info("{cid} may stay pinned: {why}", cid=to_text(key), why=why)

    async def _hold(self, owner: str | None, work: Coroutine[Deferred[object], object, R]) -> R:
        """Do what pins something for `owner`, unless it lets go meanwhile; the service doesn't stop in the midst."""
        if not self.running:
            work.close()
            raise StoreFault("the content store is not open yet")
        doing = Deferred.fromCoroutine(work)
        hold = _Hold(owner, doing)
        self._holds.append(hold)
        try:
            result = await doing
            if owner is not None and hold.is_released:
                await self._workers.run(self._blocks.unpin, owner)
                raise CancelledError
            return result
        except CancelledError as why:
            raise StoreFault(f"not kept: {owner} was let go of meanwhile") from why
        finally:
            self._holds.remove(hold)
            hold.ended.callback(None)

    async def _put(self, path: str, owner: str) -> Content:
        real = os.path.realpath(path)
        is_staged = os.path.commonpath((real, self._staging)) == self._staging
        tree = await self._workers.run(put, self._blocks, real, owner, by_reference=not is_staged)
        content = Content(cid=to_text(tree.key), size_bytes=tree.size)
        self.parcels.note(content.cid, await self._workers.run(self.parcels.first, self._blocks.read, tree.key))
        if self._daemon is not None and (self._terms.is_public or owner.startswith(PUBLIC)):
            parts = exported(self._blocks, tree.key)
            await self._daemon.dag.import_(lambda: self._workers.run(next, parts, b""), content.cid)
        return content

    async def _get(self, cid: Cid, sources: Sequence[Place], limit: int, owner: str, accuse: Accuse | None) -> int:
        key = from_text(cid)
        while (size := await self._workers.run(self._blocks.pin, key, owner, limit)) is None:
            if key not in self._transfers:
                return await self._transfer(
                    Wanted(key, limit, self._tickets.of(owner), accuse, self.parcels.give), sources, owner
                )
            ended: Deferred[None] = Deferred()
            self._transfers[key].append(ended)
            await ended  # and look again, whatever came of it: the other had its own sources and limit
        return size

    async def _transfer(self, wanted: Wanted, sources: Sequence[Place], owner: str) -> int:
        self._transfers[wanted.root] = []
        try:
            return await self._room.run(lambda: Deferred.fromCoroutine(self._fetch(wanted, sources, owner)))
        finally:
            for ended in self._transfers.pop(wanted.root):
                ended.callback(None)

    async def _fetch(self, wanted: Wanted, sources: Sequence[Place], owner: str) -> int:
        draft = self._blocks.resumed(wanted.root, owner)
        try:
            size = await self._fetcher.fetch(wanted, sources, draft)
            await self._workers.run(draft.commit, wanted.root, size, owner)
        finally:
            await self._workers.run(draft.close)
        return size

    async def _work(self, work: Callable[[], R]) -> R:
        return await self._workers.run(work)


class _Hold:
    """Somebody waits for content; `is_released` once its owner wants none any more."""

    def __init__(self, owner: str | None, work: Deferred[R]) -> None:
        self.owner = owner
        self.work = work
        self.is_released = False
        self.ended: Deferred[None] = Deferred()
