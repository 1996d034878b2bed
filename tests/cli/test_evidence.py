"""`golem evidence`: what was found against results, what that rests on, and whether it is found again."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from golem.cli.exits import Exit
from golem.testing.face import FaceServer
from golem.testing.shell import Shell

TASK = "ab" * 16
REASON = "recompute: from 0, item 7: bytes: 0 against 3"
VERDICT = {"subtask_id": "2" * 32, "signed": b64encode(b"word").decode()}


@pytest.fixture
def caught(node: FaceServer) -> FaceServer:
    """A node of whose task one result was found wrong."""
    node.face.records[TASK] = {"task_id": TASK, "template": "tally", "phase": "done"}
    node.face.attempts[TASK] = [
        {"subtask_id": "1" * 32, "phase": "accepted", "provider": "02" + "a" * 64, "reason": ""},
        {"subtask_id": "2" * 32, "phase": "rejected", "provider": "02" + "b" * 64, "reason": REASON},
    ]
    return node


def test_verdicts_against_results_are_listed_and_are_whole_in_json(caught: FaceServer, shell: Shell) -> None:
    assert shell.run("evidence", "show", TASK[:6]) == Exit.OK
    (row,) = [line for line in shell.out.splitlines() if REASON in line]
    assert "wrong" in row and "22222222" in row
    (told,) = shell.json("evidence", "show", TASK)  # type: ignore[misc]  # it is a list
    assert told["reason"] == REASON


def test_a_task_in_which_nothing_was_wrong_says_so(node: FaceServer, shell: Shell, tmp_path: Path) -> None:
    node.face.records[TASK] = {"task_id": TASK, "template": "tally", "phase": "done"}
    node.face.attempts[TASK] = []
    assert shell.run("evidence", "show", TASK) == Exit.OK
    assert "nothing was found wrong or malformed" in shell.out + shell.err
    assert shell.run("evidence", "save", TASK, str(tmp_path / "file")) == Exit.NOT_FOUND
    assert not (tmp_path / "file").exists()


def test_what_was_saved_is_found_again(caught: FaceServer, shell: Shell, tmp_path: Path) -> None:
    file = str(tmp_path / "evidence.json")
    assert shell.run("evidence", "save", TASK, file) == Exit.OK and "1 verdict;" in shell.out
    assert json.loads(Path(file).read_text())[0]["reason"] == REASON
    assert shell.run("evidence", "replay", file, "--from", "10.0.0.1:7301") == Exit.OK
    assert "1 of 1 verdict came out the same here" in shell.out
    (case,) = caught.face.cases
    assert case.sources == ("10.0.0.1:7301",)


def test_a_verdict_that_is_not_found_again_fails_and_says_what_was_found(
    caught: FaceServer, shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps([VERDICT, VERDICT]))
    caught.face.found = "accept"
    assert shell.run("evidence", "replay", str(file)) == Exit.FAILED
    assert "0 of 2 verdicts came out the same here" in shell.out and "because; said: why" in shell.out
    assert [case.signed for case in caught.face.cases] == [b"word", b"word"]
    assert shell.run("evidence", "replay", str(file), "--json") == Exit.FAILED
    assert [one["found"] for one in json.loads(shell.out)] == ["accept", "accept"]


def test_contents_that_are_gone_are_named(caught: FaceServer, shell: Shell, tmp_path: Path) -> None:
    gone = "b" + "a" * 58
    caught.face.attempts[TASK][1] = {**caught.face.attempts[TASK][1], "contents": [gone]}
    file = str(tmp_path / "evidence.json")
    assert shell.run("evidence", "save", TASK, file) == Exit.OK
    assert f"{gone} is not here any more" in shell.err
    assert shell.json("evidence", "save", TASK, file) == {"file": file, "verdicts": 1, "gone": [gone]}


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[" * 100_000])
def test_a_file_that_is_no_evidence_is_named(node: FaceServer, shell: Shell, tmp_path: Path, text: str) -> None:
    file = tmp_path / "evidence.json"
    file.write_text(text)
    assert shell.run("evidence", "replay", str(file)) == Exit.USAGE
    assert f"{file} is not what golem evidence save writes" in shell.err


def test_files_that_cannot_be_read_or_written_are_named(caught: FaceServer, shell: Shell, tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere" / "evidence.json")
    assert shell.run("evidence", "replay", missing) == shell.run("evidence", "save", TASK, missing) == Exit.USAGE
    assert shell.err.count(missing) >= 1 and "No such file" in shell.err
