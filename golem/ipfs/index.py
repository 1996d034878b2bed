"""Which block lies where, what belongs to which content, and who wants it kept: a SQLite database.

A block lies in a file: a pack of ours, or a file of the user's. Contents are complete, or not listed. Rows go in after
the bytes they speak of, in one transaction, and come out before them. Every method is one transaction, safe from any
thread. The disk isn't waited for: blocks are checked when they are read, so what a power cut lost is found out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from golem.errors import StoreFault, TooLarge
from golem.ipfs.cid import Key, to_text
from golem.model.content import Kept

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, path TEXT, size INTEGER, mtime_ns INTEGER);
CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, cid BLOB UNIQUE, file INTEGER, start INTEGER, size INTEGER);
CREATE INDEX IF NOT EXISTS blocks_file ON blocks (file);
CREATE TABLE IF NOT EXISTS contents (id INTEGER PRIMARY KEY, cid BLOB UNIQUE, size INTEGER);
CREATE TABLE IF NOT EXISTS members (content INTEGER, block INTEGER, PRIMARY KEY (content, block)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_block ON members (block);
CREATE TABLE IF NOT EXISTS pins (owner TEXT, content INTEGER, PRIMARY KEY (owner, content)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pins_content ON pins (content);
"""
_PIN = "INSERT OR IGNORE INTO pins SELECT ?, id FROM contents WHERE cid = ?"
_ADD_BLOCK = """
INSERT INTO blocks (cid, file, start, size) VALUES (?, ?, ?, ?)
ON CONFLICT (cid) DO UPDATE SET file = excluded.file, start = excluded.start, size = excluded.size
WHERE (SELECT path FROM files WHERE id = blocks.file) <> ''
"""  # a place in a pack of ours is kept; one in a file of the user's gives way to a newer one
_FIND = """
SELECT cid, files.id, path, files.size, mtime_ns, start, blocks.size FROM blocks JOIN files ON files.id = file
WHERE cid IN ({})
"""
_SIZES = """
SELECT cid, size FROM blocks WHERE cid IN ({}) AND EXISTS (
    SELECT 1 FROM members JOIN pins ON pins.content = members.content
    WHERE members.block = blocks.id AND (owner = ? OR substr(owner, 1, length(?)) = ?)
)
"""
_LAST_PINNED_BY = """
SELECT content, cid FROM pins AS mine JOIN contents ON contents.id = content WHERE owner = ?
AND NOT EXISTS (SELECT 1 FROM pins WHERE content = mine.content AND owner <> mine.owner)
"""
_FILES_OF = "SELECT DISTINCT file FROM members JOIN blocks ON blocks.id = block WHERE content = ?"
_DROP_BLOCKS = """
DELETE FROM blocks WHERE id IN (SELECT block FROM members WHERE content = :content)
AND NOT EXISTS (SELECT 1 FROM members WHERE block = blocks.id AND content <> :content)
"""
_USED_BY = "SELECT content FROM members JOIN blocks ON blocks.id = block WHERE cid = ? AND file = ?"
_USED_FILE = "SELECT DISTINCT content FROM members JOIN blocks ON blocks.id = block WHERE file = ?"
_DROP_FILE = "DELETE FROM files WHERE id = ? AND NOT EXISTS (SELECT 1 FROM blocks WHERE file = files.id) RETURNING id"


class Stored(NamedTuple):
    """A file that holds blocks. `path`: empty for a pack of ours. `mtime_ns`: a user's file, as it was read."""

    file: int
    path: str
    size: int
    mtime_ns: int


class Place(NamedTuple):
    """Where a block lies in a file."""

    file: int
    start: int
    size: int


class Index:
    """The database. Raises StoreFault where it can't be read or written."""

    def __init__(self, path: Path) -> None:
        try:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA}")
        except sqlite3.Error as why:
            raise StoreFault(f"{path}: {why}") from why
        self._path = path
        self._lock = Lock()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _turn(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing."""
        with self._lock:
            try:
                self._database.execute("BEGIN")
                with self._database:
                    yield self._database
            except sqlite3.Error as why:
                raise StoreFault(f"{self._path}: {why}") from why

    def packs(self) -> dict[int, int]:
        """The size of each pack of ours, after forgetting files without blocks."""
        with self._turn() as sql:
            sql.execute("DELETE FROM files WHERE id NOT IN (SELECT file FROM blocks)")
            return dict(sql.execute("SELECT id, size FROM files WHERE path = ''"))

    def last_file(self) -> int:
        """The highest number a file has."""
        with self._turn() as sql:
            return int(sql.execute("SELECT coalesce(max(id), 0) FROM files").fetchone()[0])

    def find(self, keys: Sequence[Key]) -> dict[Key, tuple[Stored, Place]]:
        """Where those of these blocks should be that are here."""
        query = _FIND.format(",".join("?" * len(keys)))
        with self._lock:
            try:
                rows = self._database.execute(query, keys).fetchall()
            except sqlite3.Error as why:
                raise StoreFault(f"{self._path}: {why}") from why
        return {Key(cid): (Stored(*row[:4]), Place(row[0], *row[4:])) for cid, *row in rows}

    def sizes(self, keys: Sequence[Key], prefix: str, owner: str) -> dict[Key, int]:
        """The sizes of those blocks that `owner` pinned with some content, or an owner that begins with `prefix`."""
        query = _SIZES.format(",".join("?" * len(keys)))
        with self._turn() as sql:
            return {Key(cid): size for cid, size in sql.execute(query, (*keys, owner, prefix, prefix))}

    def pin(self, key: Key, owner: str, limit: int) -> int | None:
        """Keep a content for `owner` and say its size, if it is here; raises TooLarge past `limit`."""
        with self._turn() as sql:
            size = self._size(sql, key)
            if size is not None and size > limit:
                raise TooLarge(f"{to_text(key)} has {size} bytes, more than the {limit} agreed on")
            return size if size is None else self._pin(sql, key, owner)

    def add(self, key: Key, size: int, owner: str, files: Iterable[Stored], places: dict[Key, Place]) -> list[int]:
        """List a complete content and pin it. Returns those of `files` that turned out not to be needed."""
        with self._turn() as sql:
            if self._pin(sql, key, owner) is not None:
                return [stored.file for stored in files]
            sql.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", files)
            sql.executemany(_ADD_BLOCK, ((cid, *place) for cid, place in places.items()))
            content = sql.execute("INSERT INTO contents (cid, size) VALUES (?, ?)", (key, size)).lastrowid
            sql.executemany(
                "INSERT INTO members SELECT ?, id FROM blocks WHERE cid = ?", ((content, cid) for cid in places)
            )
            self._pin(sql, key, owner)
            return self._drop_files(sql, [stored.file for stored in files])

    def unpin(self, owner: str) -> tuple[list[Key], list[int]]:
        """Let go of an owner's pins and of what nobody else wants. Returns that, and the files that are empty now."""
        with self._turn() as sql:
            rows = sql.execute(_LAST_PINNED_BY, (owner,)).fetchall()
            sql.execute("DELETE FROM pins WHERE owner = ?", (owner,))
            return [Key(cid) for _, cid in rows], self._drop_contents(sql, [content for content, _ in rows])

    def contents(self) -> list[Kept]:
        """All contents, the oldest first."""
        with self._turn() as sql:
            owners: dict[int, list[str]] = {}
            for owner, content in sql.execute("SELECT owner, content FROM pins ORDER BY owner"):
                owners.setdefault(content, []).append(owner)
            rows = sql.execute("SELECT id, cid, size FROM contents ORDER BY id").fetchall()
        return [
            Kept(cid=to_text(Key(cid)), size_bytes=size, owners=tuple(owners.get(number, ())))
            for number, cid, size in rows
        ]

    def referred(self) -> list[Stored]:
        """The user's files that have blocks."""
        with self._turn() as sql:
            return [Stored(*row) for row in sql.execute("SELECT id, path, size, mtime_ns FROM files WHERE path <> ''")]

    def forget_file(self, file: int) -> list[int]:
        """A user's file isn't what it was: no content that has a block in it is complete. Returns as `unpin` does."""
        with self._turn() as sql:
            return self._drop_contents(sql, [row[0] for row in sql.execute(_USED_FILE, (file,))])

    def forget(self, key: Key, file: int) -> list[int]:
        """A block isn't where it should be: no content that has it is complete. Returns files as `unpin` does."""
        with self._turn() as sql:
            contents = [row[0] for row in sql.execute(_USED_BY, (key, file))]
            return self._drop_contents(sql, contents)

    def _pin(self, sql: sqlite3.Connection, key: Key, owner: str) -> int | None:
        sql.execute(_PIN, (owner, key))
        return self._size(sql, key)

    def _size(self, sql: sqlite3.Connection, key: Key) -> int | None:
        row = sql.execute("SELECT size FROM contents WHERE cid = ?", (key,)).fetchone()
        return None if row is None else int(row[0])

    def _drop_contents(self, sql: sqlite3.Connection, contents: Iterable[int]) -> list[int]:
        files: set[int] = set()
        for content in contents:
            files.update(row[0] for row in sql.execute(_FILES_OF, (content,)))
            sql.execute(_DROP_BLOCKS, {"content": content})
            sql.execute("DELETE FROM members WHERE content = ?", (content,))
            sql.execute("DELETE FROM pins WHERE content = ?", (content,))
            sql.execute("DELETE FROM contents WHERE id = ?", (content,))
        return self._drop_files(sql, sorted(files))

    def _drop_files(self, sql: sqlite3.Connection, files: Iterable[int]) -> list[int]:
        return [file for file in files if sql.execute(_DROP_FILE, (file,)).fetchone()]
