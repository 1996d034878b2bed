"""Checks the blocks of one content as they arrive: each the very one wanted next, all within what was agreed.

Order is depth first, each block once, as `dups=n; order=dfs` promises. What a file's node says of the sizes below it
is added up before any of it is accepted, and what it says must come true.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from golem.errors import ContentMismatch, ContentUnreadable, TooLarge
from golem.ipfs import hamt, unixfs
from golem.ipfs.cid import MAX_BLOCK_BYTES, Key, check_block, is_raw, to_text
from golem.ipfs.hamt import Shard
from golem.ipfs.unixfs import File, Folder

MAX_NODES_BYTES = 32 << 20  # all DAG-PB blocks of one content: MAX_LINKS of them with long names


class Keeper(Protocol):
    """Where accepted blocks go."""

    def reserve(self, size: int) -> None:
        """Be sure of room for `size` bytes in all; raises TooLarge."""

    def keep(self, key: Key, block: bytes) -> None:
        """Take a block that has been checked."""


class _Want(NamedTuple):
    """`size`: what a file's node says lies below; None where nobody said yet, so it counts when it comes.

    `path`: where a shard of a folder hangs in it; empty for anything else.
    """

    key: Key
    size: int | None
    depth: int
    path: bytes = b""


class _Mark(NamedTuple):
    """Stands below the children of a node: when it is on top, all of them are here."""

    key: Key
    size: int | None
    size_before: int
    links_before: int
    path: bytes


class _Known(NamedTuple):
    """What hangs on a block that is here, for when it is linked to again."""

    size: int
    links: int
    is_file: bool
    path: bytes = b""


class Intake:
    """The progress of one content. `size`: bytes of its files so far; `taken`: blocks so far."""

    def __init__(self, root: Key, limit: int, keeper: Keeper) -> None:
        self.size = 0
        self.taken = 0
        self._limit = limit
        self._keeper = keeper
        self._links = 0
        self._nodes_bytes = 0
        self._known: dict[Key, _Known] = {}
        self._stack: list[_Want | _Mark] = [_Want(root, None, 0)]

    @property
    def wanted(self) -> Key | None:
        """The block that must come next; None once all are here."""
        return self._stack[-1].key if self._stack else None

    def take(self, key: Key, block: bytes) -> None:
        """Check and keep the next block.

        Raises ContentMismatch for the wrong one (its sender is bad), ContentUnreadable or TooLarge for content that
        is bad by itself, whoever sends it.
        """
        want = self._stack[-1] if self._stack else None
        if not isinstance(want, _Want) or want.key != key:
            raise ContentMismatch(f"a block that nobody asked for: {to_text(key)}")
        check_block(key, block)
        if len(block) > MAX_BLOCK_BYTES:
            raise TooLarge(f"{to_text(key)}: a block of {len(block)} bytes")
        self._stack.pop()
        if is_raw(key):
            self._leaf(want, len(block))
        else:
            self._node(want, block)
        self._keeper.keep(key, block)
        self.taken += 1
        self._settle()

    def _leaf(self, want: _Want, size: int) -> None:
        if want.path:
            raise ContentUnreadable("a file where part of a folder should be")
        self._file(want, size)
        self._known[want.key] = _Known(size, 0, is_file=True)

    def _node(self, want: _Want, block: bytes) -> None:
        self._nodes_bytes += len(block)
        if self._nodes_bytes > MAX_NODES_BYTES:
            raise TooLarge(f"more than {MAX_NODES_BYTES} bytes of nodes")
        if want.depth >= unixfs.MAX_DEPTH:
            raise ContentUnreadable(f"nodes more than {unixfs.MAX_DEPTH} deep")
        node = unixfs.decode(block)
        size = node.size if isinstance(node, File) else None
        self._stack.append(_Mark(want.key, size, self.size, self._links, want.path))
        below = self._below(want, node)
        self._count(0, len(below))
        self._stack.extend(reversed(below))

    def _below(self, want: _Want, node: File | Folder | Shard) -> list[_Want]:
        depth = want.depth + 1
        if want.path and not isinstance(node, Shard):
            raise ContentUnreadable("something else where part of a folder should be")
        if isinstance(node, File):
            self._file(want, node.size)
            return [_Want(piece.key, piece.size, depth) for piece in node.pieces]
        self._folder(want)
        if isinstance(node, Folder):
            return [_Want(key, None, depth) for _, key in node.entries]
        hamt.check_place(node, want.path)
        return [
            _Want(key, None, depth, b"" if name is not None else want.path + bytes((slot,)))
            for slot, name, key in zip(node.slots, node.names, node.keys, strict=True)
        ]

    def _file(self, want: _Want, size: int) -> None:
        """A file, or the part of one whose size its node has told and counted."""
        if want.size is None:
            self._count(size, 0)
        elif want.size != size:
            raise ContentUnreadable("a file's node lies about the size of a part")

    def _folder(self, want: _Want) -> None:
        if want.size is not None:
            raise ContentUnreadable("a folder where part of a file should be")

    def _count(self, size: int, links: int) -> None:
        self.size += size
        self._links += links
        if self.size > self._limit:
            raise TooLarge(f"more than the {self._limit} bytes agreed on")
        if self._links > unixfs.MAX_LINKS:
            raise TooLarge(f"more than {unixfs.MAX_LINKS} files and chunks")
        self._keeper.reserve(self.size)

    def _settle(self) -> None:
        """Go past what is complete, and past links to what is here already: its bytes count again."""
        while self._stack:
            top = self._stack[-1]
            if isinstance(top, _Mark):
                size = self.size - top.size_before if top.size is None else top.size
                self._known[top.key] = _Known(size, self._links - top.links_before, top.size is not None, top.path)
            elif (known := self._known.get(top.key)) is not None:
                if top.path != known.path:
                    raise ContentUnreadable("one node in two places of sharded folders")
                self._file(top, known.size) if known.is_file else self._again(top, known)
                self._count(0, known.links)
            else:
                return
            self._stack.pop()

    def _again(self, want: _Want, known: _Known) -> None:
        self._folder(want)
        self._count(known.size, 0)
