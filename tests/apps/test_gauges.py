"""The short jobs by which providers try how fast they are, run as a sandbox runs them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from apps.blender import template as blender
from apps.luxrender import template as luxrender
from apps.tally import template as tally
from golem.interfaces import IGauged, ITaskTemplate
from tests.apps.conftest import Worker

GAUGED = [
    pytest.param(blender, marks=[pytest.mark.blender, pytest.mark.timeout(60)]),
    pytest.param(luxrender, marks=[pytest.mark.luxrender, pytest.mark.timeout(60)]),
    pytest.param(tally),
]


@pytest.fixture(params=GAUGED, ids=lambda template: template.name)
def template(request: pytest.FixtureRequest) -> ITaskTemplate:
    found: ITaskTemplate = request.param
    if missing := [name for name in found.environment.modules if find_spec(name) is None]:
        pytest.skip(f"{', '.join(missing)} is not installed: not proven here")
    return found


@pytest.fixture
def worker(template: ITaskTemplate, tmp_path: Path) -> Iterator[Worker]:
    made = Worker(tmp_path / "log", template.programs)
    yield made
    made.close()


def test_a_gauge_runs_again_and_again_in_one_worker_and_leaves_nothing(
    worker: Worker, template: ITaskTemplate, tmp_path: Path
) -> None:
    gauge = IGauged(template).gauge
    for number in range(2):
        output = tmp_path / f"out{number}"
        worker.run(gauge.program, msgspec.json.decode(gauge.params), tmp_path, output)
        assert not any(output.iterdir())
