"""Scenario files: what they mean, what is wrong with them, and that each thing they check can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from golem.errors import ConfigError
from golem.testing.levels import SIM
from golem.testing.player import BROKEN, FAILED, PASSED, SKIPPED, Played, play, shrunk
from golem.testing.report import html
from golem.testing.scenario import parse_text
from golem.testing.shell import Shell

FILES = Path(__file__).parents[1] / "scenario" / "files"
HEAD = """
nodes:
  alice: {role: requestor}
  bob: {role: provider}
steps:
  - submit: {as: job, node: alice, template: echo, count: 4}
"""


def played(more: str, head: str = HEAD) -> Played:
    return play(parse_text(head + more, "x.yaml"))


def broken(run: Played) -> list[str]:
    return [verdict.what for verdict in run.broken]


# what is wrong with a file is said with its line

MISTAKES = {
    "nodes: {alice: {}}\nstep: []": "x.yaml:2: no key 'step' here; there are: network, nodes, steps",
    "nodes:\n  alice: {colour: red}": "x.yaml:2: no key 'colour' here; there are: role",
    "nodes: {alice: {}}\nfaults:\n  - {kill: bob, at: 1s}": "x.yaml:3: no node 'bob'; there are: alice",
    "nodes: {alice: {}}\nfaults:\n  - {meteor: alice}": "x.yaml:3: no fault 'meteor'; there are: kill, crash",
    "nodes: {alice: {}}\nfaults:\n  - {kill: alice, colour: red}": "x.yaml:3: kill has no 'colour'; it has: at, for",
    "nodes: {alice: {}}\nfaults:\n  - {kill: alice, at: soon}": "x.yaml:3: at is 'soon'; write a time such as",
    "nodes: {alice: {}}\nfaults:\n  - {cut: alice, at: 1s}": "x.yaml:3: this fault concerns 2 of the nodes",
    "nodes: {alice: {}}\nfaults:\n  - {disk: alice, error: none}": "x.yaml:3: disk: Invalid enum value 'none'",
    "nodes: {alice: {}}\nexpect:\n\n  - eventually: job.phase == done": "x.yaml:4: no task or node 'job'",
    "nodes: {alice: {}}\nexpect:\n  - always: alice.height == 3": "x.yaml:3: alice has no 'height'; it has: is_up",
    "nodes: {alice: {}}\nexpect:\n  - always: alice is well": "x.yaml:3: 'alice is well' is no condition",
    "nodes: {alice: {}}\nexpect:\n  - leads_to: alice.peers > 1": "x.yaml:3: leads_to wants two conditions",
    "nodes: {alice: {}}\nsteps:\n  - dance: alice": "x.yaml:3: no step 'dance'; there are: submit, wait, until",
    "nodes: {alice: {}}\nsteps:\n  - submit: {node: alice}": "x.yaml:3: submit wants as, template",
    "nodes: {alice: {role: king}}": "x.yaml:1: role is 'king'; it can be: requestor, provider",
    "nodes: {alice: {reach: hidden}}": "x.yaml:1: the first node, whom all others dial first, can't be hidden",
    "nodes: {alice: {count: 0}}": "x.yaml:1: count is '0'; it is a whole number from 1 on",
    "nodes: {alice: {}, alice: {}}": "x.yaml:1: 'alice' stands here twice",
    "nodes: {alice: {count: 2000}}": "x.yaml:1: more than 1000 nodes",
    "nodes: &a {alice: {}}\nsteps: *a": "x.yaml:2: no aliases",
    "nodes: [": "x.yaml:1: expected the node content",
    "{}": "x.yaml:1: nodes: name one at least",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named_with_its_line(text: str) -> None:
    with pytest.raises(ConfigError) as why:
        parse_text(text, "x.yaml")
    assert MISTAKES[text] in str(why.value)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as why:
        parse_text("nodes: {alice: {a: 1}}\nb: 2\nfaults:\n  - {kill: bob}", "x.yaml")
    assert [line.split(": ")[0] for line in str(why.value).splitlines()] == ["x.yaml:1", "x.yaml:2", "x.yaml:4"]


@pytest.mark.parametrize("path", sorted(FILES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_scenario_passes(path: Path) -> None:
    run = play(parse_text(path.read_text(), path.name))
    assert run.outcome == PASSED, run.verdicts


# each check is shown to fail once

DONE = "expect:\n  - {eventually: job.phase == done, within: 1m}\n"


def test_what_is_so_is_held() -> None:
    assert played(DONE).outcome == PASSED


def test_eventually_fails_where_it_is_not_so_in_time() -> None:
    run = played("expect:\n  - {eventually: job.phase == done, within: 1s}\n")
    assert run.outcome == FAILED and broken(run) == ["eventually job.phase == done within 1 s"]


def test_always_fails_at_the_first_moment_that_it_is_not_so() -> None:
    assert broken(played(DONE + "  - always: job.accepted < 2\n")) == ["always job.accepted < 2"]


def test_never_fails_at_the_first_moment_that_it_is_so() -> None:
    assert broken(played(DONE + "  - never: job.accepted == 2\n")) == ["never job.accepted == 2"]


def test_leads_to_fails_where_the_second_does_not_follow() -> None:
    fault = "faults:\n  - {kill: bob, at: 1s, for: 20s}\n"
    sentence = "  - {leads_to: [bob.is_up == false, bob.is_up == true], within: 10s}\n"
    assert broken(played(fault + DONE + sentence)) == ["leads_to bob.is_up == False -> bob.is_up == True within 10 s"]


def test_what_could_never_be_looked_at_is_not_held() -> None:
    assert broken(played("expect:\n  - never: job.phase > 3\n")) == ["never job.phase > 3"]


def test_a_step_that_never_comes_about_fails() -> None:
    assert broken(played("  - {until: job.accepted == 5, within: 5s}\n")) == ["every step and every invariant"]


def test_a_task_that_the_node_refuses_fails_the_run() -> None:
    run = played("", HEAD.replace("echo", "alchemy"))
    assert "alchemy" in run.broken[0].detail


def test_a_task_that_does_not_end_fails_the_run() -> None:
    run = played("", HEAD.replace("bob: {role: provider}", "bob: {role: provider, takes: 5h}"))
    assert broken(run) == ["every step and every invariant"]


def test_a_fault_that_a_level_lacks_is_skipped_and_nothing_has_passed() -> None:
    scenario = parse_text(HEAD + "faults:\n  - {kill: bob, at: 1s, for: 1s}\n" + DONE, "x.yaml")
    run = play(scenario, SIM._replace(kinds=SIM.kinds - {"kill"}))
    assert run.outcome == SKIPPED
    assert [(v.line, v.outcome) for v in run.verdicts if v.outcome != "held"] == [(8, SKIPPED)]


def test_the_same_scenario_takes_the_same_turns_twice_and_others_under_another_seed() -> None:
    scenario = parse_text(HEAD + DONE, "x.yaml")
    assert play(scenario).trace == play(scenario).trace != play(scenario._replace(seed=2)).trace


def test_a_failure_is_shrunk_to_the_fault_that_it_needs() -> None:
    faults = "faults:\n  - {reset: [alice, bob], at: 1s}\n  - {kill: bob, at: 2s, for: 30s}\n  - {reorg: , at: 3s}\n"
    run = played(faults + "expect:\n  - always: bob.is_up == true\n")
    assert [type(fault).__name__ for fault in shrunk(run).scenario.faults] == ["Kill"]
    with pytest.raises(ConfigError, match="it did not fail"):
        shrunk(played(DONE))


# the report and the command


def test_the_report_shows_messages_faults_and_money_and_needs_nothing_else() -> None:
    page = html(play(parse_text((FILES / "restart.yaml").read_text(), "restart.yaml")), "golem net replay x")
    for part in ("<svg", "Assignment", "kill", "Task job", "alice", "ETH", "golem net replay x"):
        assert part in page
    assert "http://" not in page and "https://" not in page and "<script" not in page


def test_what_strangers_wrote_is_text_in_the_report() -> None:
    run = played("", HEAD.replace("echo", '"<b>x"'))
    assert "&lt;b&gt;x" in html(run, "again") and "<b>x" not in html(run, "again")


def test_the_command_plays_replays_shrinks_and_reports(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(HEAD + "faults:\n  - {kill: bob, at: 1s, for: 9s}\nexpect:\n  - always: bob.is_up == true\n")
    shell = Shell(str(tmp_path))
    assert shell.run("net", "run", str(file)) == 1
    assert "failed" in shell.out and "golem net replay" in shell.err
    assert shell.run("net", "replay", str(file), "--faults", "[]") == 0
    assert shell.run("net", "shrink", str(file), "--report", str(tmp_path / "r.html")) == 1
    assert "<svg" in (tmp_path / "r.html").read_text()
    assert shell.run("net", "replay", str(file), "--faults", "[{}]") == 2
    assert shell.run("net", "run", str(tmp_path / "none.yaml")) == 5
    assert shell.run("net", "report", str(file), "--output", str(tmp_path / "o.html")) == 1
    assert BROKEN in (tmp_path / "o.html").read_text()
