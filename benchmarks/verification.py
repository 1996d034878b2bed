"""Honest renders and every kind of cheat, judged by the code that judges deliveries; `gallery.py` renders them.

`honest_rejected`: the part of honest tiles that is refused: for the seed-locked check those of another kind of
processor, for the exchange test those under other seeds. `accepted`: the part of each cheat's that passes the first of
them, in the worst of the scenes. `area_cost`: pixels rendered anew, of the tile's. `total_cost`: time of a check, of
the time that the tile takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from apps.blender import template
from apps.blender.job import measure
from apps.blender.verify import SeedLocked
from benchmarks.figures import arguments, show
from benchmarks.gallery import DENOISED, FEWER, FIRST, HEIGHT, OTHER_PROCESSOR, SAMPLES, SCENES, WIDTH
from golem.model.ids import Cid, NodeId, SubtaskId
from golem.model.messages import Delivery
from golem.model.money import Wei
from golem.model.spec import Judgement, TaskSpec

FOLDER = Path(__file__).parents[1] / "build" / "gallery"
GALLERY = Path(__file__).with_name("gallery.py")
LAKE = Path(template.programs).parent / "scenes" / "lake.blend"
NS = 6_000  # per pixel and sample, as in most scenes
TIMED = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
import check, render
folder = sys.argv[2]
params = json.load(open(folder + "/params"))
def timed(program):
    began = time.monotonic()
    program.run(params, folder + "/in", folder)
    return time.monotonic() - began
timed(render)
print(json.dumps([timed(render), timed(check)]))
"""
PLAIN = ("R", "G", "B", "A")
PROCESSORS = 3  # honest renders by another kind of processor
SUBTASK, PROVIDER = SubtaskId("5" * 32), NodeId("02" + "a" * 64)
DELIVERY = Delivery(subtask_id=SUBTASK, result=Cid("b" + "r" * 58), size_bytes=1, report=b"{}", used_ms=1)
Pixels = npt.NDArray[np.float32]
Cheat = Callable[["Wall", np.random.Generator], Pixels]


class Wall(dict[str, Pixels]):
    """One scene's renders, by name."""

    def __init__(self, scene: str) -> None:
        super().__init__((path.stem, np.load(path)) for path in (FOLDER / scene).glob("*.npy"))


class Many(SeedLocked):
    """As many places as a tile of 480x320 pixels and 20 s gets; ours are small only to be rendered quickly."""

    def places(self, pixels: int, samples: int) -> tuple[int, int]:
        """See SeedLocked."""
        return 48, 4


def hang() -> None:
    """Have all renders made that are missing."""
    for scene in SCENES:
        for other in ({}, {OTHER_PROCESSOR: "1"}):
            command = [sys.executable, str(GALLERY), str(FOLDER), scene]
            subprocess.run(command, check=True, capture_output=True, env={**os.environ, **other})


# Cheats: what they deliver instead of seed0


def rendered(name: str) -> Cheat:
    """Another render than the one that was asked for."""
    return lambda wall, chance: wall[name]


def multiplied(*by: float) -> Cheat:
    """The right one in other colours."""
    return lambda wall, chance: wall["seed0"] * np.array([*by, 1.0], np.float32)


def pasted(part: float, source: str) -> Cheat:
    """The right one, with a square of so large a part from elsewhere."""

    def deliver(wall: Wall, chance: np.random.Generator) -> Pixels:
        tile = wall["seed0"].copy()
        height, width = (round(side * part**0.5) for side in tile.shape[:2])
        top, left = chance.integers(HEIGHT - height + 1), chance.integers(WIDTH - width + 1)
        place = (slice(top, top + height), slice(left, left + width))
        tile[place] = wall[source][place] if source else (0.5, 0.5, 0.5, 1.0)
        return tile

    return deliver


def cheats() -> dict[str, Cheat]:
    """By name."""
    found: dict[str, Cheat] = {
        "noise": lambda wall, chance: chance.random((HEIGHT, WIDTH, 4), np.float32),
        "blank": lambda wall, chance: np.full((HEIGHT, WIDTH, 4), 0.5, np.float32),
        "other frame": rendered("frame2"),
        "copied from another provider": rendered("seed1"),
        "colluding pair, a render that both deliver": rendered("samples32"),
        "half resolution": lambda wall, chance: wall["half"].repeat(2, axis=0).repeat(2, axis=1),
        "shifted by a pixel": lambda wall, chance: np.roll(wall["seed0"], 1, axis=1),
        "tinted by 2 %": multiplied(1.02, 1.0, 1.0),
        "brighter by 2 %": multiplied(1.02, 1.02, 1.02),
    }
    found |= {f"{n} of {SAMPLES} samples": rendered(f"samples{n}") for n in FEWER}
    found |= {f"the first {n} of {SAMPLES} samples": rendered(f"first{n}") for n in FIRST}
    found |= {f"{n} samples, denoised": rendered(f"denoised{n}") for n in DENOISED}
    for part in (0.05, 0.1, 0.25):
        for word, source in (("blank", ""), ("another frame's", "frame2"), ("of 8 samples", "samples8")):
            found[f"{part:.0%} of it {word}"] = pasted(part, source)
    return found


# Judging


class Trial:
    """One task whose only tile is the whole picture."""

    def __init__(self, verifier: SeedLocked) -> None:
        given = {"resolution": f"{WIDTH}x{HEIGHT}", "samples": str(SAMPLES), "tiles": "1"}
        self.verifier = verifier
        spec = TaskSpec(template="blender", params=template.parse(given), budget=Wei(0), max_price=Wei(0), output="")
        self.chunk = template.split(spec)[0]
        self.work = template.job(spec, self.chunk, SUBTASK, PROVIDER)

    def is_accepted(self, tile: Pixels, wall: Wall, provider: int, salt: bytes) -> bool:
        """Whether a tile passes for what a provider should have rendered; renders are cut where the job makes them."""
        (job,) = self.verifier.plan(self.chunk, self.work, DELIVERY, salt)
        params = msgspec.json.decode(job.params)
        truth, glance = wall[f"seed{provider}"], wall[f"glance{provider}"]
        examination = measure.Examination(
            tile, PLAIN, lambda area: measure.cut(truth, area), lambda area: measure.cut(glance, area)
        )
        try:
            report = examination.run([tuple(area) for area in params["places"]], params["draws"])
        except measure.Strange as why:
            report = {"ok": False, "why": str(why)}
        verdict = self.verifier.judge(self.chunk, self.work, DELIVERY, (msgspec.json.encode(report),))
        return verdict.judgement is Judgement.ACCEPT


def honest_rejected(wall: Wall, trial: Trial, trials: int) -> int:
    """How many of `trials` draws of places refuse what another kind of processor makes."""
    found = 0
    for number in range(trials):
        provider = number % PROCESSORS
        tile = wall[f"processor{provider}"]
        found += not trial.is_accepted(tile, wall, provider, b"honest%d" % number)
    return found


def accepted(wall: Wall, trial: Trial, cheat: Cheat, trials: int) -> int:
    """How many draws of places let a cheat pass."""
    chance = np.random.default_rng(7)
    return sum(trial.is_accepted(cheat(wall, chance), wall, 0, b"cheat%d" % number) for number in range(trials))


# Cost


def costs() -> tuple[float, float]:
    """Of a check, over the tile it checks: pixels rendered, and time; both programs warm, in one process."""
    given = {"resolution": "480x320", "samples": "24", "tiles": "1"}
    spec = TaskSpec(template="blender", params=template.parse(given), budget=Wei(0), max_price=Wei(0), output="")
    chunk = template.split(spec)[0]
    work = template.job(spec, chunk, SUBTASK, PROVIDER)
    (check,) = template.verifier(spec).plan(chunk, work, DELIVERY, b"cost")
    params = msgspec.json.decode(check.params)
    side = params["places"][0][2]
    pixels = sum(width * height for _, _, width, height in params["places"]) + len(params["draws"]) * side**2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "in" / "scene").symlink_to(LAKE)
        (folder / "in" / "result").symlink_to(folder)
        (folder / "params").write_bytes(check.params)
        command = [sys.executable, "-c", TIMED, template.programs, name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rendering_s, checking_s = json.loads(done.stdout.splitlines()[-1])
    return pixels / (480 * 320), checking_s / rendering_s


def main() -> None:
    """Print the figures; with --table, every scene's in Markdown."""
    given = arguments(__doc__ or "", trials=300, honest=5000, table=0)
    hang()
    walls = {scene: Wall(scene) for scene in SCENES}
    trials = [Trial(SeedLocked(NS)), Trial(Many(NS))]
    refused = sum(honest_rejected(wall, trial, given.honest) for wall in walls.values() for trial in trials)
    rates: dict[str, list[float]] = {}
    for name, cheat in cheats().items():
        few, many = (
            [accepted(wall, one, cheat, given.trials) / given.trials for wall in walls.values()] for one in trials
        )
        rates[name] = many
        if given.table:
            print(f"| {name} | {max(few):.3f} | {' | '.join(f'{rate:.3f}' for rate in many)} |")
    area_cost, total_cost = costs()
    show(
        honest_rejected=refused / (2 * len(walls) * given.honest),
        accepted={name: max(found) for name, found in rates.items()},
        area_cost=round(area_cost, 5),
        total_cost=round(total_cost, 4),
    )


if __name__ == "__main__":
    main()
