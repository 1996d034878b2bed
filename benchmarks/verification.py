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
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from apps.blender import template
from apps.blender.exchanged import Exchanged
from apps.blender.job import measure, swap
from apps.blender.verify import SeedLocked
from benchmarks.figures import arguments, show
from benchmarks.gallery import DENOISED, FEWER, FIRST, HEIGHT, OTHER_PROCESSOR, SAMPLES, SCENES, SEEDS, WIDTH
from golem.interfaces import IVerifier
from golem.model.ids import Cid, NodeId, SubtaskId
from golem.model.messages import Delivery
from golem.model.money import Wei
from golem.model.spec import Judgement, TaskSpec
from golem.template import crops

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


class As(SeedLocked):
    """As many places as a larger tile gets; ours are small only to be rendered quickly."""

    def __init__(self, count: int) -> None:
        super().__init__(NS)
        self._count = count

    def places(self, pixels: int, samples: int) -> tuple[int, int]:
        """See SeedLocked."""
        return self._count, 4


def hang() -> None:
    """Have all renders made that are missing."""
    for scene in SCENES:
        for done, other in (("done", {}), ("other-processor.done", {OTHER_PROCESSOR: "1"})):
            if (FOLDER / scene / done).exists():
                continue
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
        return self.passes(self.verifier, report)

    def passes(self, verifier: IVerifier, report: object) -> bool:
        """Whether a verifier accepts on the strength of a report."""
        verdict = verifier.judge(self.chunk, self.work, DELIVERY, (msgspec.json.encode(report),))
        return verdict.judgement is Judgement.ACCEPT


def honest_rejected(wall: Wall, trial: Trial, trials: int) -> int:
    """How many of `trials` draws of places refuse what another kind of processor makes."""
    found = 0
    for number in range(trials):
        provider = number % PROCESSORS
        tile = wall[f"processor{provider}"]
        found += not trial.is_accepted(tile, wall, provider, b"honest%d" % number)
    return found


def exchanged(wall: Wall, trial: Trial, tile: Pixels, seeds: Sequence[int], salt: bytes) -> bool:
    """Whether a tile passes the exchange test against two renders under other seeds, as large as of full HD."""
    tally = swap.Tally()
    for x, y, width, height in crops(WIDTH, HEIGHT, *Exchanged().places(1920 * 1080), salt):
        area = (x, y, width, height)
        three = (tile, *(wall[f"seed{seed}"] for seed in seeds))
        tally.add(area, *(measure.cut(pixels, area)[:, :, :3] for pixels in three))
    report = {"ok": True, "tests": tally.tests, "worst": tally.worst}
    return trial.passes(Exchanged(), report)


def honest_exchange_rejected(wall: Wall, trial: Trial, draws: int) -> float:
    """The part of all triples of seeds that are refused."""
    found = [
        exchanged(wall, trial, wall[f"seed{one}"], seeds, b"exchange%d" % draw)
        for one, *seeds in permutations(range(len(SEEDS)), 3)
        for draw in range(draws)
    ]
    return 1 - sum(found) / len(found)


def exchange_accepted(wall: Wall, trial: Trial, cheat: Cheat) -> float:
    """The part that passes, of a cheat with the first provider's seed."""
    chance = np.random.default_rng(7)
    pairs = list(permutations(range(1, len(SEEDS)), 2))
    return sum(exchanged(wall, trial, cheat(wall, chance), pair, b"%d%d" % pair) for pair in pairs) / len(pairs)


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
    given = arguments(__doc__ or "", trials=300, honest=6_000, draws=1, places=48, table=0)
    hang()
    walls = [Wall(scene) for scene in SCENES]
    trial = Trial(As(given.places))
    refused = sum(honest_rejected(wall, trial, given.honest) for wall in walls) / (len(walls) * given.honest)
    swapped = sum(honest_exchange_rejected(wall, trial, given.draws) for wall in walls) / len(walls)
    rates: dict[str, float] = {}
    for name, cheat in cheats().items():
        each = [accepted(wall, trial, cheat, given.trials) / given.trials for wall in walls]
        rates[name] = max(each)
        if given.table:
            others = [exchange_accepted(wall, trial, cheat) for wall in walls]
            cells = (f"{rate:.2f}" for rate in (*each, max(others)))
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    area_cost, total_cost = costs()
    show(
        honest_rejected={"seedlock": refused, "exchange": swapped},
        accepted=rates,
        area_cost=round(area_cost, 5),
        total_cost=round(total_cost, 4),
    )


if __name__ == "__main__":
    main()
