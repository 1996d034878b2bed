"""Reads content back, block by block: in the order that CARs have, or into files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from golem.errors import StoreFault
from golem.ipfs import car, unixfs
from golem.ipfs.beneath import open_beneath
from golem.ipfs.cid import Key, is_raw
from golem.ipfs.hamt import Shard
from golem.ipfs.unixfs import File, Folder

Read = Callable[[Key], bytes]
"""Gives a block, checked against its id, or raises ContentMissing."""

BATCH_BYTES = 1 << 20  # read, checked and written in one go; the last block of a batch may pass it
JOINED_BYTES = 64 << 10  # smaller parts are copied into one, larger ones are sent as they are
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
SCOPES = ("block", "entity", "all")


def blocks(read: Read, root: Key, scope: str = "all", *, again: bool = False) -> Iterator[tuple[Key, bytes]]:
    """The blocks of a graph, depth first, each once, or, with `again`, as often as it is linked to.

    `scope`: "block" is the root alone, "entity" a whole file or a folder's own list, "all" everything.
    """
    seen = set()
    pending = [root]
    while pending:
        key = pending.pop()
        if key in seen and not again:
            continue
        seen.add(key)
        block = read(key)
        yield key, block
        if scope != "block" and not is_raw(key):
            pending.extend(reversed(_children(block, scope)))


def nodes(read: Read, root: Key) -> Iterator[tuple[Key, bytes]]:
    """The blocks of a graph that are no leaves, depth first, each once."""
    seen = set()
    pending = [root]
    while pending:
        key = pending.pop()
        if key not in seen and not is_raw(key):
            seen.add(key)
            block = read(key)
            yield key, block
            pending.extend(reversed(_children(block, "all")))


def ranged(read: Read, root: Key, first: int, last: int | None) -> Iterator[tuple[Key, bytes]]:
    """The blocks that hold bytes `first` to `last` of a file, and those that lead to them, depth first.

    `first`, `last`: from the end where negative; `last` None: the end. Of a folder: its own list.
    """
    block = b"" if is_raw(root) else read(root)
    file = unixfs.decode(block) if block else None
    if not isinstance(file, File):
        yield from blocks(read, root, "entity")
        return
    start = max(file.size + first, 0) if first < 0 else first
    end = file.size if last is None else (file.size + last if last < 0 else last) + 1
    pending = [(root, 0)]
    while pending:
        key, at = pending.pop()
        block = read(key)
        yield key, block
        if not is_raw(key) and isinstance(part := unixfs.decode(block), File):
            offset, inside = at + len(part.data), []
            for piece in part.pieces:
                if offset < end and offset + piece.size > start:
                    inside.append((piece.key, offset))
                offset += piece.size
            pending.extend(reversed(inside))


def car_parts(root: Key, found: Iterable[tuple[Key, bytes]]) -> Iterator[bytes]:
    """A CAR of these blocks, in parts; a block is a part by itself."""
    yield car.header(root)
    for key, block in found:
        yield car.lead(key, len(block))
        yield block


def next_batch(parts: Iterator[bytes]) -> list[bytes]:
    """At least one part, and others while they fit, the small ones joined; empty at the end."""
    batch: list[bytes] = []
    small: list[bytes] = []
    size = 0
    while size < BATCH_BYTES and (part := next(parts, None)) is not None:
        size += len(part)
        small.append(part)
        if len(part) > JOINED_BYTES:
            batch += [b"".join(small[:-1]), part]
            small.clear()
    return [part for part in (*batch, b"".join(small)) if part]


def _children(block: bytes, scope: str) -> list[Key]:
    match unixfs.decode(block):
        case File() as file:
            return [piece.key for piece in file.pieces]
        case Folder() as folder:
            return [key for _, key in folder.entries] if scope == "all" else []
        case Shard() as shard:
            pairs = zip(shard.names, shard.keys, strict=True)
            return [key for name, key in pairs if name is None or scope == "all"]


def write_out(read: Read, root: Key, into: str) -> None:
    """Write content as the file or folder `into`, all or nothing. Files are 0644 and folders 0755, whatever the umask.

    No name in it leads out of the folder that `into` is in, even if somebody else puts links there meanwhile.
    Raises StoreFault where `into` exists or can't be written, ContentMissing where a block is not here.
    """
    target = Path(into)
    draft = f".{target.name}.part"
    try:
        if os.path.lexists(target):
            raise StoreFault(f"{into}: already exists")
        with _opened(os.open(target.parent, _FOLDER | os.O_CLOEXEC)) as folder:
            try:
                _write(read, root, folder, draft)
                os.rename(draft, target.name, src_dir_fd=folder, dst_dir_fd=folder)
            finally:
                _remove(folder, draft)
    except OSError as why:
        raise StoreFault(f"{into}: {why.strerror}") from why


def _write(read: Read, key: Key, folder: int, name: str) -> None:
    """Write one entry of an open folder; the graph is as deep as was allowed when it came in."""
    block = read(key)
    node = File((), block, len(block)) if is_raw(key) else unixfs.decode(block)
    if isinstance(node, Folder | Shard):
        os.mkdir(name, dir_fd=folder)
        with _opened(open_beneath(folder, name, _FOLDER)) as below:
            os.fchmod(below, 0o755)
            for child_name, child in entries(read, node):
                _write(read, child, below, child_name)
        return
    with open(open_beneath(folder, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb", buffering=0) as out:
        os.fchmod(out.fileno(), 0o644)
        for data in _contents(read, node):
            out.write(data)


@contextmanager
def _opened(handle: int) -> Iterator[int]:
    try:
        yield handle
    finally:
        os.close(handle)


def entries(read: Read, folder: Folder | Shard) -> Iterator[tuple[str, Key]]:
    """The names in a folder and what they name, its shards' too."""
    if isinstance(folder, Folder):
        yield from folder.entries
        return
    for name, key in zip(folder.names, folder.keys, strict=True):
        if name is not None:
            yield name, key
        elif isinstance(shard := unixfs.decode(read(key)), Shard):
            yield from entries(read, shard)


def _contents(read: Read, file: File) -> Iterator[bytes]:
    if file.data:
        yield file.data
    for piece in file.pieces:
        block = read(piece.key)
        if is_raw(piece.key):
            yield block
        elif isinstance(part := unixfs.decode(block), File):
            yield from _contents(read, part)


def _remove(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except IsADirectoryError:
        shutil.rmtree(name, dir_fd=folder)
