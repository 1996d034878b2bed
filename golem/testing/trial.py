"""`golem template test`: one task of a template played through by a fake provider and fake cheaters, offline.

    Trial(template, folder, {"count": "100"}).hold()        # in a template's own tests

Programs run in a process of this machine, not in a sandbox: for templates of one's own.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from golem.cli.command import Call
from golem.cli.exits import Exit, UsageError
from golem.cli.screen import DIM, GREEN, RED
from golem.errors import ConfigError, GolemError, TemplateBroken, TemplateFailed, TemplateMissing
from golem.interfaces import IPreparing, ITaskTemplate
from golem.model.money import NOTHING
from golem.model.spec import WASI, Limits, Resource, TaskSpec
from golem.node.plugins import GROUP, load, resolve
from golem.testing.bench import Bench, done
from golem.testing.contract_template import ASKED, RUN, Check, Skipped, Stage, caught
from golem.testing.lies import LIES

LIMITS = Limits(timeout_ms=600_000)  # of one job; a frame of a test scene takes seconds


MARKS = {True: ("ok  ", GREEN), False: ("FAIL", RED), None: ("-   ", DIM)}


class Finding(NamedTuple):
    """One sentence about a template. `is_held`: None where there was nothing to be tried."""

    sentence: str
    is_held: bool | None
    detail: str


class Trial:
    """One task of `template`. `folder`: for what its jobs see and make. `params`, `inputs`: as for `golem run`."""

    def __init__(
        self,
        template: ITaskTemplate,
        folder: Path,
        params: Mapping[str, str] | None = None,
        inputs: Mapping[str, str] | None = None,
    ) -> None:
        self._template = template
        self._folder = folder / "trial"
        self._params = dict(params or {})
        self._inputs = dict(inputs or {})

    def hold(self) -> None:
        """Raises AssertionError with every sentence that does not hold."""
        broken = [f"{one.sentence}: {one.detail}" for one in self.findings() if one.is_held is False]
        if broken:
            raise AssertionError("\n".join(broken))

    def findings(self) -> Iterator[Finding]:
        """Sentence after sentence, as they are tried. Raises ConfigError where modules are missing."""
        environment = self._template.environment
        is_wasm = WASI in environment.modules
        needed = [name for name in environment.modules if name != WASI] + ["wasmtime"] * is_wasm
        missing = [name for name in needed if find_spec(name) is None]
        if missing:
            raise ConfigError(
                f"template {self._template.name!r} needs {', '.join(missing)}, which this Python has not: "
                f"{sys.executable} -m pip install {' '.join(missing)}"
            )
        bench = Bench(self._template.programs, self._folder, is_wasm=is_wasm)
        try:
            stage = self._stage(bench)
            for sentence, check in self._checks():
                yield _tried(stage, sentence, check)
        finally:
            bench.close()

    def _checks(self) -> Iterator[tuple[str, Check]]:
        yield from ASKED.items()
        yield from RUN.items()
        for who, lie in LIES.items():
            yield f"does not pay a cheater {who}", partial(caught, lie=lie)

    def _stage(self, bench: Bench) -> Stage:
        """The task, prepared. Raises BadParameters, or TemplateFailed where preparing fails."""
        template = self._template
        spec = TaskSpec(
            template=template.name,
            params=template.parse(self._params),
            budget=NOTHING,
            max_price=NOTHING,
            output="",
            inputs=tuple(bench.give(Resource(name=name, path=path)) for name, path in self._inputs.items()),
            limits=LIMITS,
        )
        stage = Stage(template, bench, spec)
        if IPreparing.providedBy(template):
            job = stage.own(IPreparing(template).prepare(spec), "prepare")
            stage.spec = IPreparing(template).prepared(spec, done(bench.run(job), job.program))
        return stage


def _tried(stage: Stage, sentence: str, check: Check) -> Finding:
    try:
        return Finding(sentence, True, _asked(stage, check))
    except Skipped as why:
        return Finding(sentence, None, str(why))
    except (AssertionError, GolemError) as why:
        return Finding(sentence, False, str(why))


def _asked(stage: Stage, check: Check) -> str:
    """What the check says. Whatever a template raises becomes TemplateFailed, with the line that raised."""
    try:
        return check(stage)
    except (AssertionError, GolemError, Skipped):
        raise
    except Exception as why:
        last = why.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        where = f"{Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last is not None else "?"
        raise TemplateFailed(f"{where} raised {type(why).__name__}: {why}") from why


def find(name: str) -> ITaskTemplate:
    """The template in a folder, or the installed one of that name.

    A folder holds a package that exports `template`, as apps/echo does, or a project that names one in pyproject.toml.
    Raises TemplateMissing, TemplateBroken.
    """
    folder = Path(name).expanduser().absolute()
    if not folder.is_dir():
        return load([name])[name]
    project = folder / "pyproject.toml"
    if (folder / "__init__.py").is_file():
        return _imported(folder.parent, folder.name, f"{folder.name}:template")
    if not project.is_file():
        raise TemplateMissing(f"{folder}: no template there; it has neither __init__.py nor pyproject.toml")
    ((called, target),) = _points(project).items()
    return _imported(folder, called, target)


def _points(project: Path) -> Mapping[str, str]:
    """The one template that a project names."""
    try:
        said = tomllib.loads(project.read_text())
    except (OSError, ValueError) as why:
        raise TemplateBroken(f"{project} can't be read: {why}") from why
    points: Mapping[str, str] = said.get("project", {}).get("entry-points", {}).get(GROUP, {})
    if len(points) != 1:
        table = f'[project.entry-points."{GROUP}"]'
        raise TemplateBroken(f"{project}: {len(points)} templates under {table}; one is wanted")
    return points


def _imported(path: Path, name: str, target: str) -> ITaskTemplate:
    """As it is now: what an earlier trial imported from there is forgotten."""
    for module, loaded in list(sys.modules.items()):
        if (getattr(loaded, "__file__", None) or "").startswith(f"{path}/"):
            del sys.modules[module]
    if str(path) not in sys.path:
        sys.path.insert(0, str(path))
    invalidate_caches()
    return resolve(name, target)


def command(call: Call) -> int:
    """Try a template and say what holds."""
    args, screen = call.args, call.screen
    template = find(args.template)
    inputs = ({"scene": args.scene} if args.scene else {}) | dict(args.input)
    missing = [path for path in inputs.values() if not Path(path).expanduser().exists()]
    if missing:
        raise UsageError(f"no such file or folder: {', '.join(missing)}")
    screen.note(f"{template.name}: {template.title}")
    found = []
    with TemporaryDirectory(prefix="golem-trial-") as folder:
        for one in Trial(template, Path(folder), dict(args.param), inputs).findings():
            found.append(one)
            if not screen.is_json:
                mark, style = MARKS[one.is_held]
                screen.say(f"{mark}  {one.sentence}" + (f": {one.detail}" if one.detail else ""), style)
    broken = sum(one.is_held is False for one in found)
    if screen.is_json:
        screen.record({"template": template.name, "held": not broken, "findings": [one._asdict() for one in found]})
    else:
        told = f"{template.name} {'does not keep' if broken else 'keeps'} the contract"
        screen.say(f"{told}: {len(found)} sentences, {broken} broken", RED if broken else GREEN)
    return Exit.FAILED if broken else Exit.OK
