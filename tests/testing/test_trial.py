"""`golem template new` writes a template that keeps the contract, and `golem template test` sees where one does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from zope.interface import implementer

from apps.tally import template as tally
from apps.tally.template import Tally
from golem.cli.beginning import begin
from golem.cli.exits import Exit
from golem.errors import ConfigError
from golem.interfaces import ITaskTemplate, IVerifier
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Environment, Job, Judgement, Merge, TaskSpec, Verdict
from golem.template import to_json
from golem.testing.shell import Shell
from golem.testing.trial import Trial

SMALL = {"length": "20", "ranges": "8", "chunks": "3"}


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """In an empty folder, with no node."""
    monkeypatch.chdir(tmp_path)
    return Shell(str(tmp_path / "node"))


def test_what_new_writes_is_found_by_test_and_keeps_the_contract(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("template", "new", "first_try") == Exit.OK
    assert "golem template test first_try" in shell.out
    assert shell.run("template", "test", "first_try", "--param", "count=150") == Exit.OK, shell.out
    assert "first_try keeps the contract" in shell.out and "2 chunks" in shell.out
    told = shell.json("template", "test", "first_try")
    assert isinstance(told, dict) and told["held"] and len(told["findings"]) > 15
    written = "".join(path.read_text() for path in (tmp_path / "first_try").rglob("*.*") if path.is_file())
    assert "sample" not in written.lower() and "class FirstTry" in written


@pytest.mark.parametrize(
    ("name", "why"), [("json", "installed"), ("Primes", "small letter"), ("class", "small letter"), ("../x", "letter")]
)
def test_a_name_that_does_not_suit_is_refused_with_the_reason(
    name: str, why: str, shell: Shell, tmp_path: Path
) -> None:
    assert shell.run("template", "new", name) == Exit.USAGE
    assert why in shell.err and not list(tmp_path.iterdir())


def test_what_is_there_is_not_written_over(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert shell.run("template", "new", "mine") == Exit.USAGE
    assert "there already" in shell.err and not list((tmp_path / "mine").iterdir())


@pytest.mark.parametrize(
    ("project", "why"),
    [
        (None, "neither __init__.py nor pyproject.toml"),
        ("[project", "can't be read"),
        ("[project]", "0 templates"),
        ('[project.entry-points."golem.apps"]\nx = "no_such_module:template"', "does not load: ModuleNotFoundError"),
    ],
)
def test_a_folder_without_a_template_is_named_with_the_reason(
    project: str | None, why: str, shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "it").mkdir()
    if project is not None:
        (tmp_path / "it" / "pyproject.toml").write_text(project)
    assert shell.run("template", "test", "it") == Exit.CONFIG
    assert (why in shell.err and str(tmp_path / "it") in shell.err) or "no_such_module" in shell.err


def test_an_installed_template_is_tried_by_its_name(shell: Shell) -> None:
    said = [word for name, value in SMALL.items() for word in ("--param", f"{name}={value}")]
    assert shell.run("template", "test", "tally", *said) == Exit.OK, shell.out
    assert shell.run("template", "test", "tally", *said, "--param", "check=copies") == Exit.OK, shell.out


def test_what_a_trial_is_not_given_right_is_said(shell: Shell) -> None:
    assert shell.run("template", "test", "echo", "--param", "cuont=1") == Exit.USAGE
    assert "did you mean count?" in shell.err
    assert shell.run("template", "test", "echo", "no_such_scene") == Exit.USAGE
    assert "no such file or folder: no_such_scene" in shell.err


# Templates that break the contract, each in one way.


@implementer(IVerifier)
class Trusting:
    """Takes anything."""

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        return ()

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        return Verdict(judgement=Judgement.ACCEPT, reason="why not")


@implementer(ITaskTemplate)
class Careless(Tally):
    def verifier(self, spec: TaskSpec) -> IVerifier:
        return Trusting()


@implementer(ITaskTemplate)
class Raising(Tally):
    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        raise KeyError("chunks")


@implementer(ITaskTemplate)
class Forgetful(Tally):
    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        return (Merge(name="tally", chunks=(0, 1)),)


@implementer(ITaskTemplate)
class Wordy(Tally):
    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        return [Chunk(index=0, label="all", params=to_json({"all": "x" * 2000}))]


@implementer(ITaskTemplate)
class Fickle(Tally):
    asked = 0

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        self.asked += 1
        return [Chunk(index=0, label=f"asked {self.asked}", params=b"{}")]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (Careless, "does not pay a cheater who delivers nothing: from 0: accept: why not"),
        (Raising, "test_trial.py:[0-9]+ raised KeyError: 'chunks'"),
        (Forgetful, "chunk 2 is computed and paid, and no result is made of it"),
        (Wordy, "chunk 0 has 20[0-9]+ bytes, at most 1024"),
        (Fickle, "chunk 0 is another when asked for again"),
    ],
)
def test_what_breaks_the_contract_is_found(broken: Callable[[], Tally], why: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=why):
        Trial(broken(), tmp_path, SMALL).hold()


def test_programs_that_fail_are_told_with_their_log(tmp_path: Path) -> None:
    project = begin("failing", tmp_path / "failing")
    work = project / "failing" / "job" / "work.py"
    work.write_text(work.read_text().replace("return number * number", "return number // 0"))
    shell = Shell(str(tmp_path / "node"))
    assert shell.run("template", "test", str(project)) == Exit.FAILED
    assert "work on from 0: error: ZeroDivisionError" in shell.out and "return number // 0" in shell.out
    assert "failing does not keep the contract" in shell.out


def test_what_only_type_checkers_read_is_no_import(tmp_path: Path) -> None:
    project = begin("typed", tmp_path / "typed")
    work = project / "typed" / "job" / "work.py"
    shell = Shell(str(tmp_path / "node"))
    first, rest = work.read_text().split("import json", 1)
    work.write_text(f"{first}import json\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import golem{rest}")
    assert shell.run("template", "test", str(project), "--param", "count=1") == Exit.OK, shell.out
    work.write_text(work.read_text().replace("if TYPE_CHECKING", "if True"))
    assert shell.run("template", "test", str(project), "--param", "count=1") == Exit.FAILED
    assert "work.py imports golem, which is not in the sandbox" in shell.out


def test_modules_that_are_missing_are_named_with_what_brings_them(tmp_path: Path) -> None:
    class Needy(Tally):
        environment = Environment(name="needy", modules=("json", "no_such_wheel"))

    with pytest.raises(ConfigError, match=r"'tally' needs no_such_wheel, which this Python has not: .* install no_"):
        Trial(Needy(), tmp_path).hold()


def test_the_contract_holds_in_a_test_of_ones_own(tmp_path: Path) -> None:
    Trial(tally, tmp_path, SMALL).hold()
