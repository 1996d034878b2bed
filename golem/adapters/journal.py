"""IJournal on SQLite: a write-ahead log, one transaction per group of turns, on disk when `append` returns."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from zope.interface import implementer

from golem.errors import JournalFault
from golem.interfaces import IJournal

FORMAT = 1  # raised whenever old turns would be read differently
SCHEMA = """
CREATE TABLE IF NOT EXISTS turns (number INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), data BLOB NOT NULL);
"""


@implementer(IJournal)
class SqliteJournal:
    """The journal of one node. A second process that opens it is refused."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._db = self._open()
        except sqlite3.Error as why:
            raise JournalFault(
                f"the journal {path} can't be opened: {why}; is another node running in this folder?"
            ) from why

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(self._path, isolation_level=None, timeout=0.5)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        (found,) = db.execute("PRAGMA user_version").fetchone()
        if found not in (0, FORMAT):
            raise JournalFault(f"the journal {self._path} is of format {found}, and this is golem with format {FORMAT}")
        db.execute("BEGIN EXCLUSIVE")
        for statement in SCHEMA.split(";"):
            db.execute(statement)
        db.execute("PRAGMA user_version = 1")
        db.execute("COMMIT")
        return db

    def append(self, turns: Sequence[bytes]) -> None:
        """Make turns durable, all or none."""
        try:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT INTO turns (data) VALUES (?)", [(turn,) for turn in turns])
            self._db.execute("COMMIT")
        except sqlite3.Error as why:
            raise JournalFault(f"the journal {self._path} can't be written: {why}; is the disk full?") from why

    def snapshot(self, state: bytes) -> None:
        """Replace all turns so far by the state they led to, atomically."""
        try:
            self._db.execute("BEGIN")
            self._db.execute("INSERT OR REPLACE INTO snapshot (id, data) VALUES (1, ?)", (state,))
            self._db.execute("DELETE FROM turns")
            self._db.execute("COMMIT")
        except sqlite3.Error as why:
            raise JournalFault(f"the journal {self._path} can't be written: {why}; is the disk full?") from why

    def replay(self) -> tuple[bytes | None, Sequence[bytes]]:
        """The last snapshot, and the turns after it."""
        try:
            row = self._db.execute("SELECT data FROM snapshot").fetchone()
            turns = [data for (data,) in self._db.execute("SELECT data FROM turns ORDER BY number")]
        except sqlite3.Error as why:
            raise JournalFault(f"the journal {self._path} can't be read: {why}") from why
        return (row[0] if row else None), turns

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
