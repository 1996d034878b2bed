"""The content store as its user sees it: puts files in, takes them out, keeps content, lets go of it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred

from golem.errors import BadParameters, NotFound
from golem.interfaces import IResourceStore
from golem.model.ids import Cid
from golem.model.messages import MAX_SOURCES, Place
from golem.model.value import Value

MAX_FETCH_BYTES = 1 << 40  # what a user asks for by name; the quota is what bounds it

Record = Mapping[str, object]
Where = Annotated[str, Meta(min_length=1, max_length=4096)]
Sources = Annotated[tuple[Place, ...], Meta(max_length=MAX_SOURCES)]


class Add(Value):
    """Put a file or folder in, where it lies; it is kept and served."""

    path: Where


class Get(Value):
    """Write content to a path, after fetching from `sources` what is not here."""

    cid: Cid
    path: Where
    sources: Sources = ()


class Pin(Value):
    """Keep content, after fetching from `sources` what is not here."""

    cid: Cid
    sources: Sources = ()


class Unpin(Value):
    """Do not keep content for the user any more; tasks that need it keep it."""

    cid: Cid


class Collect(Value):
    """Forget what can't be read any more."""


Wish = Add | Get | Pin | Unpin | Collect
_wishes: msgspec.json.Decoder[Wish] = msgspec.json.Decoder(Wish)


def read_wish(data: bytes) -> Wish:
    """Read what to do with content. Raises BadParameters, saying what does not fit and where."""
    try:
        wish = _wishes.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as why:
        raise BadParameters(f"the request does not fit: {why}") from why
    if isinstance(wish, Add | Get) and not Path(wish.path).is_absolute():
        raise BadParameters(f"path: {wish.path!r} is not absolute")
    return wish


class Stock:
    """Stands between the user and the store. What a user keeps is pinned for `user/CID`."""

    def __init__(self, store: IResourceStore) -> None:
        self._store = store

    def show(self) -> Awaitable[Record]:
        """What is here, a `views.Stock`."""
        return Deferred.fromCoroutine(self._show())

    async def _show(self) -> Record:
        record: Record = msgspec.to_builtins(await self._store.survey())
        return record

    def do(self, wish: Wish) -> Awaitable[Record]:
        """What the user wants. Raises StoreFault, NotFound."""
        return Deferred.fromCoroutine(self._do(wish))

    async def _do(self, wish: Wish) -> Record:
        match wish:
            case Add(path=path):
                return await self._add(path)
            case Get(cid=cid, path=path, sources=sources):
                return await self._get(cid, path, sources)
            case Pin(cid=cid, sources=sources):
                return {"cid": cid, "size_bytes": await self._store.get(cid, sources, MAX_FETCH_BYTES, f"user/{cid}")}
            case Unpin(cid=cid):
                return await self._unpin(cid)
            case Collect():
                return {"freed_bytes": await self._store.collect()}

    async def _add(self, path: str) -> Record:
        adding = f"user/{path}"
        content = await self._store.put(path, adding)
        await self._store.get(content.cid, (), content.size_bytes, f"user/{content.cid}")
        await self._store.unpin(adding)
        return {"cid": content.cid, "size_bytes": content.size_bytes}

    async def _get(self, cid: Cid, path: str, sources: Sources) -> Record:
        owner = f"getting/{cid}"
        size = await self._store.get(cid, sources, MAX_FETCH_BYTES, owner)
        try:
            await self._store.materialise(cid, path)
        finally:
            await self._store.unpin(owner)
        return {"cid": cid, "size_bytes": size, "path": path}

    async def _unpin(self, cid: Cid) -> Record:
        owner = f"user/{cid}"
        if not any(owner in kept.owners for kept in (await self._store.survey()).kept):
            raise NotFound(f"{cid} is not kept for the user; see: golem resource ls")
        await self._store.unpin(owner)
        return {"cid": cid}
