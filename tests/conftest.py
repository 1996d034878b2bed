"""What holds for every test: which ones need more than Python, and how hard the properties are tried."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from golem.testing.watchdog import added, left

TIDY = {"cli", "control", "fuzz", "net", "node", "scenario", "testing"}  # folders whose tests are held to leave nothing

# No deadlines: a loaded machine is not a fault. What fails prints how to fail again.
settings.register_profile(
    "house", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
settings.register_profile("fuzz", settings.get_profile("house"), max_examples=20_000)
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the way out, what this machine can't do."""
    lacks = {}
    if find_spec("bpy") is None:
        lacks["blender"] = pytest.mark.skip(
            reason="bpy is not installed: pip install 'golem[blender]', with Python 3.11"
        )
    if find_spec("pyluxcore") is None:
        lacks["luxrender"] = pytest.mark.skip(reason="pyluxcore is not installed: pip install 'golem[luxrender]'")
    for item in items:
        for name, skip in lacks.items():
            if item.get_closest_marker(name):
                item.add_marker(skip)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """End the run once the reactor has ended: all tests that follow would fail, and none of them for its own sake."""
    twisted = item.config.pluginmanager.getplugin("twisted")
    greenlet = twisted._instances.gr_twisted if twisted else None  # nothing public says so
    if greenlet is not None and greenlet.dead:
        pytest.exit("the reactor has ended: a test before this one ran out of its time while the reactor waited", 1)


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves processes or open files behind, or a reactor with something to do."""
    if Path(request.path).parent.name not in TIDY:
        yield
        return
    before = left()
    yield
    wrong = added(before)
    assert not wrong, "\n".join(wrong)
