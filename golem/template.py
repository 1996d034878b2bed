"""The kit that templates are made of: parameters, frames, tiles, crops, seeds, stock verifiers. All of it is pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple, overload

import msgspec
from zope.interface import implementer

from golem.errors import BadParameters
from golem.interfaces import IVerifier, Parameter
from golem.model.ids import NodeId, SubtaskId, derive
from golem.model.messages import Delivery
from golem.model.spec import MAX_PARAMS_BYTES, Chunk, Job, Judgement, Verdict
from golem.model.value import evolve

MAX_CHUNKS = 100_000  # what a requestor's node keeps track of at once
MAX_FRAME = 1_048_574  # Blender's own last frame
MAX_TEXT = 4096  # characters of one parameter; far above any file name or list of frames that people write
MAX_DIGITS = 18  # of a whole number: what 64 bits hold, and int() of a long numeral is slow

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Reader = Callable[[str], Json]
"""Reads one parameter as its user wrote it; raises ValueError with a text that says how to write it."""

_encoder = msgspec.json.Encoder(order="deterministic")


def to_json(value: object) -> bytes:
    """Canonical JSON: the same value has the same bytes."""
    return _encoder.encode(value)


# Parameters


class Form:
    """The parameters a template understands, each with its reader."""

    def __init__(self, *fields: tuple[Parameter, Reader]) -> None:
        self.parameters = tuple(
            evolve(parameter, schema=getattr(reader, "schema", {"type": "string"})) for parameter, reader in fields
        )
        self._readers = {parameter.name: reader for parameter, reader in fields}

    def parse(self, params: Mapping[str, str]) -> bytes:
        """Canonical JSON of all parameters, defaults included; raises BadParameters with every mistake at once."""
        mistakes = [self._unknown(name) for name in sorted(params) if name not in self._readers]
        values: dict[str, Json] = {}
        for parameter in self.parameters:
            text = params.get(parameter.name, parameter.default)
            try:
                values[parameter.name] = self._read(parameter.name, text)
            except ValueError as why:
                mistakes.append(f"{parameter.name}: {why}")
        data = to_json(values)
        if len(data) > MAX_PARAMS_BYTES:
            mistakes.append(f"the parameters are too long: {len(data)} bytes of {MAX_PARAMS_BYTES}")
        if mistakes:
            raise BadParameters("; ".join(mistakes))
        return data

    def _read(self, name: str, text: str | None) -> Json:
        if text is None:
            raise ValueError("is missing")
        if len(text) > MAX_TEXT:
            raise ValueError(f"is longer than {MAX_TEXT} characters")
        if not text.isprintable():
            raise ValueError("has characters that cannot be printed")
        return self._readers[name](text.strip())

    def _unknown(self, name: str) -> str:
        near = get_close_matches(name, self._readers, n=1)
        return f"{name[:40]}: unknown" + (f" (did you mean {near[0]}?)" if near else f" (there are {self._names()})")

    def _names(self) -> str:
        return ", ".join(self._readers)


class Kind:
    """A reader that can say, in JSON Schema, what it reads."""

    def __init__(self, read: Reader, **schema: Json) -> None:
        self._read = read
        self.schema = schema

    def __call__(self, text: str) -> Json:
        """See `Reader`."""
        return self._read(text)


def words(text: str) -> Json:
    """Any text."""
    return text


def whole(least: int, most: int) -> Kind:
    """A whole number from `least` to `most`."""

    def read(text: str) -> Json:
        if len(text) > MAX_DIGITS or not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"{text[:40]!r} is no whole number from {least} to {most}")
        return int(text)

    return Kind(read, type="integer", minimum=least, maximum=most)


def number(least: float, most: float) -> Kind:
    """A number from `least` to `most`, as in 0.5."""

    def read(text: str) -> Json:
        try:
            value = float(text) if len(text) <= MAX_DIGITS else math.nan
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise ValueError(f"{text[:40]!r} is no number from {least:g} to {most:g}")
        return value

    return Kind(read, type="number", minimum=least, maximum=most)


def one_of(*choices: str) -> Kind:
    """One of a few words, in any case."""

    def read(text: str) -> Json:
        found = {choice.lower(): choice for choice in choices}.get(text.lower())
        if found is None:
            raise ValueError(f"{text[:40]!r} is none of {', '.join(choices)}")
        return found

    return Kind(read, enum=list(choices))


def either(word: str, reader: Reader) -> Kind:
    """A word, read as nothing, for what is to be found out; or what `reader` reads."""

    def read(text: str) -> Json:
        try:
            return None if text.lower() == word else reader(text)
        except ValueError as why:
            raise ValueError(f"{why}, nor {word!r}") from None

    return Kind(read, anyOf=[{"const": word}, getattr(reader, "schema", {"type": "string"})])


def pair(most: int) -> Kind:
    """Two whole numbers from 1 to `most`, as in 640x360."""
    part = whole(1, most)

    def read(text: str) -> Json:
        left, cross, right = text.lower().partition("x")
        if not cross:
            raise ValueError(f"{text[:40]!r} is not two numbers (write them like 640x360)")
        return [part(left), part(right)]

    return Kind(read, type="string", pattern="^[1-9][0-9]*[xX][1-9][0-9]*$")


def grid(most: int) -> Kind:
    """Columns and rows, as in 4x2; a single number is that of rows, so that 1 is the whole."""
    both = pair(most)
    return Kind(
        lambda text: both(text if "x" in text.lower() else f"1x{text}"),
        type="string",
        pattern="^([1-9][0-9]*[xX])?[1-9][0-9]*$",
    )


def file_name(text: str) -> Json:
    """A file in an input folder, or deeper in it: no way out of the folder."""
    if any(part in ("", ".", "..") for part in text.split("/")):
        raise ValueError(f"{text[:40]!r} is no file inside of a folder")
    return text


# Frames


def frames(text: str) -> tuple[int, ...]:
    """The frames that "1-4;7;10-30,5" names: single ones and ranges, the latter with a step; ascending, each once.

    Raises ValueError. At most MAX_CHUNKS of them, none above MAX_FRAME.
    """
    found: set[int] = set()
    for part in text.split(";"):
        found.update(_range(part.strip()))
        if len(found) > MAX_CHUNKS:
            raise ValueError(f"more than {MAX_CHUNKS} frames")
    return tuple(sorted(found))


def _range(part: str) -> range:
    bounds, comma, step = part.partition(",")
    first, dash, last = bounds.partition("-")
    numbers = [n.strip() for n in (first, last if dash else first, step if comma else "1")]
    if not all(n.isdecimal() and len(n) <= MAX_DIGITS for n in numbers) or (comma and not dash):
        raise ValueError(f"{part[:40]!r} names no frames (write them like 1-4;7;10-30,5)")
    low, high, by = (int(n) for n in numbers)
    if not low <= high <= MAX_FRAME or by < 1:
        raise ValueError(f"{part[:40]!r} names no frames: they run from 0 to {MAX_FRAME}, upwards")
    return range(low, high + 1, by)


def show_frames(numbers: Sequence[int]) -> str:
    """Ascending frames in the form that `frames` reads; runs of equal steps become ranges."""
    parts: list[str] = []
    start = 0
    while start < len(numbers):
        step = numbers[start + 1] - numbers[start] if start + 1 < len(numbers) else 1
        stop = start + 1
        while stop < len(numbers) and numbers[stop] - numbers[stop - 1] == step:
            stop += 1
        if step > 1 and numbers[stop - 1] == numbers[start] + step:  # "1;5" says it better than "1-5,4"
            stop = start + 1
        first, last = numbers[start], numbers[stop - 1]
        parts.append(f"{first}" if first == last else f"{first}-{last}" + (f",{step}" if step > 1 else ""))
        start = stop
    return ";".join(parts)


def frame_list(text: str) -> Json:
    """A parameter that lists frames, written anew in its shortest form."""
    return show_frames(frames(text))


# Pictures


class Area(NamedTuple):
    """A rectangle of whole pixels; x to the right and y down from the top left corner."""

    x: int
    y: int
    width: int
    height: int


def tiles(width: int, height: int, columns: int, rows: int) -> tuple[Area, ...]:
    """Cut a picture into a grid, row by row: every pixel in one tile, sides equal to within a pixel."""
    if not (1 <= columns <= width and 1 <= rows <= height):
        raise ValueError(f"{columns}x{rows} tiles do not fit {width}x{height} pixels")
    across = tuple(pairwise(width * i // columns for i in range(columns + 1)))
    down = tuple(pairwise(height * i // rows for i in range(rows + 1)))
    return tuple(Area(left, top, right - left, bottom - top) for top, bottom in down for left, right in across)


def crops(width: int, height: int, count: int, side: int, salt: bytes) -> tuple[Area, ...]:
    """Places for spot checks, `count` or a few less, each at most `side` pixels wide and high, inside the picture.

    One per cell of a grid, so that no large part goes unseen; drawn from a range that overlaps the edges by `side - 1`
    and then clipped, so that pixels at the border are as likely to be seen as any.
    """
    across, down = width + side - 1, height + side - 1
    columns, rows = _grid(count, across, down)
    found = []
    for index in range(columns * rows):
        row, column = divmod(index, columns)
        left = _within(across * column // columns, across * (column + 1) // columns, salt, 2 * index) - side + 1
        top = _within(down * row // rows, down * (row + 1) // rows, salt, 2 * index + 1) - side + 1
        x, y = max(left, 0), max(top, 0)
        found.append(Area(x, y, min(left + side, width) - x, min(top + side, height) - y))
    return tuple(found)


def _grid(count: int, across: int, down: int) -> tuple[int, int]:
    """Columns and rows of at most `count` cells, about as wide as high."""
    fair = math.sqrt(count * across / down)
    columns = {max(1, min(size, count, across)) for size in (math.floor(fair), math.ceil(fair))}
    rows = {max(1, min(size, count, down)) for size in (math.floor(count / fair), math.ceil(count / fair))}
    shapes = [(one, min(count // one, down)) for one in columns] + [(min(count // one, across), one) for one in rows]
    return max(shapes, key=lambda shape: (math.prod(shape), shape))


def _within(low: int, high: int, salt: bytes, index: int) -> int:
    drawn = sha256(salt + index.to_bytes(8, "big")).digest()[:8]
    return low + int.from_bytes(drawn, "big") % (high - low)


def seed_of(subtask: SubtaskId, provider: NodeId) -> int:
    """The seed that one provider must use for one attempt, below 2**31: a copied result has the wrong noise."""
    return int(derive("seed", subtask, provider), 16) % 2**31


# Chunks and verifiers


class Chunks(Sequence[Chunk]):
    """`count` chunks, each made when it is asked for."""

    def __init__(self, count: int, make: Callable[[int], Chunk]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    @overload
    def __getitem__(self, index: int) -> Chunk: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Chunk]: ...
    def __getitem__(self, index: int | slice) -> Chunk | Sequence[Chunk]:
        """The chunk or chunks at `index`."""
        found = range(self._count)[index]
        return self._make(found) if isinstance(found, int) else [self._make(one) for one in found]


@implementer(IVerifier)
class SpotCheck:
    """For results whose right answer the requestor can tell: what a job reported must be what `answer` says."""

    def __init__(self, answer: Callable[[Chunk], Json]) -> None:
        self._answer = answer

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """No jobs: the delivery says enough."""
        return ()

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """ACCEPT the right answer, and nothing else."""
        try:
            said = msgspec.json.decode(delivery.report)
        except (msgspec.DecodeError, RecursionError) as why:
            return Verdict(judgement=Judgement.MALFORMED, reason=f"answer: the report is no JSON ({why})"[:MAX_TEXT])
        right = self._answer(chunk)
        if said == right:
            return Verdict(judgement=Judgement.ACCEPT, reason="answer: equal to our own")
        told, ours = (to_json(value).decode()[:200] for value in (said, right))
        return Verdict(judgement=Judgement.WRONG, reason=f"answer: {told}, not {ours}")
