"""Blocks on disk: a folder with an index and packs. A pack is a file with the blocks of one content, end to end.

What lies in the user's own folders is not copied: the index names the file, and how large and how old it was. Every
block is hashed when it is read. One that is not what it was is forgotten, with all contents it belongs to: they count
as not here, and can be fetched or put again. Content that nobody pins is deleted at once: it is not ours to keep.

A pack without a row in the index is what a crash left; it is removed at the next start. What a fetch had brought by
then lies in a part, a CAR whose blocks are checked and taken when the same content is fetched again. Methods may block
for as long as the disk takes, and are safe from any thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock

from golem.errors import ContentMismatch, ContentMissing, StoreFault, TooLarge
from golem.ipfs import reader
from golem.ipfs.cid import Key, check_block, to_text
from golem.ipfs.drafts import Coming, Draft, Part
from golem.ipfs.importer import Tree, import_path
from golem.ipfs.index import Index, Place, Stored
from golem.ipfs.tickets import PUBLIC

PART = ".part"


class BlockStore:
    """Blocks by id, contents by their root, as `index` lists them.

    `quota_bytes`: the most that packs may take, those under way included. `is_public`: all is for everybody.
    """

    def __init__(self, folder: Path, quota_bytes: int, *, is_public: bool = False) -> None:
        """Open, or make, the store in `folder`. Raises StoreFault."""
        self._packs = folder / "packs"
        self._quota_bytes = quota_bytes
        self._is_public = is_public
        self._lock = Lock()  # for the numbers below
        try:
            self._packs.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.index = Index(folder / "index.sqlite")
            self._sizes = self.index.packs()
            self._used_bytes = sum(self._sizes.values())
            self._last_file = self.index.last_file()
            self._parts: dict[Path, int] = {}  # that nobody goes on with, and their sizes
            self._sweep()
        except OSError as why:
            raise StoreFault(f"{folder}: {why.strerror}") from why
        self._claimed_bytes = 0
        self.coming = Coming()
        self.importing: dict[Draft, str] = {}  # and the path that is read
        self.is_frozen = False

    def _sweep(self) -> None:
        """Remove packs that a crash left without a row; parts may be of use."""
        for path in self._packs.iterdir():
            if path.suffix == PART:
                self._parts[path] = path.stat().st_size
            elif not path.name.isdecimal() or int(path.name) not in self._sizes:
                path.unlink()

    def freeze(self) -> None:
        """Take no more: drafts under way fail at their next block."""
        self.is_frozen = True

    def close(self) -> None:
        """Let go of the index; every method fails from now on."""
        self.freeze()
        self.index.close()
        self._drop_parts()

    def used_bytes(self) -> int:
        """What packs take on disk, and what was reserved for those under way."""
        with self._lock:
            return self._used_bytes + self._claimed_bytes + sum(self._parts.values())

    def draft(self, *, by_reference: bool = False) -> Draft:
        """Room for a new content, which nobody sees before its `commit`. Use it in a `with`."""
        return Draft(self, by_reference=by_reference)

    def resumed(self, root: Key, owner: str) -> Part:
        """Room for a content that is fetched; see `Part.recall` for what of it is here."""
        path = self._packs / f"{to_text(root)}{PART}"
        with self._lock:
            self._parts.pop(path, None)
        return self.coming.add(Part(self, root, owner, path))

    def sizes(self, keys: Sequence[Key], visitor: str) -> dict[Key, int]:
        """The sizes of those blocks that are here and that a visitor may have, what comes in for it included."""
        here = self.index.sizes(keys, "" if self._is_public else PUBLIC, visitor)
        return self.coming.sizes(keys, visitor, is_public=self._is_public) | here

    def read(self, key: Key) -> bytes:
        """A block, checked against its id; raises ContentMissing."""
        return next(self.read_all([key]))

    def read_all(self, keys: Sequence[Key]) -> Iterator[bytes]:
        """These blocks, found by one look at the index; each is read, and checked, as it is taken."""
        found = self.index.find(keys)
        for key in keys:
            yield self._checked(key, *found[key]) if key in found else self.coming.read(key)

    def _checked(self, key: Key, stored: Stored, place: Place) -> bytes:
        try:
            block = _read(stored.path or self.pack(stored.file), stored, place)
            check_block(key, block)
        except (OSError, ContentMismatch) as why:
            self._removed(self.index.forget(key, place.file))
            raise ContentMissing(f"{stored.path or f'pack {stored.file}'}: changed or gone since it was put") from why
        return block

    def pin(self, key: Key, owner: str, limit: int) -> int | None:
        """Keep content for `owner` and say how many bytes its files hold; None where it is not here.

        Raises TooLarge, and pins nothing, where that is more than `limit`.
        """
        return self.index.pin(key, owner, limit)

    def unpin(self, owner: str) -> list[Key]:
        """Let go of what `owner` pinned, and delete what nobody else pins; says what that was."""
        gone, files = self.index.unpin(owner)
        self._removed(files)
        return gone

    def collect(self) -> int:
        """Forget contents with files of the user's that changed or are gone, and parts; how many bytes that freed."""
        before = self.used_bytes()
        self._drop_parts()
        for stored in self.index.referred():
            if not _is_unchanged(stored):
                self._removed(self.index.forget_file(stored.file))
        return before - self.used_bytes()

    def pack(self, file: int) -> Path:
        """Where a pack is."""
        return self._packs / str(file)

    def _removed(self, files: Iterable[int]) -> None:
        for file in files:
            self.pack(file).unlink(missing_ok=True)
            with self._lock:
                self._used_bytes -= self._sizes.pop(file, 0)

    # What drafts do; nobody else.

    def number(self) -> int:
        """A number for a file that no other has."""
        with self._lock:
            self._last_file += 1
            return self._last_file

    def claim(self, more: int) -> None:
        """Reserve room, or give it back; raises TooLarge."""
        if more > 0 and self.used_bytes() + more > self._quota_bytes:
            self._drop_parts()
        with self._lock:
            if more > 0 and self._used_bytes + self._claimed_bytes + more > self._quota_bytes:
                raise TooLarge(f"the content store would pass its quota of {self._quota_bytes} bytes (ipfs.quota)")
            self._claimed_bytes += more

    def _drop_parts(self) -> None:
        with self._lock:
            parts, self._parts = self._parts, {}
        for path in parts:
            path.unlink(missing_ok=True)

    def enter(self, key: Key, size: int, owner: str, files: list[Stored], places: dict[Key, Place]) -> None:
        """List a content whose bytes are all written."""
        with self._lock:
            for stored in files:
                if not stored.path:
                    self._sizes[stored.file] = stored.size
                    self._used_bytes += stored.size
        self._removed(self.index.add(key, size, owner, files, places))


def put(store: BlockStore, path: str, owner: str, *, by_reference: bool) -> Tree:
    """Import a file or folder, pinned for `owner`. Raises StoreFault, TooLarge."""
    with store.draft(by_reference=by_reference) as draft:
        store.importing[draft] = path
        try:
            tree = import_path(path, draft)
            draft.commit(tree.key, tree.size, owner)
        finally:
            del store.importing[draft]
    return tree


def write(store: BlockStore, key: Key, into: str) -> None:
    """See `reader.write_out`."""
    reader.write_out(store.read, key, into)


def exported(store: BlockStore, key: Key) -> Iterator[bytes]:
    """A content as a CAR, in large pieces."""
    parts = reader.car_parts(key, reader.blocks(store.read, key))
    while batch := reader.next_batch(parts):
        yield b"".join(batch)


def _read(path: str | Path, stored: Stored, place: Place) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if stored.path and (found.st_size, found.st_mtime_ns) != (stored.size, stored.mtime_ns):
            raise ContentMismatch("another size or time")
        return os.pread(handle, place.size, place.start)
    finally:
        os.close(handle)


def _is_unchanged(stored: Stored) -> bool:
    try:
        found = Path(stored.path).stat()
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (stored.size, stored.mtime_ns)
