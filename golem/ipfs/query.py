"""What a request to a gateway asks for, by its path, its query and its headers; the query wins (IPIP-523)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from twisted.web import http
from twisted.web.server import Request

from golem.errors import ContentMissing, ContentUnreadable
from golem.ipfs import reader, unixfs
from golem.ipfs.cid import Key, from_text, is_raw, to_text

RAW, CAR = "application/vnd.ipld.raw", "application/vnd.ipld.car"
MAX_NAMED = 256  # blocks named in one request; an address has room for no more
MAX_PATH_NAMES = unixfs.MAX_DEPTH
_SINCE = re.compile(r"since:([0-9]{1,9})")
_RANGE = re.compile(r"(-?[0-9]{1,16}):(-?[0-9]{1,16}|\*)")


class Unserved(Exception):
    """What we do not answer, and with which status."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


class Query(NamedTuple):
    """One request. `path`: names to follow from `root`; `named`: only these blocks; `nodes`: only what is no leaf.

    `span`: first and last byte of a file; `again`: blocks as often as they are linked to. `since`: not the blocks, but
    the ids of those that came after so many.
    """

    root: Key
    form: str
    path: tuple[str, ...] = ()
    scope: str = "all"
    span: tuple[int, int | None] | None = None
    again: bool = False
    named: tuple[Key, ...] = ()
    nodes: bool = False
    since: int | None = None

    @property
    def kind(self) -> str:
        """The media type of the answer."""
        if self.since is not None:
            return "application/octet-stream"
        return RAW if self.form == "raw" else f"{CAR}; version=1; order=dfs; dups={'y' if self.again else 'n'}"

    @property
    def name(self) -> str:
        """A file name for the answer."""
        return f"{to_text(self.root)}.{self.form}"

    def found(self, read: reader.Read) -> Iterator[tuple[Key, bytes]]:
        """The blocks asked for, unless they were named; reads, so it may block."""
        if self.nodes:
            return reader.nodes(read, self.root)
        return self._below(read)

    def _below(self, read: reader.Read) -> Iterator[tuple[Key, bytes]]:
        at = self.root
        for name in self.path:
            passed, at = _step(read, at, name)
            yield from passed
        if self.span is not None:
            yield from reader.ranged(read, at, *self.span)
        else:
            yield from reader.blocks(read, at, self.scope, again=self.again)


def _step(read: reader.Read, folder: Key, name: str) -> tuple[list[tuple[Key, bytes]], Key]:
    """The blocks that show what `name` in a folder is, and what it is. Raises ContentMissing."""
    passed: list[tuple[Key, bytes]] = []

    def noted(key: Key) -> bytes:
        block = read(key)
        passed.append((key, block))
        return block

    block = b"" if is_raw(folder) else noted(folder)
    node = unixfs.decode(block) if block else None
    if node is not None and not isinstance(node, unixfs.File):
        for entry, key in reader.entries(noted, node):
            if entry == name:
                return passed, key
    raise ContentMissing(f"{to_text(folder)} has no {name!r}")


def asked(request: Request) -> Query:
    """Understand a request; raises Unserved."""
    path = request.path.decode("ascii", "replace")
    root, *names = path.removeprefix("/ipfs/").strip("/").split("/")
    if not path.startswith("/ipfs/") or not root:
        raise Unserved(http.BAD_REQUEST, "ask for /ipfs/{cid}")
    try:
        query = _query(request, from_text(root))
        if names and query.form == "raw":
            raise ValueError("a raw block is asked for by its id alone")
        if len(names) > MAX_PATH_NAMES:
            raise ValueError(f"a path of more than {MAX_PATH_NAMES} names")
        return query._replace(path=tuple(unixfs.check_name(unquote_to_bytes(name)) for name in names))
    except (ContentUnreadable, ValueError) as why:
        raise Unserved(http.BAD_REQUEST, str(why)) from why


def _query(request: Request, root: Key) -> Query:
    form, parameters = _form(request)
    if form == "raw":
        return Query(root, form)

    def said(name: str, default: str, *allowed: str) -> str:
        value = _argument(request, name) or parameters.get(name.removeprefix("car-"), default)
        if value not in allowed:
            raise ValueError(f"{name} is one of {', '.join(allowed)}")
        return value

    said("car-version", "1", "1")
    said("car-order", "dfs", "dfs", "unk")
    again = said("car-dups", "n", "y", "n") == "y"
    blocks = _argument(request, "blocks")
    since = _SINCE.fullmatch(blocks)
    keys = tuple(from_text(name) for name in blocks.split(",")) if blocks not in ("", "nodes") and not since else ()
    if len(keys) > MAX_NAMED:
        raise ValueError(f"more than {MAX_NAMED} blocks at once")
    return Query(
        root=root,
        form=form,
        scope=said("dag-scope", "all", *reader.SCOPES),
        span=_span(_argument(request, "entity-bytes")),
        again=again,
        named=keys,
        nodes=blocks == "nodes",
        since=int(since[1]) if since else None,
    )


def _form(request: Request) -> tuple[str, dict[str, str]]:
    """Raw or CAR, and what the accepted type says more about it."""
    accept = request.getHeader("accept") or ""
    accepted = [_media(part) for part in accept.split(",")]
    accepted.sort(key=lambda media: -_weight(media[1]))
    wanted = _argument(request, "format")
    kinds = {"raw": RAW, "car": CAR}
    if wanted:
        if wanted not in kinds:
            raise ValueError("only what can be checked is served: format=raw or format=car")
        return wanted, next((more for kind, more in accepted if kind == kinds[wanted]), {})
    for kind, more in accepted:
        for form, known in kinds.items():
            if kind == known:
                return form, more
    if accept in ("", "*/*"):
        raise ValueError("only what can be checked is served: ?format=raw or ?format=car")
    raise Unserved(http.NOT_ACCEPTABLE, f"served as {RAW} or {CAR}")


def _media(part: str) -> tuple[str, dict[str, str]]:
    kind, *parameters = (word.strip().lower() for word in part.split(";"))
    return kind, {name: value for name, _, value in (word.partition("=") for word in parameters)}


def _weight(parameters: dict[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0


def _span(text: str) -> tuple[int, int | None] | None:
    if not text:
        return None
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError("entity-bytes is from:to, like 0:1023, -1024:* or 0:-1")
    first, last = int(found[1]), None if found[2] == "*" else int(found[2])
    if last is not None and (first < 0) == (last < 0) and last < first:
        raise ValueError("entity-bytes ends before it begins")
    return first, last


def _argument(request: Request, name: str) -> str:
    values: list[bytes] = (request.args or {}).get(name.encode(), [])
    return values[0].decode("ascii", "replace") if values else ""
