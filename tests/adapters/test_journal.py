"""The journal on a real disk: what it said is there is there, whatever a power cut leaves of what it was writing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from golem.adapters.journal import SqliteJournal
from golem.errors import JournalFault

SECTOR = 512  # bytes that a disk writes together
SEEDS = 8  # of each way in which a write can be cut off
Disk = dict[str, bytes]
Told = tuple[bytes | None, list[bytes]]


def lost(before: bytes, after: bytes, dice: Random) -> bytes:
    """Nothing has come to the disk."""
    return before


def torn(before: bytes, after: bytes, dice: Random) -> bytes:
    """It has the first of all bytes that are new, up to some."""
    first = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), len(before))
    cut = dice.choice((dice.randint(first, len(after)), len(after)))
    return after[:cut] + before[cut:]


def reordered(before: bytes, after: bytes, dice: Random) -> bytes:
    """It has some sectors, early and late ones."""
    old, size = before.ljust(len(after), b"\0"), len(after)
    sectors = [(after if dice.random() < 0.5 else old)[at : at + SECTOR] for at in range(0, size, SECTOR)]
    return b"".join(sectors)


CUTS: Sequence[Callable[[bytes, bytes, Random], bytes]] = (lost, torn, reordered)


def read(folder: Path) -> Disk:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def told(journal: SqliteJournal) -> Told:
    state, turns = journal.replay()
    return state, list(turns)


def opened(folder: Path, disk: Disk) -> SqliteJournal:
    folder.mkdir()
    for name, data in disk.items():
        (folder / name).write_bytes(data)
    return SqliteJournal(folder / "journal.db")


def life(folder: Path) -> Iterator[tuple[Disk, Told]]:
    """Write turns of all sizes, and a snapshot, in two runs; after each step, what the disk holds and what was told."""
    folder.mkdir()
    dice = Random(1)
    for run in range(2):
        journal = SqliteJournal(folder / "journal.db")
        yield read(folder), told(journal)
        for step in range(6):
            if (run, step) == (1, 3):
                journal.snapshot(dice.randbytes(9_000))
            journal.append([dice.randbytes(dice.choice((3, 300, 9_000))) for _ in range(dice.randint(1, 3))])
            yield read(folder), told(journal)
        journal.close()


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.__name__)
def test_a_power_cut_leaves_what_was_told_before_or_all_of_what_was_being_told(
    tmp_path: Path, cut: Callable[[bytes, bytes, Random], bytes]
) -> None:
    steps = list(life(tmp_path / "life"))
    tried = whole = 0
    for number, ((old, before), (new, after)) in enumerate(pairwise(steps)):
        if set(old) != set(new) or old["journal.db"] != new["journal.db"]:
            continue  # between two runs SQLite syncs more than once; a step of one run writes its log alone
        for seed in range(SEEDS):
            dice = Random(f"{number}/{seed}")
            crashed = {name: cut(old[name], data, dice) if data != old[name] else data for name, data in new.items()}
            journal = opened(tmp_path / f"{number}-{seed}", crashed)
            found = told(journal)
            assert found in (before, after)
            tried, whole = tried + 1, whole + (found == after)
            journal.append([b"more"])
            journal.close()
            assert told(SqliteJournal(tmp_path / f"{number}-{seed}" / "journal.db")) == (found[0], [*found[1], b"more"])
    assert tried == 12 * SEEDS, "every step of one run is cut"
    assert (whole > 0) is (cut is not lost), "some cuts come late enough to leave everything"


WRITER = """
import sys
from pathlib import Path
from golem.adapters.journal import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]))
for number in range(1_000_000):
    journal.append([b"%d" % number, b"and"])
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_a_process_that_is_killed_has_written_all_that_it_said_it_had(tmp_path: Path) -> None:
    for lines in (1, 40, 200):
        path = tmp_path / f"{lines}.db"
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            heard = [writer.stdout.readline() for _ in range(lines)]
            os.kill(writer.pid, signal.SIGKILL)
            heard += writer.stdout.readlines()
        journal = SqliteJournal(path)
        _, turns = journal.replay()
        journal.close()
        assert turns[: 2 * len(heard)] == [turn for line in heard for turn in (line.strip(), b"and")]
        assert len(turns) in (2 * len(heard), 2 * len(heard) + 2), "a group is whole, or not there"


def test_a_second_process_is_refused_and_a_journal_of_another_format_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    with pytest.raises(JournalFault, match="is another node running in this folder"):
        SqliteJournal(path)
    journal.close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(JournalFault, match="is of format 9"):
        SqliteJournal(path)
