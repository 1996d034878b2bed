"""Writes all answers of a task to echo.txt, one a line, and checks them against the digest of the deliveries."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TypedDict


class Whole(TypedDict):
    """What the list is made from. `digest`: over all answers as they were delivered, in order."""

    count: int
    text: str
    digest: str


def run(params: Whole, inputs: str, output: str) -> dict[str, int]:
    """The number of lines written."""
    text = params["text"]
    answers = [sha256(f"{index}:{text}".encode()).hexdigest() for index in range(params["count"])]
    if sha256("".join(answers).encode()).hexdigest() != params["digest"]:
        raise ValueError("the answers that were delivered are not those that belong to this task")
    lines = [f"{index + 1} {answer}\n" for index, answer in enumerate(answers)]
    Path(output, "echo.txt").write_text("".join(lines))
    return {"lines": len(lines)}
