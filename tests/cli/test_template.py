"""`golem template show`: one kind of task, for people and for programs."""

from __future__ import annotations

import json

from golem.cli.exits import Exit
from golem.testing.face import FaceServer
from golem.testing.shell import Shell


def test_a_template_is_shown_with_its_parameters_and_their_schema(shell: Shell, node: FaceServer) -> None:
    assert shell.run("template", "show", "echo") == Exit.OK
    assert "--text" in shell.out and "what to say (required)" in shell.out
    assert shell.run("template", "show", "echo", "--json") == Exit.OK
    assert isinstance(json.loads(shell.out), dict)


def test_a_template_that_is_not_there_is_answered_with_those_that_are(shell: Shell) -> None:
    assert shell.run("template", "show", "ecko") != Exit.OK
    assert "no template 'ecko' is enabled; there are: echo" in shell.err
