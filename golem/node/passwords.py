"""Where the password of the keys comes from: never from the configuration itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path

from golem.adapters.desktop import kept_password
from golem.errors import KeyFault

MAX_PASSWORD_BYTES = 4096


@dataclass(frozen=True, repr=False)
class Secret:
    """Text that no log, traceback or repr shows."""

    reveal: str


def read_password(source: str, home: Path, environ: Mapping[str, str], mistakes: list[str]) -> Secret:
    """The password, from where `node.password` says; or a mistake more, with the way out."""
    try:
        return Secret(_read(source, home, environ))
    except (OSError, ValueError) as why:
        mistakes.append(f"node.password: {source} can't be read: {why}")
    except KeyFault as why:
        mistakes.append(f"node.password: {why}")
    return Secret("")


def _read(source: str, home: Path, environ: Mapping[str, str]) -> str:
    scheme, _, rest = source.partition(":")
    if scheme == "env" and "GOLEM_PASSWORD" in environ:
        return environ["GOLEM_PASSWORD"]
    if scheme == "env" and not sys.stdin.isatty():
        raise KeyFault('GOLEM_PASSWORD is not set; set it, or name a file: node.password = "file:…"')
    if scheme in ("env", "prompt"):
        if not sys.stdin.isatty():
            raise KeyFault('"prompt" needs a terminal; without one, set GOLEM_PASSWORD and say "env"')
        return getpass(f"password for the keys in {home}: ")
    if scheme == "keyring":
        return kept_password(str(home))
    path = Path("/dev/fd") / rest if scheme == "fd" else home / rest
    with path.open("rb") as file:
        return file.read(MAX_PASSWORD_BYTES).decode().rstrip("\r\n")
