"""Tells what a sandbox offers: which of the wanted modules can be imported in it."""

from __future__ import annotations

import importlib
from typing import TypedDict


class Wanted(TypedDict):
    """Modules by the name of the environment that needs them."""

    environments: dict[str, list[str]]


def run(params: Wanted, inputs: str, output: str) -> dict[str, list[str]]:
    """The environments that are whole."""
    return {"environments": [name for name, modules in params["environments"].items() if all(map(_has, modules))]}


def _has(module: str) -> bool:
    try:
        importlib.import_module(module)
    except Exception as why:  # a broken package is as good as none, whatever it raises
        print(f"{module}: {why}")
        return False
    return True
