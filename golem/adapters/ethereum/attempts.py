"""What we signed, on disk before it is sent: after a crash the same bytes are sent again, and are mined only once."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from golem.errors import ChainFault
from golem.wire.codec import Decoder, encode
from golem.wire.transaction import Transaction

KEEP_NONCES = 64  # far more transactions of one account than any reorganisation undoes
SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL, nonce INTEGER NOT NULL, block INTEGER NOT NULL,
    tx_hash TEXT NOT NULL, body BLOB NOT NULL, raw BLOB NOT NULL
) STRICT
"""
DEPOSIT = "deposit/"  # keys that begin so are remembered for ever: a deposit must not happen twice
COLUMNS = "key, nonce, block, tx_hash, body, raw"
_bodies: Decoder[Transaction] = Decoder(Transaction)


class Attempt(msgspec.Struct, frozen=True):
    """One signed transaction. `key`: what it is for, and others may be, too. `block`: the head when it was signed."""

    key: str
    block: int
    tx_hash: str
    body: Transaction
    raw: bytes


class Attempts:
    """The attempts of one account on one chain, in a file of its own. Raises ChainFault."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0.5)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(SCHEMA)
        except (OSError, sqlite3.Error) as why:
            raise self._fault(why) from why

    def of(self, key: str) -> Sequence[Attempt]:
        """All attempts at one thing, the oldest first."""
        return self._read("WHERE key = ? ORDER BY number", key)

    def since(self, nonce: int) -> Sequence[Attempt]:
        """The newest attempt at each nonce from `nonce` on, in the order of nonces."""
        newest = "number IN (SELECT max(number) FROM attempts WHERE nonce >= ? GROUP BY nonce)"
        return self._read(f"WHERE {newest} ORDER BY nonce", nonce)

    def add(self, attempt: Attempt) -> None:
        """Keep an attempt, and let go of those that no reorganisation brings back, but for deposits."""
        body = attempt.body
        row = (attempt.key, body.nonce, attempt.block, attempt.tx_hash, encode(body), attempt.raw)
        self._run(f"INSERT INTO attempts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", *row)  # noqa: S608 - our own words
        old = (body.nonce - KEEP_NONCES, DEPOSIT + "%")
        self._run("DELETE FROM attempts WHERE nonce < ? AND key NOT LIKE ?", *old)

    def is_sound(self) -> bool:
        """Whether all attempts at one thing say the same, and no nonce between two kept ones is missing."""
        kept = self._read("WHERE number >= ? ORDER BY nonce", 0)
        said: dict[str, tuple[int, bytes]] = {}
        same = all(said.setdefault(a.key, (a.body.value, a.body.data)) == (a.body.value, a.body.data) for a in kept)
        nonces = sorted({a.body.nonce for a in kept if not a.key.startswith(DEPOSIT)})[-KEEP_NONCES:]
        known = {a.body.nonce for a in kept}
        return same and (not nonces or known >= set(range(nonces[0], nonces[-1])))

    def forget(self, key: str) -> None:
        """Let go of all attempts at one thing: it may be tried anew."""
        self._run("DELETE FROM attempts WHERE key = ?", key)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _read(self, which: str, value: str | int) -> Sequence[Attempt]:
        rows = self._run(f"SELECT {COLUMNS} FROM attempts {which}", value)  # noqa: S608 - both are our own words
        return [
            Attempt(key=key, block=block, tx_hash=tx_hash, body=_bodies.decode(body), raw=raw)
            for key, _, block, tx_hash, body, raw in rows
        ]

    def _run(self, statement: str, *values: str | int | bytes) -> list[tuple[str, int, int, str, bytes, bytes]]:
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as why:
            raise self._fault(why) from why

    def _fault(self, why: Exception) -> ChainFault:
        return ChainFault(f"the payments under way can't be kept in {self._path}: {why}; is the disk full?")
