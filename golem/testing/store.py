"""A content store in memory: a world of nodes that hold content, found by where their gateways listen.

Ids, limits and refusals are the real ones: importer, intake and reader are the embedded node's own. Only disk and
network are left out, so a run is the same every time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from golem.errors import ContentMissing, TooLarge
from golem.interfaces import Accuse, IResourceStore
from golem.ipfs import reader
from golem.ipfs.cid import Chunk, Key, from_text, to_text
from golem.ipfs.importer import import_path
from golem.ipfs.intake import Intake
from golem.ipfs.parcels import Parcels
from golem.ipfs.tickets import PUBLIC, Tickets
from golem.model.content import Content, Kept, Survey
from golem.model.ids import Cid, Ticket
from golem.model.messages import Place

_CHANNEL = b"a channel"  # between all of them: nobody listens
FETCH_S = 0.05  # a transfer's latency; its size costs nothing


class Held:
    """One content's blocks. `size`: bytes of its files."""

    def __init__(self) -> None:
        self.blocks: dict[Key, bytes] = {}
        self.size = 0

    def begin(self, path: str, found: os.stat_result) -> None:
        """See `Sink.begin`: nothing to prepare."""

    def leaf(self, key: Key, chunk: Chunk) -> None:
        """See `Sink.leaf`."""
        self.blocks[key] = bytes(chunk)

    def node(self, key: Key, block: bytes) -> None:
        """See `Sink.node`."""
        self.blocks[key] = block

    def reserve(self, size: int) -> None:
        """See `Keeper.reserve`: there is always room."""

    def keep(self, key: Key, block: Chunk) -> None:
        """See `Keeper.keep`."""
        self.blocks[key] = bytes(block)

    def read(self, key: Key) -> bytes:
        """A block that is here."""
        return self.blocks[key]


class MemoryWorld:
    """Everybody's content, by gateway. `way`: the gateway that a place leads to from another, or nothing, now.

    `stores`: the one that is at a gateway now; it says who may have what.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.clock = clock
        self.held: dict[Place, dict[Key, Held]] = {}
        self.stores: dict[Place, MemoryResourceStore] = {}
        self.way: Callable[[Place, Place], Place] = lambda gateway, place: place


@implementer(IResourceStore)
class MemoryResourceStore:
    """IResourceStore in a MemoryWorld."""

    def __init__(self, world: MemoryWorld, gateway: Place) -> None:
        self._world = world
        self._gateway = gateway
        self._mine = world.held.setdefault(gateway, {})
        self._pins: dict[str, set[Key]] = {}
        self._tickets = Tickets()
        self.parcels = Parcels()
        world.stores[gateway] = self

    def admit(self, owner: str, ticket: Ticket) -> None:
        """See `IResourceStore.admit`."""
        self._tickets.add(owner, ticket)

    def put(self, path: str, owner: str) -> Deferred[Content]:
        """See `IResourceStore.put`."""
        return Deferred.fromCoroutine(self._put(path, owner))

    async def _put(self, path: str, owner: str) -> Content:
        held = Held()
        tree = import_path(path, held)
        held.size = tree.size
        self._pin(tree.key, held, owner)
        self.parcels.note(to_text(tree.key), self.parcels.first(held.read, tree.key))
        return Content(cid=to_text(tree.key), size_bytes=tree.size)

    def get(
        self, cid: Cid, sources: Sequence[Place], limit: int, owner: str, accuse: Accuse | None = None
    ) -> Deferred[int]:
        """See `IResourceStore.get`: memory does not lie."""
        return Deferred.fromCoroutine(self._get(cid, sources, limit, owner))

    async def _get(self, cid: Cid, sources: Sequence[Place], limit: int, owner: str) -> int:
        key = from_text(cid)
        held = self._mine.get(key) or await self._fetch(key, sources, limit, owner)
        if held.size > limit:
            raise TooLarge(f"{to_text(key)} has {held.size} bytes, more than the {limit} agreed on")
        self._pin(key, held, owner)
        return held.size

    async def _fetch(self, key: Key, sources: Sequence[Place], limit: int, owner: str) -> Held:
        mine = Held()
        intake = Intake(key, limit, mine)
        self.parcels.give(intake)
        if not intake.is_complete:
            theirs = await self._ask(key, sources, owner)
            for child, block in reader.blocks(theirs.read, key):
                intake.take(child, block)
        mine.size = intake.size
        return mine

    async def _ask(self, key: Key, sources: Sequence[Place], owner: str) -> Held:
        await deferLater(self._world.clock, FETCH_S, lambda: None)
        words = self._tickets.of(owner)
        near = [self._world.stores.get(self._world.way(self._gateway, place)) for place in sources]
        given = (store.given(key, words.word(_CHANNEL) if words else b"") for store in near if store)
        theirs = next((held for held in given if held), None)
        if theirs is None:
            raise ContentMissing(f"nobody gave {to_text(key)}: {', '.join(sources) or 'there is nobody to ask'}")
        return theirs

    def given(self, key: Key, word: bytes) -> Held | None:
        """What another node gets."""
        owner = self._tickets.visitor(word, _CHANNEL)
        owners = [pinner for pinner, keys in self._pins.items() if key in keys]
        is_open = any(pinner == owner or pinner.startswith(PUBLIC) for pinner in owners)
        return self._mine.get(key) if is_open else None

    def materialise(self, cid: Cid, into: str) -> Deferred[None]:
        """See `IResourceStore.materialise`."""
        return Deferred.fromCoroutine(self._materialise(cid, into))

    async def _materialise(self, cid: Cid, into: str) -> None:
        key = from_text(cid)
        if key not in self._mine:
            raise ContentMissing(f"{to_text(key)} is not here")
        reader.write_out(self._mine[key].read, key, into)

    def unpin(self, owner: str) -> Deferred[None]:
        """See `IResourceStore.unpin`."""
        return Deferred.fromCoroutine(self._unpin(owner))

    async def _unpin(self, owner: str) -> None:
        self._tickets.drop(owner)
        gone = self._pins.pop(owner, set())
        for key in gone - set().union(*self._pins.values()):
            self._mine.pop(key, None)

    def survey(self) -> Deferred[Survey]:
        """See `IResourceStore.survey`."""
        kept = [
            Kept(
                cid=to_text(key),
                size_bytes=held.size,
                owners=tuple(sorted(owner for owner, keys in self._pins.items() if key in keys)),
            )
            for key, held in self._mine.items()
        ]
        used = sum(held.size for held in self._mine.values())
        return succeed(
            Survey(kept=tuple(kept), incoming=(), used_bytes=used, quota_bytes=1 << 40, gateway=self._gateway)
        )

    def collect(self) -> Deferred[int]:
        """See `IResourceStore.collect`: memory does not rot."""
        return succeed(0)

    def forget(self) -> None:
        """Lose all content, as a store does whose disk is replaced."""
        self._mine.clear()
        self._pins.clear()

    def owners(self) -> Sequence[str]:
        """For whom there is content."""
        return sorted(self._pins)

    def _pin(self, key: Key, held: Held, owner: str) -> None:
        self._mine.setdefault(key, held)
        self._pins.setdefault(owner, set()).add(key)
