"""The network in memory is one that Twisted's own interfaces describe."""

from __future__ import annotations

from twisted.internet.interfaces import IStreamServerEndpoint

from golem.testing.clock import Clock
from golem.testing.network import MemoryNetwork


def test_listening_is_an_endpoint_like_any_other() -> None:
    assert IStreamServerEndpoint.providedBy(MemoryNetwork("1", Clock()).carrier("x").listen("x:1"))
