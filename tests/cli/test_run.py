"""`golem run`: the template's parameters are flags, the task is watched to its end, and its end is the exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from golem.api import TaskHandle
from golem.cli.exits import Exit
from golem.control.watcher import KEEP_ALIVE_S
from golem.testing.face import NODE_ID, FaceServer
from golem.testing.shell import Shell

ARGV = ("run", "echo", "--text", "hi", "--budget", "0.1")
HONEST, CHEAT = "03" + "cc" * 32, NODE_ID


@pytest.fixture
def ends(node: FaceServer) -> Callable[..., None]:
    """Says how the next task goes: it makes progress, a result is rejected, and it ends in a phase."""

    def end(phase: str, **changes: object) -> None:
        def on_submit(task_id: str) -> None:
            node.face.attempts[task_id] = [
                {"subtask_id": "1", "phase": "accepted", "provider": HONEST, "amount": str(10**16), "used_ms": 61_000},
                {"subtask_id": "2", "phase": "rejected", "provider": CHEAT, "reason": "crop 2 differs"},
                {"subtask_id": "3", "phase": "accepted", "provider": HONEST, "amount": str(10**16), "used_ms": 9_000},
            ]

            def go() -> None:
                node.face.records[task_id] |= {"accepted": 1, "running": 1, "pending": 0, "spent": str(10**16)}
                node.face.tell(task_id, "accepted", chunk=0, provider=HONEST)
                node.face.tell(task_id, "rejected", chunk=1, provider=CHEAT, reason="crop 2 differs")

            def stop() -> None:
                node.face.records[task_id] |= {"phase": phase, "running": 0, **changes}
                node.face.tell(task_id, phase)

            node.reactor.callLater(0.2, go)
            node.reactor.callLater(0.4, stop)

        node.face.on_submit = on_submit

    return end


def test_a_tier_that_is_demanded_goes_with_the_task_and_one_that_is_none_is_refused(
    node: FaceServer, shell: Shell
) -> None:
    assert shell.run(*ARGV, "--detach", "--tier", "docker", "--tier", "docker-runsc") == Exit.OK
    assert node.face.submitted[0].tiers == ("docker", "docker-runsc")
    assert shell.run(*ARGV, "--detach", "--tier", "dokcer") == Exit.USAGE
    assert "there is no 'dokcer'; there are: sandbox, docker" in shell.err


def test_a_share_of_results_to_check_goes_with_the_task_and_one_above_all_is_refused(
    node: FaceServer, shell: Shell
) -> None:
    assert shell.run(*ARGV, "--detach", "--check-share", "0.5") == Exit.OK
    assert node.face.submitted[0].check_share == 0.5
    assert shell.run(*ARGV, "--detach", "--check-share", "1.5") != Exit.OK
    assert "check_share" in shell.err


def test_a_task_that_is_done_shows_results_cost_and_who_did_what(
    node: FaceServer, shell: Shell, ends: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "lake.blend").write_text("scene")
    ends("done", accepted=2, results={"frame_0001": "/r/frame_0001.png"}, submitted_ms=1_000, finished_ms=3_500)
    assert shell.run(*ARGV, str(tmp_path / "lake.blend"), "--param", "times=5") == Exit.OK
    (said,) = node.face.submitted
    assert said.params == {"text": "hi", "times": "5"}
    assert [(r.name, Path(r.path).name) for r in said.resources] == [("scene", "lake.blend")]
    assert Path(said.output) == Path.cwd() / "lake-output"
    assert "done in 2.5 s" in shell.out
    assert "/r/frame_0001.png" in shell.out
    rows = [line.split() for line in shell.out.splitlines()]
    assert [HONEST[:10], "2", "0", "1", "min", "10", "s", "0.02", "ETH"] in rows
    assert [CHEAT[:10], "0", "1", "0", "ms", "0", "ETH", "crop", "2", "differs"] in rows
    assert f"rejected (chunk 1, {CHEAT[:10]}): crop 2 differs" in shell.err
    assert "open: 1/2 chunks" in shell.err


@pytest.mark.parametrize("phase", ["failed", "cancelled"])
def test_a_task_that_is_not_done_says_why_and_exits_with_1(shell: Shell, ends: Callable[..., None], phase: str) -> None:
    ends(phase, reason="the budget is spent")
    assert shell.run(*ARGV) == Exit.FAILED
    assert f"{phase}: the budget is spent" in shell.out


def test_a_task_that_failed_before_anybody_was_hired_ends_with_the_reason_alone(node: FaceServer, shell: Shell) -> None:
    def on_submit(task_id: str) -> None:
        def stop() -> None:
            node.face.records[task_id] |= {"phase": "failed", "reason": "look: scene does not open"}
            node.face.tell(task_id, "failed")

        node.reactor.callLater(0.2, stop)

    node.face.on_submit = on_submit
    assert shell.run(*ARGV) == Exit.FAILED
    assert shell.out == "failed: look: scene does not open\n"


def test_json_is_one_object_and_nothing_else(shell: Shell, ends: Callable[..., None]) -> None:
    ends("done")
    assert shell.json(*ARGV)["task"]["phase"] == "done"  # type: ignore[index]  # JSON
    assert shell.err == ""


def test_a_terminal_shows_one_bar_that_is_gone_at_the_end(shell: Shell, ends: Callable[..., None]) -> None:
    ends("done", accepted=2)
    assert shell.run(*ARGV, is_terminal=True) == Exit.OK
    assert "[████████████············] open: 1/2 chunks, 1 running" in shell.err
    assert shell.err.endswith("\r\x1b[K")


def test_detached_a_task_goes_on_and_its_id_is_all_that_is_printed(node: FaceServer, shell: Shell) -> None:
    assert shell.run(*ARGV, "--detach") == Exit.OK
    (task_id,) = node.face.records
    assert shell.out == f"{task_id}\n"
    assert f"golem task show    {task_id[:8]}" in shell.err


def test_while_nobody_computes_the_reasons_are_told(node: FaceServer, shell: Shell, ends: Callable[..., None]) -> None:
    def on_submit(task_id: str) -> None:
        node.face.reasons[task_id] = [{"reason": "no free slot", "count": 2}, {"reason": "own demand", "count": 1}]
        node.reactor.callLater(0.2, node.clock.advance, KEEP_ALIVE_S)
        node.reactor.callLater(0.6, node.face.cancel, task_id)

    node.face.on_submit = on_submit
    assert shell.run(*ARGV) == Exit.FAILED
    assert "still waiting: no free slot (2); own demand (1)" in shell.err


def test_when_everything_is_computed_nobody_is_waited_for(node: FaceServer, shell: Shell) -> None:
    def on_submit(task_id: str) -> None:
        node.face.records[task_id] |= {"pending": 0, "accepted": 2}
        node.reactor.callLater(0.2, node.clock.advance, KEEP_ALIVE_S)
        node.reactor.callLater(0.6, node.face.cancel, task_id)

    node.face.on_submit = on_submit
    shell.run(*ARGV)
    assert "still waiting" not in shell.err


def test_ctrl_c_leaves_the_task_going_and_says_how_to_end_it(
    node: FaceServer, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: TaskHandle) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TaskHandle, "progress", interrupt)
    assert shell.run(*ARGV) == Exit.INTERRUPTED
    assert "goes on" in shell.err
    assert "golem task cancel" in shell.err
    assert [record["phase"] for record in node.face.records.values()] == ["open"]


def test_help_shows_the_templates_own_parameters(shell: Shell) -> None:
    assert shell.run("run", "echo", "--help") == Exit.OK


def test_a_parameter_the_template_does_not_know_is_refused(shell: Shell, node: FaceServer) -> None:
    assert shell.run(*ARGV, "--colour", "red") == Exit.USAGE
    assert "--colour" in shell.err
    assert not node.face.submitted


def test_an_unknown_template_is_answered_with_those_there_are(shell: Shell) -> None:
    assert shell.run("run", "blendr", "--budget", "1") == Exit.NOT_FOUND
    assert "there are: echo" in shell.err


def test_a_scene_that_is_not_there_is_found_out_before_the_node_is_asked(shell: Shell, node: FaceServer) -> None:
    assert shell.run(*ARGV, "/no/such.blend") == Exit.USAGE
    assert "/no/such.blend" in shell.err
    assert not node.face.submitted


def test_an_estimate_alone_submits_nothing(node: FaceServer, shell: Shell) -> None:
    assert shell.run(*ARGV, "--estimate") == Exit.OK
    assert shell.out.startswith("estimate: ") and " to " in shell.out
    told = shell.json(*ARGV, "--estimate")
    assert isinstance(told, dict) and {"chunks", "least", "most", "is_enough"} <= told.keys()
    assert node.face.submitted == []


def test_what_a_look_at_the_inputs_makes_of_the_estimate_is_shown(node: FaceServer, shell: Shell) -> None:
    def on_submit(task_id: str) -> None:
        node.face.records[task_id] |= {"max_price": str(36 * 10**16), "chunks": 4}

        def measured() -> None:
            node.face.tell(task_id, "prepared", chunks=4, least_ms=1_000, most_ms=20_000)

        def stop() -> None:
            node.face.records[task_id] |= {"phase": "done"}
            node.face.tell(task_id, "done")

        node.reactor.callLater(0.2, measured)
        node.reactor.callLater(0.3, stop)

    node.face.on_submit = on_submit
    assert shell.run(*ARGV) == Exit.OK
    assert "measured: 0.0001 ETH to 0.002 ETH for 4 chunks, 1.0 s to 20.0 s on one slot" in shell.err
    assert "0.0001 ETH to 0.002 ETH" in shell.out, "the summary has the measured range, not the guess"
