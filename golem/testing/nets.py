"""The networks of one test, and what became of them when it ends."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from golem.testing.faults import KINDS, Weather, draw, schedule
from golem.testing.levels import LEVELS, SIM
from golem.testing.local import LocalNetwork
from golem.testing.player import FAILED, HELD, SKIPPED, Played, play
from golem.testing.scenario import load

CHAOS = ("seeds", "first", "minutes", "kinds")


class Nets:
    """`level`: where scenarios are played. `chaos`: what `golem_chaos` says, or None where no faults are wanted."""

    def __init__(self, folder: Path, seed: int, level: str, chaos: Mapping[str, object] | None) -> None:
        self._folder = folder
        self._seed = seed
        self._level = level
        self._chaos = chaos
        self._made: list[LocalNetwork] = []
        self.weathers: list[Weather] = []
        if chaos is not None:
            self._check(chaos)

    def _check(self, chaos: Mapping[str, object]) -> None:
        unknown = [key for key in chaos if key not in CHAOS]
        kinds = [kind for kind in chaos.get("kinds", ()) if kind not in KINDS]  # type: ignore[attr-defined]  # a mark's arguments are of any type
        assert not unknown, f"golem_chaos has no {unknown[0]!r}; it has: {', '.join(CHAOS)}"
        assert not kinds, f"there is no fault {kinds[0]!r}; there are: {', '.join(KINDS)}"

    def __call__(self, nodes: tuple[str, ...] = ("alice", "bob", "carol"), **terms: object) -> LocalNetwork:
        """Make a simulated network, under the faults of the test's seed if it has `golem_chaos`."""
        if self._level != SIM.name:
            pytest.skip(f"level {self._level} plays scenarios, and this test makes a simulated network")
        given = {"seed": self._seed, **terms}
        net = LocalNetwork(self._folder / f"net{len(self._made)}", nodes, **given)  # type: ignore[arg-type]  # checked by the constructor
        self._made.append(net)
        if self._chaos is not None:
            until_ms = int(float(str(self._chaos.get("minutes", 10))) * 60_000)
            kinds = tuple(map(str, self._chaos.get("kinds", ())))  # type: ignore[call-overload]  # as above
            faults = draw(self._seed, nodes, until_ms, kinds)
            self.weathers.append(schedule(net, faults))
            sys.stdout.write("\n".join([f"the faults of seed {self._seed}:", *map(str, faults), ""]))
        return net

    def play(self, path: Path | str, level: str = "") -> Played:
        """Play a scenario file under its own seed. `level`: if not that of the whole run.

        Raises AssertionError, with what broke, where it fails. Where something was skipped, so is the test.
        """
        played = play(load(Path(path)), LEVELS[level or self._level])
        told = [f"{path}:{v.line}: {v.what}: {v.detail}" for v in played.verdicts if v.outcome != HELD]
        assert played.outcome != FAILED, "\n".join([*told, played.story])
        if played.outcome == SKIPPED:
            pytest.skip("\n".join(told))
        return played

    def close(self) -> list[str]:
        """End all networks; says what was wrong with them."""
        wrong = [f"seed {net.world.seed}: {trouble}" for net in self._made for trouble in net.world.troubles]
        for net in self._made:
            net.close()
            sys.stdout.write(net.story() + "\n")
        return wrong
