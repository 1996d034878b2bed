"""Runs a template's own programs within this process, for simulated nodes. For programs of this project alone."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import msgspec
from twisted.internet.interfaces import IReactorTime

from golem.interfaces import ITaskTemplate, environments
from golem.model.spec import Capability, Job, Outcome, Status
from golem.testing.executor import Script, ScriptedExecutor


def executor(clock: IReactorTime, templates: Mapping[str, ITaskTemplate], takes_s: float) -> ScriptedExecutor:
    """One that can do all that these templates need; each job takes `takes_s`, whatever it is."""
    capability = Capability(
        tier=ScriptedExecutor.tier,
        cores=8,
        memory_bytes=16 << 30,
        environments=tuple(sorted({one.name for template in templates.values() for one in environments(template)})),
    )
    return ScriptedExecutor(clock, _script(templates, int(takes_s * 1000)), capability, takes_s)


def _script(templates: Mapping[str, ITaskTemplate], used_ms: int) -> Script:
    modules: dict[tuple[str, str], ModuleType] = {}

    def run(job: Job, output: Path) -> Outcome:
        key = job.template, job.program
        if key not in modules:
            modules[key] = _load(templates[job.template].programs, job.program)
        try:
            report = modules[key].run(msgspec.json.decode(job.params), "", str(output))
        except ValueError as why:
            return Outcome(status=Status.ERROR, detail=str(why), used_ms=used_ms)
        return Outcome(status=Status.DONE, report=msgspec.json.encode(report), used_ms=used_ms)

    return run


def _load(folder: str, program: str) -> ModuleType:
    spec = spec_from_file_location(f"golem_program_{program}", Path(folder, f"{program}.py"))
    assert spec is not None and spec.loader is not None, f"{program} is no Python file"
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
