"""Counts, in each of a chunk's ranges, the numbers whose SHA-256 begins with so many zero bits."""

from __future__ import annotations

from hashlib import sha256
from typing import NotRequired, TypedDict


class Ranges(TypedDict):
    """A chunk's parameters: `items` ranges of `length` numbers each, the first of them from `first` on.

    `again`: which ranges its verifier wants counted again, where that is who asks.
    """

    first: int
    items: int
    length: int
    bits: int
    again: NotRequired[list[int]]


def run(params: Ranges, inputs: str, output: str) -> list[int] | dict[str, int]:
    """One count per range, in their order; or those that are wanted again, by range."""
    if "again" in params:
        return {str(item): count(params, item) for item in params["again"]}
    return [count(params, item) for item in range(params["items"])]


def count(params: Ranges, item: int) -> int:
    """Of one range."""
    length, most = params["length"], 1 << (256 - params["bits"])
    begin = params["first"] + item * length
    return sum(int.from_bytes(sha256(b"%d" % n).digest(), "big") < most for n in range(begin, begin + length))
