"""The work on one chunk: a value for each of its numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict


class Part(TypedDict):
    """A chunk's parameters: `count` numbers from `first` on."""

    first: int
    count: int


def value(number: int) -> int:
    """The work itself: put yours here."""
    return number * number


def run(params: Part, inputs: str, output: str) -> dict[str, int]:
    """Leaves `values.json`, a list, in the folder `output`."""
    values = []
    for done in range(params["count"]):
        values.append(value(params["first"] + done))
        print(f"progress {100 * len(values) // params['count']}%", flush=True)  # shown to whoever waits
    Path(output, "values.json").write_text(json.dumps(values))
    return {"count": len(values)}
