"""Answers one chunk: the digest of its index and text."""

from __future__ import annotations

from hashlib import sha256
from typing import TypedDict


class Line(TypedDict):
    """A chunk's parameters."""

    index: int
    text: str
    spin: int


def run(params: Line, inputs: str, output: str) -> dict[str, str]:
    """The digest, after `spin` hashes that only take time."""
    digest = b"\0" * 32
    for _ in range(params["spin"]):
        digest = sha256(digest).digest()
    return {"echo": sha256(f"{params['index']}:{params['text']}".encode()).hexdigest()}
