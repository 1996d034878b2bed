"""Answers one chunk: the digest of its index and text."""

from __future__ import annotations

from hashlib import sha256
from typing import TypedDict

SAID = 200_000  # hashes between two lines: a few a second


class Line(TypedDict):
    """A chunk's parameters."""

    index: int
    text: str
    spin: int


def run(params: Line, inputs: str, output: str) -> dict[str, str]:
    """The digest, after `spin` hashes that only take time. What is printed so is shown to the requestor as progress."""
    digest = b"\0" * 32
    for number in range(params["spin"]):
        digest = sha256(digest).digest()
        if number % SAID == SAID - 1:
            print(f"progress {number * 100 // params['spin']}%", flush=True)
    return {"echo": sha256(f"{params['index']}:{params['text']}".encode()).hexdigest()}
