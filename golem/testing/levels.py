"""The levels that a scenario can be played at: simulated, with real nodes, and each on a host of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from golem.testing.adversaries import ADVERSARIES
from golem.testing.ground import Ground, Loopback, Namespaces, lack
from golem.testing.live_stage import LiveStage
from golem.testing.mishaps import KINDS
from golem.testing.scenario import Scenario
from golem.testing.stage import SimStage, Stage

SCRIPTED = (
    "dont_pay",
    "pay_late",
    "clock_liar",
)  # adversaries by what stands between a node and its chain or its clock


class Level(NamedTuple):
    """`kinds`, `minds`: the faults and adversaries that there are. `lack`: why this machine can't do it, or nothing."""

    name: str
    kinds: frozenset[str]
    minds: frozenset[str]
    stage: Callable[[Path, Scenario], Stage]
    lack: Callable[[], str] = str


def _live(ground: type[Ground], folder: Path, scenario: Scenario) -> Stage:
    return LiveStage(folder, scenario, ground([member.name for member in scenario.members]))


REAL_MINDS = frozenset(ADVERSARIES) - frozenset(SCRIPTED)
SIM = Level("sim", frozenset(KINDS), frozenset(ADVERSARIES), SimStage)
LEVELS: Mapping[str, Level] = {
    "sim": SIM,
    "local": Level("local", Loopback.kinds, REAL_MINDS, partial(_live, Loopback)),
    "netns": Level("netns", Namespaces.kinds, REAL_MINDS, partial(_live, Namespaces), lack),
}
