"""UnixFS: files and folders as DAG-PB nodes. Symbolic links and metadata are not read or written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from golem.errors import ContentUnreadable
from golem.ipfs import dagpb, hamt
from golem.ipfs.cid import Key
from golem.ipfs.dagpb import Link
from golem.ipfs.hamt import Shard

MAX_NAME_BYTES = 255  # what Linux file systems take
MAX_DEPTH = 32  # nodes above one another; a path of more folders is nobody's honest scene
MAX_LINKS = 1 << 18  # of one content, counted as often as they occur: 256 GiB in chunks of 1 MiB, or so many files
_RAW, _FOLDER, _FILE = 0, 1, 2


class Piece(NamedTuple):
    """A child of a file's node: `size` bytes of the file lie below it."""

    key: Key
    size: int


class File(NamedTuple):
    """A file, or a part of one: `data`, then the pieces in order. `size`: of all of it."""

    pieces: tuple[Piece, ...]
    data: bytes
    size: int


class Folder(NamedTuple):
    """Names, sorted by their bytes, and what they name. `tsizes`: as in `dagpb.Link`."""

    entries: tuple[tuple[str, Key], ...]
    tsizes: tuple[int, ...]


def encode_file(links: Sequence[Link], sizes: Sequence[int]) -> bytes:
    """A file's node. `sizes`: how many bytes of the file lie below each link."""
    data = dagpb.field(1, _FILE) + dagpb.field(3, sum(sizes)) + b"".join(dagpb.field(4, size) for size in sizes)
    return dagpb.encode(links, data)


def encode_folder(links: Sequence[Link]) -> bytes:
    """A folder's node; its links are named."""
    return dagpb.encode(sorted(links, key=lambda link: link.name), dagpb.field(1, _FOLDER))


def encode_leaf(chunk: bytes) -> bytes:
    """A chunk of a file as a node of its own, as was usual before raw leaves."""
    size = dagpb.field(3, len(chunk))
    return dagpb.encode([], dagpb.field(1, _FILE) + (dagpb.field(2, chunk) if chunk else b"") + size)


def decode(block: bytes) -> File | Folder | Shard:
    """What a DAG-PB node stands for, or ContentUnreadable."""
    links, data = dagpb.decode(block)
    numbers: dict[int, int] = {}
    inline, sizes = b"", []
    for number, value in dagpb.fields(data):
        match number, value:
            case 2, bytes():
                inline = value
            case 4, int():
                sizes.append(value)
            case _, int():
                numbers[number] = value
    kind = numbers.get(1)
    if kind == hamt.KIND:
        return hamt.decode(links, inline, numbers.get(5, 0), numbers.get(6, 0), check_name)
    if kind == _FOLDER:
        return _folder(links)
    if kind not in (_FILE, _RAW):
        raise ContentUnreadable("neither a file nor a folder (symbolic links are not read)")
    return _file(links, inline, sizes, numbers.get(3))


def check_name(name: bytes) -> str:
    """A name that is safe as one component of a path and on a terminal, or ContentUnreadable."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        text = ""
    if not (0 < len(name) <= MAX_NAME_BYTES and text.isprintable()) or "/" in text or text in ("", ".", ".."):
        raise ContentUnreadable(f"a name that we do not write: {name[:80]!r}")
    return text


def _file(links: Sequence[Link], inline: bytes, sizes: Sequence[int], size: int | None) -> File:
    if len(sizes) != len(links) or 0 in sizes:
        raise ContentUnreadable("a file's node does not say how much lies below each link")
    total = sum(sizes) + len(inline)
    if size not in (None, total):
        raise ContentUnreadable("a file's size is not the sum of its parts")
    pieces = tuple(Piece(link.key, length) for link, length in zip(links, sizes, strict=True))
    return File(pieces, inline, total)


def _folder(links: Sequence[Link]) -> Folder:
    entries = {check_name(link.name): link for link in links}
    if len(entries) != len(links):
        raise ContentUnreadable("a folder has one name twice")
    ordered = sorted(entries.items())  # by code point, which is by UTF-8 byte
    return Folder(tuple((name, link.key) for name, link in ordered), tuple(link.tsize for _, link in ordered))
