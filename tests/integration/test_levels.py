"""The same scenario file, played with real nodes; and a network that stays up until it is told to go down."""

from __future__ import annotations

import json
import os
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from golem.cli.local import LocalNetwork
from golem.errors import ConfigError
from golem.testing import live_stage
from golem.testing.ground import build
from golem.testing.levels import LEVELS
from golem.testing.player import BROKEN, FAILED, HELD, SKIPPED, Played, play
from golem.testing.report import html
from golem.testing.scenario import parse_text
from golem.testing.shell import Shell
from golem.testing.standing import down

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.skipif(which("bwrap") is None, reason="bwrap is not installed: apt-get install bubblewrap"),
]
STORY = """
nodes:
  alice: {role: requestor}
  bob: {role: provider, count: 2}
  mallory: {role: provider, behave: liar}
steps:
  - submit: {as: job, node: alice, template: echo, count: 6}
faults:
  - {kill: bob-1, at: 3s, for: 1s}
  - {cut: [alice, bob-2], at: 3s, for: 1s}
expect:
  - {eventually: job.phase == done, within: 1m}
  - never: mallory.earned > 0
"""


def outcomes(played: Played, outcome: str) -> list[str]:
    return [verdict.what for verdict in played.verdicts if verdict.outcome == outcome]


def test_on_loopback_lines_have_their_faults_and_what_a_level_can_not_do_is_skipped_with_its_line() -> None:
    lines = """
  - {clog: [alice, bob-1], at: 1s, for: 1s, delay: 300ms}
  - {reset: [alice, bob-2], at: 2s}
  - {lossy: [alice, mallory], at: 1s, for: 2s, per_mille: 100}
  - {partition: [mallory], at: 3s, for: 1s}
  - {skew: bob-2, by: 1s, at: 3s}
expect:"""
    played = play(parse_text(STORY.replace("\nexpect:", lines), "x.yaml"), LEVELS["local"])
    assert [(v.line, v.outcome) for v in played.verdicts if v.outcome != HELD] == [(15, SKIPPED)], played.verdicts
    assert played.outcome == SKIPPED and "nothing is left" in outcomes(played, HELD)
    page = html(played, "again")
    assert "level local" in page and "Assignment" in page and "ETH" in page


def test_on_hosts_of_their_own_nodes_can_be_cut_off() -> None:
    level = LEVELS["netns"]
    if level.lack():
        pytest.skip(level.lack())
    played = play(parse_text(STORY, "x.yaml"), level)
    assert not outcomes(played, BROKEN) and not outcomes(played, SKIPPED), played.verdicts


def test_a_sentence_that_does_not_hold_fails_with_real_nodes() -> None:
    played = play(
        parse_text(STORY.replace("never: mallory.earned > 0", "never: job.accepted > 2"), "x"), LEVELS["local"]
    )
    assert played.outcome == FAILED and outcomes(played, BROKEN) == ["never job.accepted > 2"], played.verdicts


def test_an_adversary_that_a_level_lacks_means_that_nothing_is_played() -> None:
    played = play(parse_text(STORY.replace("liar", "clock_liar"), "x"), LEVELS["local"])
    assert [(v.line, v.outcome) for v in played.verdicts] == [(5, SKIPPED)]


def test_a_network_stays_up_until_it_is_told_to_go_down(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    shell = Shell(str(tmp_path))
    there = shell.json("net", "up", "--output", str(folder))
    assert isinstance(there, dict) and list(there["nodes"]) == ["alice", "bob-1", "bob-2"]
    processes = [one["pid"] for one in json.loads((folder / "net.json").read_text())]
    try:
        assert shell.run("net", "up", "--output", str(folder)) == 5 and "golem net down" in shell.err
        asking = Shell(there["nodes"]["alice"])
        assert asking.run("run", "echo", "--count", "2", "--budget", "0.1", "--output", str(tmp_path / "out")) == 0
    finally:
        assert shell.run("net", "down", "--output", str(folder)) == 0
    assert "4 processes have ended" in shell.out
    assert not folder.exists()
    assert not [pid for pid in processes if is_running(pid)]
    with pytest.raises(ConfigError, match="no network is up"):
        down(folder)


LEAKY = """
import sys
from golem.testing import live_node

begin = live_node._Life.begin

def leak(life, node):
    begin(life, node)
    life.kept = open(__file__)

live_node._Life.begin = leak
sys.exit(live_node.main(sys.argv[1:]))
"""


def test_a_node_that_leaves_a_file_open_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leaky.py").write_text(LEAKY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    def leaky(*args: Any) -> LocalNetwork:
        network = build(*args)
        for node in network.nodes:
            node.member = node.member._replace(module=("leaky", *node.member.module[1:]))
        return network

    monkeypatch.setattr(live_stage, "build", leaky)
    played = play(parse_text("nodes: {alice: {role: requestor}}\nsteps: [{wait: 100ms}]", "x"), LEVELS["local"])
    assert outcomes(played, BROKEN) == ["nothing is left"], played.verdicts
    (said,) = [verdict.detail for verdict in played.verdicts if verdict.outcome == BROKEN]
    assert "alice ended with 70" in said and "left behind: a file is open" in said


def is_running(pid: int) -> bool:
    """Whether it is more than an entry that waits to be read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
