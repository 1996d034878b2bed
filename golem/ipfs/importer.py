"""Makes UnixFS of files and folders, by a profile of IPIP-499: the same bytes have one id everywhere.

`unixfs-v1-2025` is what nodes use: CIDv1, raw leaves of 1 MiB, balanced nodes of 1024 links. `unixfs-v0-2015` gives the
ids that start with Qm. Folders are sorted by the bytes of their names; one that would pass 256 KiB (about 4,700 names)
is sharded. A file of one chunk is its own leaf. Symbolic links, devices and pipes are refused; hidden files are taken
like any other.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from golem.errors import ContentUnreadable, StoreFault
from golem.ipfs import hamt, unixfs
from golem.ipfs.cid import Chunk, Key, node_key, old_key, raw_key
from golem.ipfs.dagpb import Link

CHUNK_BYTES = 1 << 20
WIDTH = 1024
MAX_FOLDERS_DEEP = unixfs.MAX_DEPTH - 4  # the rest is for a file's own nodes
MAX_FOLDER_BYTES = 256 << 10  # both profiles': exactly as large is still plain
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # non-blocking, so that no pipe makes us wait


class Profile(NamedTuple):
    """Rules by which bytes become blocks. `key`: of a node."""

    chunk_bytes: int
    width: int
    has_raw_leaves: bool
    key: Callable[[bytes], Key]


V1_2025 = Profile(CHUNK_BYTES, WIDTH, True, node_key)
V0_2015 = Profile(256 << 10, 174, False, old_key)
PROFILES = {"unixfs-v1-2025": V1_2025, "unixfs-v0-2015": V0_2015}


class Sink(Protocol):
    """Takes blocks as they are made."""

    def begin(self, path: str, found: os.stat_result) -> None:
        """The leaves that follow are this file's, in order from its start."""

    def leaf(self, key: Key, chunk: Chunk) -> None:
        """A raw block; `chunk` is only good until this returns."""

    def node(self, key: Key, block: bytes) -> None:
        """A DAG-PB block."""


class Tree(NamedTuple):
    """What was made. `size`: bytes of all files below it. `tsize`: of all blocks."""

    key: Key
    size: int
    tsize: int


def import_path(path: str, sink: Sink, profile: Profile = V1_2025) -> Tree:
    """Import a file or folder. A symbolic link is followed only where it is `path` itself.

    Raises StoreFault that names the file at fault.
    """
    return _Importer(sink, profile).entry(path, path, None, 0)


def import_chunks(chunks: Iterable[Chunk], sink: Sink, profile: Profile = V1_2025) -> Tree:
    """Import one file's chunks, each but the last as long as the profile says."""
    level = [_leaf(chunk, sink, profile) for chunk in chunks]
    if not level:
        level = [_leaf(b"", sink, profile)]
    while len(level) > 1:
        level = [_parent(level[at : at + profile.width], sink, profile) for at in range(0, len(level), profile.width)]
    return level[0]


def _leaf(chunk: Chunk, sink: Sink, profile: Profile) -> Tree:
    if profile.has_raw_leaves:
        key = raw_key(chunk)
        sink.leaf(key, chunk)
        return Tree(key, len(chunk), len(chunk))
    block = unixfs.encode_leaf(bytes(chunk))
    key = profile.key(block)
    sink.node(key, block)
    return Tree(key, len(chunk), len(block))


def _parent(parts: list[Tree], sink: Sink, profile: Profile) -> Tree:
    links = [Link(part.key, b"", part.tsize) for part in parts]
    return _noded(unixfs.encode_file(links, [part.size for part in parts]), parts, sink, profile)


def _noded(block: bytes, parts: Iterable[Tree], sink: Sink, profile: Profile) -> Tree:
    key = profile.key(block)
    sink.node(key, block)
    return Tree(key, sum(part.size for part in parts), len(block) + sum(part.tsize for part in parts))


def _folder(links: Sequence[Link], size: int, sink: Sink, profile: Profile) -> Tree:
    """A folder's node, or its shards where one would be too large. `size`: bytes of the files in it."""

    def made(block: bytes) -> Key:
        key = profile.key(block)
        sink.node(key, block)
        return key

    block, below = unixfs.encode_folder(links), sum(link.tsize for link in links)
    is_estimated = not profile.has_raw_leaves  # the older profile counts names and ids alone
    extent = sum(len(link.name) + len(link.key) for link in links) if is_estimated else len(block)
    if extent > MAX_FOLDER_BYTES:
        block, below = hamt.encode(links, made)
    return Tree(made(block), size, len(block) + below)


class _Importer:
    """One import: its buffer, and how much it may still take."""

    def __init__(self, sink: Sink, profile: Profile) -> None:
        self._sink = sink
        self._profile = profile
        self._buffer = memoryview(b"")
        self._links_left = unixfs.MAX_LINKS

    def entry(self, where: str, name: str, parent: int | None, depth: int) -> Tree:
        """Import what `name` is in the open folder `parent`; `where` is its path, for people."""
        with _opened(where, name, parent) as (handle, found):
            if stat.S_ISREG(found.st_mode):
                return self._file(where, handle, found)
            if depth >= MAX_FOLDERS_DEEP:
                raise StoreFault(f"{where}: more than {MAX_FOLDERS_DEEP} folders deep")
            return self._folder(where, handle, depth)

    def _file(self, where: str, handle: int, found: os.stat_result) -> Tree:
        self._sink.begin(where, found)
        room = min(found.st_size, self._profile.chunk_bytes)
        if len(self._buffer) < room:
            self._buffer = memoryview(bytearray(room))
        tree = import_chunks(self._chunks(where, handle), self._sink, self._profile)
        after = os.fstat(handle)
        if not tree.size == after.st_size == found.st_size or after.st_mtime_ns != found.st_mtime_ns:
            raise StoreFault(f"{where}: changed while it was read")
        return tree

    def _chunks(self, where: str, handle: int) -> Iterator[memoryview]:
        while filled := self._fill(handle):
            self._count(where)
            yield self._buffer[:filled]

    def _fill(self, handle: int) -> int:
        filled = 0
        while filled < len(self._buffer) and (count := os.readv(handle, [self._buffer[filled:]])):
            filled += count
        return filled

    def _folder(self, where: str, handle: int, depth: int) -> Tree:
        links, trees = [], []
        for name in sorted(os.listdir(handle), key=os.fsencode):
            self._count(where)
            path = f"{where}/{name}"
            try:
                unixfs.check_name(os.fsencode(name))
            except ContentUnreadable as why:
                raise StoreFault(f"{where}: {why}") from why
            trees.append(self.entry(path, name, handle, depth + 1))
            links.append(Link(trees[-1].key, os.fsencode(name), trees[-1].tsize))
        return _folder(links, sum(tree.size for tree in trees), self._sink, self._profile)

    def _count(self, where: str) -> None:
        self._links_left -= 1
        if self._links_left < 0:
            raise StoreFault(f"{where}: more than {unixfs.MAX_LINKS} files and chunks in all")


@contextmanager
def _opened(where: str, name: str, parent: int | None) -> Iterator[tuple[int, os.stat_result]]:
    """Open a plain file or a folder, and nothing else, even if somebody swaps it under us."""
    inside = parent is not None
    try:
        _check_kind(where, os.stat(name, dir_fd=parent, follow_symlinks=not inside))
        handle = os.open(name, _FLAGS | (os.O_NOFOLLOW if inside else 0), dir_fd=parent)
        try:
            found = os.fstat(handle)
            _check_kind(where, found)
            yield handle, found
        finally:
            os.close(handle)
    except OSError as why:
        raise StoreFault(f"{where}: {why.strerror}") from why


def _check_kind(where: str, found: os.stat_result) -> None:
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise StoreFault(f"{where}: neither a plain file nor a folder")
