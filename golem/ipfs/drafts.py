"""Contents under way into a block store: their bytes are in a pack that nobody sees before `commit`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from golem.errors import ContentMismatch, ContentMissing, StoreFault
from golem.ipfs import car
from golem.ipfs.car import CarReader
from golem.ipfs.cid import Chunk, Key, check_block, to_text
from golem.ipfs.index import Place, Stored

_WRITE_BYTES = 256 << 10  # small blocks are gathered into writes of this size


class Base(Protocol):
    """What a draft needs of its store. `is_frozen`: nothing more is taken. `coming`: the parts under way."""

    is_frozen: bool
    coming: Coming

    def number(self) -> int:
        """A number for a file that no other has."""

    def pack(self, file: int) -> Path:
        """Where a pack is."""

    def claim(self, more: int) -> None:
        """Reserve room, or give it back; raises TooLarge."""

    def enter(self, key: Key, size: int, owner: str, files: list[Stored], places: dict[Key, Place]) -> None:
        """List a content whose bytes are all written."""


class Draft:
    """A content under way: a sink for an importer, a keeper for an intake. Its bytes vanish unless committed.

    `read_bytes`: of files that were read to be put in.
    """

    def __init__(self, store: Base, *, by_reference: bool) -> None:
        self._store = store
        self._by_reference = by_reference
        self.read_bytes = 0
        self._places: dict[Key, Place] = {}
        self._referred: list[Stored] = []
        self._offset = 0
        self._pack = store.number()
        self._path = store.pack(self._pack)  # of what is written
        self._pack_file: BinaryIO | None = None
        self._pack_bytes = 0
        self._claimed_bytes = 0
        self._is_kept = False  # by a commit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what was reserved; what was not committed leaves no trace."""
        if self._pack_file is not None:
            with suppress(OSError):  # on a full disk the last bytes can't be written, and need not be
                self._pack_file.close()
        if not self._is_kept:
            self._path.unlink(missing_ok=True)
        self._store.claim(-self._claimed_bytes)

    def begin(self, path: str, found: os.stat_result) -> None:
        """See `Sink.begin`."""
        if self._by_reference:
            number = self._store.number()
            self._referred.append(Stored(number, path, found.st_size, found.st_mtime_ns))
            self._offset = 0
        else:
            self.reserve(self._pack_bytes + found.st_size)

    def leaf(self, key: Key, chunk: Chunk) -> None:
        """See `Sink.leaf`."""
        self.read_bytes += len(chunk)
        if self._by_reference and self._referred:
            self._check_open()
            self._places.setdefault(key, Place(self._referred[-1].file, self._offset, len(chunk)))
            self._offset += len(chunk)
        else:
            self.keep(key, chunk)

    def node(self, key: Key, block: bytes) -> None:
        """See `Sink.node`."""
        self.keep(key, block)

    def reserve(self, size: int) -> None:
        """Be sure that `size` bytes in all have room; raises TooLarge."""
        if size > self._claimed_bytes:
            self._store.claim(size - self._claimed_bytes)
            self._claimed_bytes = size

    def keep(self, key: Key, block: Chunk) -> None:
        """Write a block at the end of the pack, unless it is there."""
        self._check_open()
        if key in self._places:
            return
        self._append(block)
        self._places[key] = Place(self._pack, self._pack_bytes - len(block), len(block))

    def _append(self, data: Chunk) -> None:
        self.reserve(self._pack_bytes + len(data))
        try:
            if self._pack_file is None:
                self._pack_file = self._path.open("a+b", buffering=_WRITE_BYTES)
            self._pack_file.write(data)
        except OSError as why:
            raise StoreFault(f"{self._path}: {why.strerror}") from why
        self._pack_bytes += len(data)

    def commit(self, root: Key, size: int, owner: str) -> None:
        """Make the content visible, whole, and pinned for `owner`. `size`: bytes of its files."""
        files = list(self._referred)
        if self._pack_file is not None:
            try:
                self._pack_file.close()
                self._path.replace(self._store.pack(self._pack))
            except OSError as why:
                raise StoreFault(f"{self._path}: {why.strerror}") from why
            files.append(Stored(self._pack, "", self._pack_bytes, 0))
        self._store.enter(root, size, owner, files, self._places)
        self._is_kept = True

    def _check_open(self) -> None:
        if self._store.is_frozen:
            raise StoreFault("the content store is closing")


class Part(Draft):
    """A content that is fetched for `owner`, and served meanwhile as far as it is here.

    Its pack is a CAR, so that after a crash it says by itself what of it is here.
    """

    def __init__(self, store: Base, root: Key, owner: str, path: Path) -> None:
        super().__init__(store, by_reference=False)
        self.root = root
        self.owner = owner
        self._path = path
        self._is_recalling = False

    def recall(self, take: Callable[[Key, Chunk], object]) -> None:
        """Give to `take` what came in before a crash, each block checked; what is torn or wrong is cut off."""
        if not self._path.exists():
            return
        reader, self._is_recalling = CarReader(), True
        try:
            with self._path.open("rb") as file, suppress(ContentMismatch):
                while data := file.read(1 << 20):
                    for key, block in reader.feed([data]):
                        take(key, block)
            os.truncate(self._path, self._pack_bytes)
            self._pack_file = self._path.open("a+b", buffering=_WRITE_BYTES)
        except OSError as why:
            raise StoreFault(f"{self._path}: {why.strerror}") from why
        finally:
            self._is_recalling = False

    def keep(self, key: Key, block: Chunk) -> None:
        """See `Draft.keep`."""
        if not self._pack_bytes:
            self._append(car.header(self.root))
        if key not in self._places:
            self._append(car.lead(key, len(block)))
        super().keep(key, block)

    def _append(self, data: Chunk) -> None:
        if self._is_recalling:
            self.reserve(self._pack_bytes + len(data))
            self._pack_bytes += len(data)
        else:
            super()._append(data)

    def close(self) -> None:
        """See `Draft.close`; when the store itself closes, what has come stays for the next time."""
        self._store.coming.remove(self)
        self._is_kept |= self._store.is_frozen
        super().close()

    def sizes(self, keys: Sequence[Key]) -> dict[Key, int]:
        """The sizes of those of these blocks that are here by now."""
        return {key: self._places[key].size for key in keys if key in self._places}

    def came(self) -> list[Key]:
        """The blocks that are here by now, in the order in which they came."""
        return list(self._places)

    def read(self, key: Key) -> bytes | None:
        """A block that is here by now, unchecked; None for any other."""
        place = self._places.get(key)
        if place is None or self._pack_file is None:
            return None
        self._pack_file.flush()
        return os.pread(self._pack_file.fileno(), place.size, place.start)


class Coming:
    """Contents under way, as far as they are here. Safe from any thread."""

    def __init__(self) -> None:
        self._parts: dict[Key, Part] = {}

    def add(self, part: Part) -> Part:
        """It begins."""
        self._parts[part.root] = part
        return part

    def remove(self, part: Part) -> None:
        """It is over, whichever way."""
        self._parts.pop(part.root, None)

    def sizes(self, keys: Sequence[Key], visitor: str, *, is_public: bool) -> dict[Key, int]:
        """The sizes of those of these blocks that are here by now, of what comes in for `visitor` or for everybody."""
        mine = [part for part in list(self._parts.values()) if is_public or part.owner == visitor]
        return {key: size for part in mine for key, size in part.sizes(keys).items()}

    def keys(self, root: Key) -> list[Key] | None:
        """What is here of a content, in the order in which it came; None of one that is not under way."""
        part = self._parts.get(root)
        return None if part is None else part.came()

    def read(self, key: Key) -> bytes:
        """A block, checked; its content may end meanwhile, one way or the other. Raises ContentMissing."""
        for part in list(self._parts.values()):
            with suppress(OSError, ValueError, ContentMismatch):  # closed under us
                if (block := part.read(key)) is not None:
                    check_block(key, block)
                    return block
        raise ContentMissing(f"{to_text(key)} is not here")
