"""A content store in memory: a world of nodes that hold content, found by where their gateways listen."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from golem.errors import ContentMissing, StoreFault, TooLarge
from golem.interfaces import Content, IResourceStore
from golem.model.ids import Cid
from golem.model.messages import Place

Tree = dict[str, bytes]
"""Files by their path below the root; a single file has the path ""."""

FETCH_S = 0.05


class MemoryWorld:
    """Everybody's content, by gateway."""

    def __init__(self, clock: IReactorTime) -> None:
        self.clock = clock
        self.held: dict[Place, dict[Cid, Tree]] = {}


def _read(path: Path) -> Tree:
    if path.is_file() and not path.is_symlink():
        return {"": path.read_bytes()}
    if not path.is_dir():
        raise StoreFault(f"{path} is neither a plain file nor a folder")
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def _cid(tree: Tree) -> Cid:
    digest = sha256(msgspec.msgpack.encode(sorted(tree.items()))).digest()
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    number = int.from_bytes(digest, "big")
    return Cid("b" + "".join(alphabet[(number >> 5 * place) & 31] for place in range(52)))


def _size(tree: Tree) -> int:
    return sum(len(data) for data in tree.values())


@implementer(IResourceStore)
class MemoryResourceStore:
    """IResourceStore in a MemoryWorld. Its ids look like Cids, and are none that IPFS would make."""

    def __init__(self, world: MemoryWorld, gateway: Place) -> None:
        self._world = world
        self._mine = world.held.setdefault(gateway, {})
        self._pins: dict[str, set[Cid]] = {}

    def put(self, path: str, owner: str) -> Deferred[Content]:
        """Import a file or folder."""
        return Deferred.fromCoroutine(self._put(path, owner))

    async def _put(self, path: str, owner: str) -> Content:
        tree = _read(Path(path))
        cid = _cid(tree)
        self._mine[cid] = tree
        self._pins.setdefault(owner, set()).add(cid)
        return Content(cid=cid, size_bytes=_size(tree))

    def get(self, cid: Cid, sources: Sequence[Place], limit: int, owner: str) -> Deferred[int]:
        """Have content here."""
        return Deferred.fromCoroutine(self._get(cid, sources, limit, owner))

    async def _get(self, cid: Cid, sources: Sequence[Place], limit: int, owner: str) -> int:
        if cid not in self._mine:
            await deferLater(self._world.clock, FETCH_S, lambda: None)
            tree = next((held[cid] for s in sources if cid in (held := self._world.held.get(s, {}))), None)
            if tree is None:
                raise ContentMissing(f"nobody of {', '.join(sources) or 'nobody'} has {cid}")
            if _size(tree) > limit:
                raise TooLarge(f"{cid} has {_size(tree)} bytes, more than {limit}")
            self._mine[cid] = tree
        self._pins.setdefault(owner, set()).add(cid)
        return _size(self._mine[cid])

    def materialise(self, cid: Cid, into: str) -> Deferred[None]:
        """Write content as a file or folder."""
        return Deferred.fromCoroutine(self._materialise(cid, Path(into)))

    async def _materialise(self, cid: Cid, into: Path) -> None:
        if cid not in self._mine:
            raise ContentMissing(f"{cid} is not here")
        for name, data in self._mine[cid].items():
            target = into / name if name else into
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def unpin(self, owner: str) -> Deferred[None]:
        """Let go of what is pinned for `owner` alone."""
        return Deferred.fromCoroutine(self._unpin(owner))

    async def _unpin(self, owner: str) -> None:
        gone = self._pins.pop(owner, set())
        for cid in gone - set().union(*self._pins.values()):
            self._mine.pop(cid, None)
