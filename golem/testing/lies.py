"""What a cheater may deliver for a chunk of any template: nothing, junk, another's work, less work than asked for."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import shake_256
from pathlib import Path
from shutil import copytree

import msgspec

from golem.model.messages import Delivery
from golem.model.spec import Job, Status
from golem.model.value import evolve
from golem.template import Json, to_json
from golem.testing.bench import Bench
from golem.testing.cheater import TASKS

Lie = Callable[[Bench, Job, Delivery, Delivery | None], Delivery | None]
"""Makes of honest work, and of another chunk's, a delivery that is not what was asked for; None where it can't."""

OTHER_DIGITS = bytes.maketrans(b"123456789", b"234567891")


def nothing(bench: Bench, work: Job, honest: Delivery, other: Delivery | None) -> Delivery | None:
    """No file and an empty report."""
    return evolve(honest, result="", size_bytes=0, report=b"{}")


def junk(bench: Bench, work: Job, honest: Delivery, other: Delivery | None) -> Delivery | None:
    """A report that is no JSON; every file has its length and its name, and no sense."""
    return _forged(bench, evolve(honest, report=b'{"'), lambda data: _noise(len(data)))


def another(bench: Bench, work: Job, honest: Delivery, other: Delivery | None) -> Delivery | None:
    """The honest work on another chunk."""
    if other is None:
        return None
    return _lie(bench, honest, evolve(honest, result=other.result, size_bytes=other.size_bytes, report=other.report))


def altered(bench: Bench, work: Job, honest: Delivery, other: Delivery | None) -> Delivery | None:
    """Every value of the report is another, where the report is all there is; else every file has other values."""
    if honest.result:
        return _lie(bench, honest, _forged(bench, honest, _plausible))
    report = to_json(_changed(msgspec.json.decode(honest.report)))
    return _lie(bench, honest, evolve(honest, report=report))


def cut(bench: Bench, work: Job, honest: Delivery, other: Delivery | None) -> Delivery | None:
    """Every file ends in its middle."""
    return _lie(bench, honest, _forged(bench, honest, lambda data: data[: len(data) // 2]))


def _lazy(kind: str) -> Lie:
    def lie(bench: Bench, work: Job, honest: Delivery, other: Delivery | None) -> Delivery | None:
        """As `golem.testing.cheater` does."""
        job = TASKS[kind](work)
        if msgspec.json.decode(job.params) == msgspec.json.decode(work.params):
            return None
        made = bench.run(job)
        if made.status is not Status.DONE:
            return None
        return evolve(honest, result=made.result, size_bytes=made.size_bytes, report=made.report)

    return lie


LIES: dict[str, Lie] = {
    "who delivers nothing": nothing,
    "who delivers junk": junk,
    "who delivers another chunk's work": another,
    "who makes up what he delivers": altered,
    "who delivers half of each file": cut,
    "who renders with half of the samples": _lazy("samples"),
    "who renders under another seed": _lazy("seed"),
}


def _lie(bench: Bench, honest: Delivery, told: Delivery) -> Delivery | None:
    """What is told, if it is not the truth after all: a chunk's only value may be 0, or equal another's."""
    is_same = told.report == honest.report and _bytes(bench, told) == _bytes(bench, honest)
    return None if is_same else told


def _noise(size: int) -> bytes:
    return shake_256(b"noise").digest(size)


def _plausible(data: bytes) -> bytes:
    """Of a text, every digit but 0 is another; of anything else, all but the first quarter is noise."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data[: len(data) // 4] + _noise(len(data) - len(data) // 4)
    return data.translate(OTHER_DIGITS)


def _bytes(bench: Bench, delivery: Delivery) -> list[bytes]:
    return [file.read_bytes() for file in _files(bench.path(delivery.result))] if delivery.result else []


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _forged(bench: Bench, delivery: Delivery, change: Callable[[bytes], bytes]) -> Delivery:
    if not delivery.result:
        return delivery
    honest = bench.path(delivery.result)
    number = len(list(honest.parent.glob(f"{honest.name}-forged-*")))
    forged = Path(copytree(honest, f"{honest}-forged-{number}"))
    for file in _files(forged):
        file.write_bytes(change(file.read_bytes()))
    size = sum(file.stat().st_size for file in _files(forged))
    return evolve(delivery, result=bench.keep(forged), size_bytes=size)


def _changed(value: Json) -> Json:
    """Another value of the same form."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case list():
            return [_changed(one) for one in value]
        case dict():
            return {name: _changed(one) for name, one in value.items()}
        case _:
            return 0
