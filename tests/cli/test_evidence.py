"""`golem task evidence`: what was found against results, and what that rests on."""

from __future__ import annotations

import json

from golem.cli.exits import Exit
from golem.testing.face import FaceServer
from golem.testing.shell import Shell

TASK = "ab" * 16
REASON = "recompute: from 0, item 7: bytes: 0 against 3"


def test_verdicts_against_results_are_listed_and_are_whole_in_json(node: FaceServer, shell: Shell) -> None:
    node.face.records[TASK] = {"task_id": TASK, "template": "tally", "phase": "done"}
    node.face.attempts[TASK] = [
        {"subtask_id": "1" * 32, "phase": "accepted", "provider": "02" + "a" * 64, "reason": ""},
        {"subtask_id": "2" * 32, "phase": "rejected", "provider": "02" + "b" * 64, "reason": REASON},
    ]
    assert shell.run("task", "evidence", TASK[:6]) == Exit.OK
    (row,) = [line for line in shell.out.splitlines() if REASON in line]
    assert "wrong" in row and "22222222" in row
    assert shell.run("task", "evidence", TASK, "--json") == Exit.OK
    assert json.loads(shell.out)[0]["reason"] == REASON


def test_a_task_in_which_nothing_was_wrong_says_so(node: FaceServer, shell: Shell) -> None:
    node.face.records[TASK] = {"task_id": TASK, "template": "tally", "phase": "done"}
    node.face.attempts[TASK] = []
    assert shell.run("task", "evidence", TASK) == Exit.OK
    assert "nothing was found wrong or malformed" in shell.out + shell.err
