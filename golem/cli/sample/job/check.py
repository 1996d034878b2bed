"""Computes some values of a result again, on the requestor's machine, in a sandbox: a stranger made the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

from work import value  # type: ignore[import-not-found]  # a program finds those beside it


class Again(TypedDict):
    """A chunk's parameters, and which of its numbers to compute `again`, counted from 0."""

    first: int
    count: int
    again: list[int]


def run(params: Again, inputs: str, output: str) -> dict[str, str]:
    """What is `wrong` with the result; an empty text where nothing was found."""
    try:
        values = json.loads(Path(inputs, "result", "values.json").read_text())
    except (OSError, ValueError, RecursionError) as why:
        return {"wrong": f"values.json can't be read: {type(why).__name__}"}
    if not isinstance(values, list) or len(values) != params["count"]:
        return {"wrong": f"values.json is no list of {params['count']}"}
    for place in params["again"]:
        ours = value(params["first"] + place)
        if values[place] != ours:
            return {"wrong": f"at {place} it is {str(values[place])[:80]}, not {ours}"}
    return {"wrong": ""}
