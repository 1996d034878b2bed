"""The pytest plugin. `golem_net` plays scenarios or makes networks; `golem_watch` fails a test for what it leaves.

    def test_my_template(golem_net):
        net = golem_net(nodes=("alice", "bob"), seed=3)
        ...

    @pytest.mark.golem_chaos(seeds=20)
    def test_whatever_happens(golem_net): ...   # once for each seed, under the faults that the seed draws

`--golem-level local` plays the scenarios of all these tests with real nodes.

It imports nothing of golem until a test asks, since pytest loads it wherever golem is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from golem.testing.watchdog import Watchdog

LEVELS = ("sim", "local", "netns")  # golem.testing.levels
SEED = "golem_seed"
MARKS = (
    "golem_chaos(seeds=N, first=1, minutes=10, kinds=()): run the test under the faults of N seeds",
    "golem_logs(pattern): these lines of the log are meant to be ERRORs or failures",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where scenarios are played."""
    words = "where golem_net plays scenarios: simulated, with real nodes, or each of them on a host of its own"
    parser.getgroup("golem").addoption("--golem-level", default=LEVELS[0], choices=LEVELS, help=words)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    for mark in MARKS:
        config.addinivalue_line("markers", mark)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each seed of `golem_chaos`."""
    mark = metafunc.definition.get_closest_marker("golem_chaos")
    if mark is None:
        return
    if SEED not in metafunc.fixturenames:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: golem_chaos is for tests that use golem_net")
    first, seeds = mark.kwargs.get("first", 1), mark.kwargs.get("seeds", 10)
    metafunc.parametrize(SEED, range(first, first + seeds), ids=lambda seed: f"seed{seed}", indirect=True)


@pytest.fixture
def golem_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run."""
    return int(getattr(request, "param", 1))


@pytest.fixture
def golem_watch(request: pytest.FixtureRequest) -> Iterator[Watchdog]:
    """Fail the test on failures and ERROR lines in the log that it did not declare with `golem_logs`."""
    dog: Watchdog = import_module("golem.testing.watchdog").Watchdog()
    for mark in request.node.iter_markers("golem_logs"):
        dog.allow(mark.args[0])
    dog.start()
    yield dog
    wrong = dog.stop()
    if wrong:
        pytest.fail("\n".join(["the log has what the test did not declare:", *wrong]), pytrace=False)


@pytest.fixture
def golem_net(
    request: pytest.FixtureRequest, tmp_path: Path, golem_seed: int, golem_watch: Watchdog
) -> Iterator[Callable[..., object]]:
    """Make networks (`golem_net(nodes=..., seed=...)`) or play scenarios (`golem_net.play(path)`)."""
    mark = request.node.get_closest_marker("golem_chaos")
    level, chaos = request.config.getoption("--golem-level"), dict(mark.kwargs) if mark else None
    maker = import_module("golem.testing.nets").Nets(tmp_path, golem_seed, level, chaos)
    yield maker
    wrong = [*maker.close(), *golem_watch.leaks()]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)
