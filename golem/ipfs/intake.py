"""Checks the blocks of one content as they arrive, from several sources and in any order in which parents come first.

A block is taken when something that is here links to it, and only within what was agreed. What a file's node says of
the sizes below it is added up before any of it is accepted, and what it says must come true; a file that is one block
counts with what its folder says of it until it is here, and with its own bytes from then on.
"""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple, Protocol

from golem.errors import ContentMismatch, ContentUnreadable, TooLarge
from golem.ipfs import hamt, unixfs
from golem.ipfs.cid import MAX_BLOCK_BYTES, Chunk, Key, check_block, is_raw, to_text
from golem.ipfs.hamt import Shard
from golem.ipfs.unixfs import File, Folder

MAX_NODES_BYTES = 32 << 20  # all DAG-PB blocks of one content: MAX_LINKS of them with long names


class Keeper(Protocol):
    """Where accepted blocks go."""

    def reserve(self, size: int) -> None:
        """Be sure of room for `size` bytes in all; raises TooLarge."""

    def keep(self, key: Key, block: Chunk) -> None:
        """Take a block that has been checked."""


class Leaf(NamedTuple):
    """A raw block that is still wanted, and of how many bytes, as far as is said."""

    key: Key
    size: int


class _Want(NamedTuple):
    """One occurrence of a block in the tree.

    `size`: what a file's node says lies below; None where nobody said yet, so it counts when it comes. `path`: where a
    shard of a folder hangs in it; empty for anything else. `hint`: how many bytes a folder says that a raw block has.
    """

    key: Key
    size: int | None
    depth: int
    path: bytes = b""
    hint: int = 0


class Intake:
    """The progress of one content, safe from any thread.

    `size`: bytes of its files, as far as known. `taken`, `received_bytes`: blocks that are here, and their bytes.
    """

    def __init__(self, root: Key, limit: int, keeper: Keeper) -> None:
        self.size = 0
        self.taken = 0
        self.received_bytes = 0
        self._limit = limit
        self._keeper = keeper
        self._lock = Lock()
        self._links = 0
        self._nodes_bytes = 0
        self._hinted = 0  # bytes that folders say of files which are not here yet
        self._here: dict[Key, File | Folder | Shard | int] = {}  # nodes, and the sizes of raw blocks
        self._waiting: dict[Key, list[_Want]] = {root: [_Want(root, None, 0)]}

    @property
    def is_complete(self) -> bool:
        """Whether all of it is here."""
        return not self._waiting

    def lacks(self, key: Key) -> bool:
        """Whether this block is still wanted."""
        return key in self._waiting

    def missing(self) -> list[Key]:
        """The blocks still wanted."""
        with self._lock:
            return list(self._waiting)

    def nodes(self) -> list[Key]:
        """The blocks still wanted that link to others."""
        with self._lock:
            return [key for key in self._waiting if not is_raw(key)]

    def leaves(self) -> list[Leaf]:
        """The raw blocks still wanted."""
        with self._lock:
            firsts = [wants[0] for key, wants in self._waiting.items() if is_raw(key)]
        return [Leaf(want.key, want.size or want.hint) for want in firsts]

    def take(self, key: Key, block: Chunk) -> bool:
        """Check and keep a block; False where it is here already.

        Raises ContentMismatch for the wrong one (its sender is bad), ContentUnreadable or TooLarge for content that
        is bad by itself, whoever sends it.
        """
        if key in self._here:
            return False
        if key not in self._waiting:
            raise ContentMismatch(f"a block that nobody asked for: {to_text(key)}")
        if len(block) > MAX_BLOCK_BYTES:
            raise TooLarge(f"{to_text(key)}: a block of {len(block)} bytes")
        check_block(key, block)
        found = len(block) if is_raw(key) else unixfs.decode(bytes(block))
        with self._lock:
            wants = self._waiting.pop(key, None)
            if wants is None:  # another source was faster
                return False
            if not isinstance(found, int):
                self._nodes_bytes += len(block)
                if self._nodes_bytes > MAX_NODES_BYTES:
                    raise TooLarge(f"more than {MAX_NODES_BYTES} bytes of nodes")
            self._here[key] = found
            self._hinted -= sum(want.hint for want in wants)
            for want in wants:
                self._enter(want)
            self._keeper.keep(key, block)
            self.taken += 1
            self.received_bytes += len(block)
        return True

    def _enter(self, first: _Want) -> None:
        """Count one occurrence of a block that is here, and what hangs on it as far as that is here, too."""
        pending = [first]
        while pending:
            want = pending.pop()
            found = self._here.get(want.key)
            if found is None:
                self._waiting.setdefault(want.key, []).append(want)
                self._hinted += want.hint
                continue
            below = [] if isinstance(found, int) else self._below(want, found)
            if isinstance(found, int):
                self._leaf(want, found)
            pending.extend(reversed(below))
        self._count(0, 0)

    def _leaf(self, want: _Want, size: int) -> None:
        if want.path:
            raise ContentUnreadable("a file where part of a folder should be")
        self._file(want, size)

    def _below(self, want: _Want, node: File | Folder | Shard) -> list[_Want]:
        depth = want.depth + 1
        if depth > unixfs.MAX_DEPTH:
            raise ContentUnreadable(f"nodes more than {unixfs.MAX_DEPTH} deep")
        if want.path and not isinstance(node, Shard):
            raise ContentUnreadable("something else where part of a folder should be")
        if isinstance(node, File):
            self._file(want, node.size)
            self._count(0, len(node.pieces))
            return [_Want(piece.key, piece.size, depth) for piece in node.pieces]
        if want.size is not None:
            raise ContentUnreadable("a folder where part of a file should be")
        return self._entries(want, node, depth)

    def _entries(self, want: _Want, node: Folder | Shard, depth: int) -> list[_Want]:
        if isinstance(node, Folder):
            paths, keys = [b""] * len(node.entries), [key for _, key in node.entries]
        else:
            hamt.check_place(node, want.path)
            pairs = zip(node.slots, node.names, strict=True)
            paths = [b"" if name is not None else want.path + bytes((slot,)) for slot, name in pairs]
            keys = list(node.keys)
        self._count(0, len(keys))
        hints = (min(size, MAX_BLOCK_BYTES) if is_raw(key) else 0 for key, size in zip(keys, node.tsizes, strict=True))
        return [_Want(key, None, depth, path, hint) for key, path, hint in zip(keys, paths, hints, strict=True)]

    def _file(self, want: _Want, size: int) -> None:
        """A file, or the part of one whose size its node has told and counted."""
        if want.size is None:
            self._count(size, 0)
        elif want.size != size:
            raise ContentUnreadable("a file's node lies about the size of a part")

    def _count(self, size: int, links: int) -> None:
        self.size += size
        self._links += links
        if self.size + self._hinted > self._limit:
            raise TooLarge(f"more than the {self._limit} bytes agreed on")
        if self._links > unixfs.MAX_LINKS:
            raise TooLarge(f"more than {unixfs.MAX_LINKS} files and chunks")
        self._keeper.reserve(self.size + self._hinted)
