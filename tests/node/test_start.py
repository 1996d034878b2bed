"""A node that can't start, or is stopped before it has, lets go of all that it had begun."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.entropy import OsEntropy
from golem.adapters.journal import SqliteJournal
from golem.adapters.keyring import FileKeyring
from golem.errors import ConfigError, ExecutorFault, GolemError, Malformed
from golem.model.value import evolve
from golem.node.build import make
from golem.node.config import first
from golem.node.node import Node
from golem.node.passwords import Secret

assert isinstance(reactor, PosixReactorBase)
PROVIDER = {"provider.enabled": "true", "provider.templates": "echo", "provider.executor": "sandbox"}


def built(folder: Path, settings: Mapping[str, str]) -> Node:
    FileKeyring.create(str(folder / "keys"), "password", OsEntropy(), 1 << 10)
    config = evolve(first(str(folder), {"provider.executor": "sandbox", **settings}), password=Secret("password"))
    return make(config, reactor)


def is_free(folder: Path) -> bool:
    """Whether nobody has the journal."""
    SqliteJournal(folder / "journal.db").close()
    return True


@pytest.mark.parametrize("key", ["node.listen", "ipfs.gateway"])
@ensureDeferred
async def test_a_port_that_is_taken_leaves_nothing_open(key: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        node = built(tmp_path, {key: f"127.0.0.1:{taken.getsockname()[1]}"})
        node.startService()
        with pytest.raises(ConfigError, match="can't listen"):
            await node.ready
    assert is_free(tmp_path)
    await node.stopService()


@ensureDeferred
async def test_a_sandbox_that_is_not_there_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = built(tmp_path, PROVIDER)
    monkeypatch.setenv("PATH", str(tmp_path))
    node.startService()
    with pytest.raises(ExecutorFault):
        await node.ready
    assert is_free(tmp_path)


@ensureDeferred
async def test_a_store_that_can_not_be_opened_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "content").write_text("no folder")
    node = built(tmp_path, {})
    node.startService()
    with pytest.raises((GolemError, OSError)):
        await node.ready
    assert is_free(tmp_path)


@ensureDeferred
async def test_a_journal_that_can_not_be_read_leaves_nothing_open(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    journal.append([b"no turn"])
    journal.close()
    node = built(tmp_path, {})
    node.startService()
    with pytest.raises(Malformed):
        await node.ready
    assert is_free(tmp_path)


@ensureDeferred
async def test_a_node_that_is_stopped_while_it_starts_leaves_nothing_open(tmp_path: Path) -> None:
    node = built(tmp_path, PROVIDER)
    node.startService()
    await node.stopService()
    assert is_free(tmp_path)


@ensureDeferred
async def test_a_node_that_has_started_leaves_nothing_when_it_stops(tmp_path: Path) -> None:
    node = built(tmp_path, PROVIDER)
    node.startService()
    await node.ready
    await node.stopService()
    assert is_free(tmp_path)
