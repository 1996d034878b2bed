"""Modules that a template's jobs import beside the machine's own: where they are, once they were prepared.

A template pins them in `requirements.txt` beside its programs, each wheel by its digest, in pip's words. They lie in a
folder of the node that its own process never imports from, and that jobs see as `/modules`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from golem.interfaces import ITaskTemplate

PINS = "requirements.txt"
FOLDER = "modules"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
DIGITS = 12  # of the digest that tells one set of pins from another


def pins(template: ITaskTemplate) -> dict[str, str]:
    """What a template pins, as `name==version` to pip's line with the digests; nothing where its jobs need no more."""
    path = Path(template.programs).parent / PINS
    text = path.read_text() if path.is_file() else ""
    lines = (line.partition("#")[0].strip() for line in text.replace("\\\n", " ").splitlines())
    return {line.split()[0]: line for line in lines if line}


def place(home: Path, template: ITaskTemplate, python: str = PYTHON) -> Path:
    """The folder for what a template pins now, of the node in `home`; what it pins tomorrow gets another."""
    digest = sha256("\n".join(pins(template).values()).encode()).hexdigest()[:DIGITS]
    return home / FOLDER / f"{template.environment.name}-py{python}-{digest}"


def prepared(home: Path, templates: Iterable[ITaskTemplate]) -> dict[str, str]:
    """The folders that are there, by template."""
    places = {template.name: place(home, template) for template in templates if pins(template)}
    return {name: str(path) for name, path in places.items() if path.is_dir()}
