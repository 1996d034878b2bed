"""`golem doctor`: what is wrong, and which limits were met."""

from __future__ import annotations

from golem.cli.exits import Exit
from golem.model.budgets import TABLE
from golem.testing.face import FaceServer
from golem.testing.shell import Shell


def test_the_doctor_says_how_the_node_is_reached_and_what_is_wrong_once(shell: Shell, node: FaceServer) -> None:
    node.face.about = {"reached": "straight: a peer has dialled us", "problems": ["no peers"]}
    node.face.prospect = {"advice": ["no peers", "ask less"]}
    assert shell.run("doctor") == Exit.OK
    assert [line for line in shell.out.splitlines() if line] == [
        "reached straight: a peer has dialled us",
        "gpus none for jobs: no /dev/nvidia0, or provider.gpu not set",
        "look at this: no peers",
        "look at this: ask less",
    ]


def test_every_limit_is_listed_with_how_often_it_was_met(shell: Shell, node: FaceServer) -> None:
    node.face.about = {"refused": {"guests": 7}}
    assert shell.run("doctor", "--limits") == Exit.OK
    lines = shell.out.splitlines()
    assert sum(any(line.startswith(budget.name) for line in lines) for budget in TABLE) == len(TABLE)
    assert next(line for line in lines if line.startswith("guests")).split()[-1] == "7"
    (row,) = [row for row in shell.json("doctor")["limits"] if row["name"] == "guests"]  # type: ignore[index,call-overload]  # JSON
    assert row["met"] == 7  # type: ignore[index,call-overload]  # JSON
