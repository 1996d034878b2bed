"""Compile PairBank.vy into golem/adapters/pairbank.json. Run after every change: `python contracts/build.py`."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import vyper

SOURCE = Path(__file__).with_name("PairBank.vy")
ARTEFACT = Path(__file__).parent.parent / "golem" / "adapters" / "pairbank.json"


def compile_source() -> dict[str, object]:
    """What the artefact must hold: interface, code to deploy and code once deployed, and what they were made of."""
    source = SOURCE.read_text()
    made = vyper.compile_code(source, output_formats=["abi", "bytecode", "bytecode_runtime"])
    return {
        "contract": "PairBank",
        "compiler": f"vyper {vyper.__version__.partition('+')[0]}",
        "source_sha256": sha256(source.encode()).hexdigest(),
        "abi": made["abi"],
        "bytecode": made["bytecode"],
        "runtime": made["bytecode_runtime"],
    }


if __name__ == "__main__":
    ARTEFACT.write_text(json.dumps(compile_source(), indent=1) + "\n")
