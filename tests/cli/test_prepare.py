"""`golem template prepare`: wheels come by their digests alone, and jobs find them in their sandbox."""

from __future__ import annotations

import base64
import fcntl
import os
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.docker import DockerLauncher, is_reachable
from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.adapters.launchers.host import HostLauncher
from golem.cli.exits import Exit
from golem.cli.wheels import prepare
from golem.errors import Refused, WheelMissing
from golem.interfaces import ILauncher, ITaskTemplate
from golem.model.spec import Environment, Limits
from golem.node.devices import Gpus
from golem.node.executor import PooledExecutor
from golem.node.modules import PINS, prepared
from golem.testing.contract_executor import Bench
from golem.testing.face import FaceServer
from golem.testing.shell import Shell


class Pinned(NamedTuple):
    """As much of a template as is asked here."""

    programs: str
    name: str = "bench"
    environment: Environment = Environment(name="pinned", modules=("pinned_one",))


class Index:
    """A folder of wheels that pip takes in place of an index; and a template that pins some."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "index"
        self.home = folder / "home"
        self.told: list[tuple[str, int]] = []
        for made in (self.folder, folder / "template" / "job"):
            made.mkdir(parents=True)
        self._pins = folder / "template" / PINS

    def add(self, module: str) -> str:
        """A wheel with one module; how it is pinned."""
        path = self.folder / f"{module}-1.0-py3-none-any.whl"
        about = f"{module}-1.0.dist-info"
        files = {
            f"{module}.py": "there = True\n",
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        records = [
            f"{name},sha256={base64.urlsafe_b64encode(sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
            for name, text in files.items()
        ]
        with ZipFile(path, "w") as wheel:
            for name, text in {**files, f"{about}/RECORD": "\n".join([*records, f"{about}/RECORD,,\n"])}.items():
                wheel.writestr(name, text)
        return f"{module}==1.0 --hash=sha256:{sha256(path.read_bytes()).hexdigest()}"

    def pin(self, *lines: str) -> ITaskTemplate:
        self._pins.write_text("".join(f"{line}\n" for line in lines))
        return Pinned(str(self._pins.parent / "job"))  # type: ignore[return-value]  # as much as is asked

    def prepare(self, *lines: str) -> Path:
        return prepare(self.pin(*lines), self.home, lambda what, percent: self.told.append((what, percent)))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    made = Index(tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(made.folder))
    return made


def test_what_is_pinned_is_there_once_it_was_prepared_and_not_before(index: Index) -> None:
    lines = index.add("pinned_one"), index.add("pinned_two")
    assert prepared(index.home, [index.pin(*lines)]) == {}
    made = index.prepare(*lines)
    assert [(made / f"{name}.py").is_file() for name in ("pinned_one", "pinned_two")] == [True, True]
    assert prepared(index.home, [index.pin(*lines)]) == {"bench": str(made)}
    assert list(made.parent.iterdir()) == [made], "nothing of the making is left"
    steps = ["pinned_one==1.0 (1 of 2)", "pinned_two==1.0 (2 of 2)", "unpacking"]
    assert list(dict.fromkeys(what for what, _ in index.told)) == steps
    index.told.clear()
    assert (index.prepare(*lines), index.told) == (made, []), "twice is once"
    assert prepared(index.home, [index.pin(lines[0])]) == {}, "other pins are another folder"


def test_a_wheel_that_is_not_there_is_named_and_what_was_complete_is_not_fetched_again(index: Index) -> None:
    one, two = index.add("pinned_one"), index.add("pinned_two")
    wheel = index.folder / "pinned_two-1.0-py3-none-any.whl"
    away = wheel.rename(index.folder.parent / wheel.name)
    with pytest.raises(WheelMissing, match=r"pinned_two==1\.0 can't be had for Python 3.* No matching distribution"):
        index.prepare(one, two)
    assert prepared(index.home, [index.pin(one, two)]) == {}
    (index.folder / "pinned_one-1.0-py3-none-any.whl").unlink()
    away.rename(wheel)
    assert (index.prepare(one, two) / "pinned_one.py").is_file()


def test_a_wheel_that_is_another_than_the_template_pins_is_refused(index: Index) -> None:
    index.add("pinned_one")
    with pytest.raises(WheelMissing, match=r"pinned_one==1\.0 can't be had .* DO NOT MATCH THE HASHES"):
        index.prepare(f"pinned_one==1.0 --hash=sha256:{'0' * 64}")


def test_a_wheel_without_a_digest_is_refused(index: Index) -> None:
    index.add("pinned_one")
    with pytest.raises(WheelMissing, match=r"pinned_one==1\.0 can't be had .*[Hh]ash"):
        index.prepare("pinned_one==1.0")


def test_two_do_not_prepare_the_same_at_once(index: Index) -> None:
    line = index.add("pinned_one")
    made = index.prepare(line)
    other = made.rename(made.with_name(f"{made.name}.part"))
    held = os.open(other, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(Refused, match="bench is being prepared already"):
        index.prepare(line)
    os.close(held)
    assert index.prepare(line) == made


TIERS = {
    "sandbox": BubblewrapLauncher,
    "docker": DockerLauncher,
    "host": HostLauncher,
}


@pytest.mark.parametrize("tier", TIERS)
def test_jobs_of_that_template_find_the_modules_and_others_do_not(tier: str, index: Index) -> Deferred[None]:
    if tier == "docker" and not is_reachable():
        pytest.skip("no Docker engine answers on this machine: not proven here")
    assert isinstance(reactor, PosixReactorBase)
    return Deferred.fromCoroutine(found(index, TIERS[tier](reactor)))


async def found(index: Index, launcher: ILauncher) -> None:
    assert isinstance(reactor, PosixReactorBase)
    template = index.pin(index.add("pinned_one"))
    needs = {"bench": [template.environment], "other": [Environment(name="bare", modules=("pinned_one",))]}
    executor = PooledExecutor(launcher, reactor, index.home / "rooms", needs, Limits())
    prepare(template, index.home, lambda *_: None)
    executor.furnish(Gpus(), prepared(index.home, [template]))
    try:
        assert (await executor.probe()).environments == ("pinned",)
        source = "import pinned_one\ndef run(params, inputs, output):\n    return {'there': pinned_one.there}\n"
        assert await Bench(executor, reactor, index.home / "bench").report(source) == {"there": True}
    finally:
        await executor.close()


def test_where_there_is_nothing_to_prepare_it_says_so(shell: Shell, node: FaceServer) -> None:
    assert shell.run("template", "prepare", "echo") == Exit.CONFIG
    assert "is no node's folder; make one: golem init" in shell.err
    Path(node.folder, "golem.toml").touch()
    assert shell.run("template", "prepare", "echo") == Exit.REFUSED
    assert "nothing to prepare: echo pins no wheels" in shell.err
    assert shell.run("template", "prepare", "ecko") == Exit.CONFIG
    assert "no template 'ecko' is installed; there are: " in shell.err
