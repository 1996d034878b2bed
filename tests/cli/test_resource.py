"""`golem resource`: what is put in comes out again, is listed, kept and let go of."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from golem.cli.exits import Exit
from golem.cli.resource import size
from golem.model.content import Importing, Survey
from golem.model.value import evolve
from golem.node.stock import Stock
from golem.testing.face import FaceServer
from golem.testing.shell import Shell
from golem.testing.store import MemoryResourceStore, MemoryWorld

HELLO = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"


def test_a_file_goes_in_is_listed_comes_out_and_goes(shell: Shell, node: FaceServer, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello world")
    assert shell.json("resource", "add", str(tmp_path / "a")) == {"cid": HELLO, "size_bytes": 11}
    assert shell.run("resource", "ls") == Exit.OK
    assert HELLO in shell.out
    assert "you" in shell.out
    assert shell.json("resource", "get", HELLO, str(tmp_path / "b"))["size_bytes"] == 11  # type: ignore[index,call-overload]  # an object
    assert (tmp_path / "b").read_bytes() == b"hello world"
    assert shell.run("resource", "stat") == Exit.OK
    assert "1, of 11 B" in shell.out
    assert "served at" in shell.out
    assert shell.json("resource", "pin", HELLO) == {"cid": HELLO, "size_bytes": 11}
    assert shell.json("resource", "gc") == {"freed_bytes": 0}
    assert shell.run("resource", "unpin", HELLO) == Exit.OK
    assert shell.json("resource", "stat")["contents"] == 0  # type: ignore[index,call-overload]  # an object


class Busy(MemoryResourceStore):
    """Is reading a large file."""

    def survey(self) -> Deferred[Survey]:
        return super().survey().addCallback(evolve, importing=(Importing(path="/films/a", read_bytes=3 << 20),))


def test_what_goes_in_is_listed_too(shell: Shell, node: FaceServer) -> None:
    node.face.stock = Stock(Busy(MemoryWorld(Clock()), "here:1"))
    assert shell.run("resource", "ls") == Exit.OK
    assert "3.0 MiB" in shell.out and "goes in, so much read: /films/a" in shell.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["get", "x", "there"], "no content id as golem resource ls shows it"),
        (["get", "b" + "a" * 58, "there"], "not a CID"),
        (["unpin", HELLO], "golem resource ls"),
        (["add", "nowhere"], "nowhere"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_line(shell: Shell, node: FaceServer, words: list[str], said: str) -> None:
    assert shell.run("resource", *words) != Exit.OK
    assert said in shell.err
    assert shell.err.count("\n") == 1


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 40, "5.0 TiB"), (5 << 50, "5120.0 TiB")]
)
def test_sizes_are_for_people(count: int, text: str) -> None:
    assert size(count) == text
