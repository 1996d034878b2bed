"""Real nodes on loopback, for tests: the local network of the command line, and members that cheat."""

from __future__ import annotations

from collections.abc import Mapping

from golem.cli.demo import PROVIDING, SETTINGS
from golem.cli.local import REQUESTOR, LocalNetwork, LocalNode, Member, wait_for

__all__ = [
    "PROVIDING",
    "REQUESTOR",
    "SETTINGS",
    "LocalNetwork",
    "LocalNode",
    "Member",
    "cheater",
    "provider",
    "wait_for",
]


def provider(name: str, settings: Mapping[str, str] | None = None) -> Member:
    """An honest provider."""
    return Member(name, {**PROVIDING, **(settings or {})})


def cheater(name: str, kind: str) -> Member:
    """A provider that cheats; the kinds are `golem.testing.cheater`'s."""
    return Member(name, PROVIDING, ("golem.testing.cheater", kind))
