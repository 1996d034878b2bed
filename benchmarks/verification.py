"""Honest renders and every kind of cheat, judged by the code that judges deliveries; `gallery.py` renders them.

`honest_rejected`: the part of honest tiles that is refused: for the seed-locked check those of another kind of
processor, for the exchange test those under other seeds. `accepted`: the part of each cheat's that passes, in the worst
of the scenes; `…, exchanged`: that passes the exchange test before the sum over results is enough. `area_cost`:
pixels rendered anew, of the tile's. `total_cost`: time of a check, of the time that the tile
takes, on a machine that does nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
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
from golem.model.ids import Cid, NodeId, SubtaskId
from golem.model.messages import Delivery
from golem.model.money import Wei
from golem.model.spec import Judgement, Outcome, Status, TaskSpec
from golem.template import crops

FOLDER = Path(__file__).parents[1] / "build" / "gallery"
GALLERY = Path(__file__).with_name("gallery.py")
LAKE = Path(template.programs).parent / "scenes" / "lake.blend"
NS = 6_000  # per pixel and sample, as in most scenes
LOOK = """
import json, sys
sys.path.insert(0, sys.argv[1])
import look
folder = sys.argv[2]
print(json.dumps(look.run(json.load(open(folder + "/params")), folder + "/in", folder)))
"""
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
print(json.dumps([timed(render), sorted(timed(check) for _ in range(5))[2]]))
"""
SHOWS = 0.75  # of a square's pixels are other than they should be
PLAIN = ("R", "G", "B", "A")
CAUGHT = 400  # results of a cheat that the exchange test sums, until it is called unseen
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


def flickering(name: str, by: float) -> Cheat:
    """Another render, altered a little so that nobody sees that it is one."""
    return lambda wall, chance: wall[name] * chance.normal(1.0, by, wall[name].shape).astype(np.float32)


def pasted(part: float, source: str) -> Cheat:
    """The right one, with a square of so large a part from elsewhere, where it shows: a piece of sky is as good."""

    def deliver(wall: Wall, chance: np.random.Generator) -> Pixels:
        right = wall["seed0"]
        height, width = (round(side * part**0.5) for side in right.shape[:2])
        while True:
            tile = right.copy()
            top, left = chance.integers(HEIGHT - height + 1), chance.integers(WIDTH - width + 1)
            place = (slice(top, top + height), slice(left, left + width))
            tile[place] = wall[source][place] if source else (0.5, 0.5, 0.5, 1.0)
            if (measure.change(tile[place], right[place]).max(axis=2) > measure.BAD).mean() > SHOWS:
                return tile

    return deliver


def cheats() -> dict[str, Cheat]:
    """By name."""
    found: dict[str, Cheat] = {
        "noise": lambda wall, chance: chance.random((HEIGHT, WIDTH, 4), np.float32),
        "blank": lambda wall, chance: np.full((HEIGHT, WIDTH, 4), 0.5, np.float32),
        "other frame": rendered("frame2"),
        "copied from another provider": rendered("seed1"),
        "copied, and every pixel altered by 0.5 %": flickering("seed1", 0.005),
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
        provider = number % len(SEEDS)
        tile = wall[f"processor{provider}"]
        found += not trial.is_accepted(tile, wall, provider, b"honest%d" % number)
    return found


def exchanged(wall: Wall, tile: Pixels, seeds: Sequence[int], before: int, salt: bytes) -> bytes:
    """The report of the exchange test on a tile against two renders under other seeds, as large as of full HD.

    `before`: the seed of a result that was accepted before.
    """
    tally = swap.Tally()
    for x, y, width, height in crops(WIDTH, HEIGHT, *Exchanged().places(1920 * 1080), salt):
        area = (x, y, width, height)
        seen = (tile, *(wall[f"seed{seed}"] for seed in (*seeds, before)))
        *three, there = (measure.cut(pixels, area)[:, :, :3] for pixels in seen)
        tally.add(area, three[0], three[1], three[2], [there])
    return msgspec.json.encode({"ok": True, "tests": tally.tests, "worst": tally.worst})


def honest_reports(wall: Wall) -> list[bytes]:
    """Of all triples of seeds, by whichever processor of two the delivered one was rendered.

    Each of three is the delivered one in turn, at the same places: few renders stand for many, and one that happens to
    stand out must not do so in every result.
    """
    return [
        exchanged(wall, wall[f"{kind}{one}"], pair, _other(one, *pair), b"%d%d%d" % tuple(sorted((one, *pair))))
        for kind in ("seed", "processor")
        for one, *pair in permutations(range(len(SEEDS)), 3)
    ]


def _other(*seeds: int) -> int:
    return next(seed for seed in range(len(SEEDS)) if seed not in seeds)


def cheats_reports(wall: Wall, cheat: Cheat) -> list[bytes]:
    """Of a cheat with the first provider's seed, or the second's, who was before it, against all pairs of others."""
    chance = np.random.default_rng(7)
    return [
        exchanged(wall, cheat(wall, chance), pair, 1, b"%d%d" % pair) for pair in permutations(range(2, len(SEEDS)), 2)
    ]


def rejected(trial: Trial, pool: Sequence[bytes], results: int) -> float:
    """The part that is rejected of so many results of one provider, drawn from these and summed."""
    chance, found = np.random.default_rng(7), 0
    sums: Mapping[str, float] = {}
    for _ in range(results):
        verdict, sums = Exchanged().weigh(trial.chunk, trial.work, DELIVERY, (pool[chance.integers(len(pool))],), sums)
        if verdict.judgement is not Judgement.ACCEPT:
            found, sums = found + 1, {}
    return found / results


def accepted(wall: Wall, trial: Trial, cheat: Cheat, trials: int) -> int:
    """How many draws of places let a cheat pass."""
    chance = np.random.default_rng(7)
    return sum(trial.is_accepted(cheat(wall, chance), wall, 0, b"cheat%d" % number) for number in range(trials))


# Cost


def costs() -> tuple[float, float]:
    """Of a check, over the tile it checks: pixels rendered, and time; both programs warm, in one process.

    The scene is looked at first, as for every task: that tells how long it takes. A check takes a fraction of a second,
    so it is the middle one of five.
    """
    given = {"resolution": "480x320", "samples": "24", "tiles": "1"}
    spec = TaskSpec(template="blender", params=template.parse(given), budget=Wei(0), max_price=Wei(0), output="")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "in" / "scene").symlink_to(LAKE)
        (folder / "in" / "result").symlink_to(folder)
        report = _printed(LOOK, folder, template.prepare(spec).params)
        spec = template.prepared(spec, Outcome(status=Status.DONE, report=report))
        chunk = template.split(spec)[0]
        work = template.job(spec, chunk, SUBTASK, PROVIDER)
        (check,) = template.verifier(spec).plan(chunk, work, DELIVERY, b"cost")
        rendering_s, checking_s = json.loads(_printed(TIMED, folder, check.params))
    params = msgspec.json.decode(check.params)
    side = params["places"][0][2]
    pixels = sum(width * height for _, _, width, height in params["places"]) + len(params["draws"]) * side**2
    return pixels / (480 * 320), checking_s / rendering_s


def _printed(code: str, folder: Path, params: bytes) -> bytes:
    (folder / "params").write_bytes(params)
    command = [sys.executable, "-c", code, template.programs, str(folder)]
    return subprocess.run(command, check=True, capture_output=True).stdout.splitlines()[-1]


def main() -> None:
    """Print the figures; with --table, every scene's in Markdown."""
    given = arguments(__doc__ or "", trials=100, honest=5_000, results=20_000, places=48, table=0)
    hang()
    walls = [Wall(scene) for scene in SCENES]
    trial = Trial(As(given.places))
    refused = sum(honest_rejected(wall, trial, given.honest) for wall in walls) / (len(walls) * given.honest)
    swapped = sum(rejected(trial, honest_reports(wall), given.results) for wall in walls) / len(walls)
    if given.table:
        print(f"| honest, refused | {refused:.2g} | {swapped:.2g} |", flush=True)
    rates: dict[str, float] = {}
    for name, cheat in cheats().items():
        each = [accepted(wall, trial, cheat, given.trials) / given.trials for wall in walls]
        until = max(1 / max(1 / CAUGHT, rejected(trial, cheats_reports(wall, cheat), CAUGHT)) for wall in walls)
        rates[name], rates[f"{name}, exchanged"] = max(each), round(1 - 1 / until, 4)
        if given.table:
            print(f"| {name} | {' | '.join(f'{rate:.2g}' for rate in each)} | {until:.2g} |", flush=True)
    area_cost, total_cost = costs()
    show(
        honest_rejected={"seedlock": refused, "exchange": swapped},
        accepted=rates,
        area_cost=round(area_cost, 5),
        total_cost=round(total_cost, 4),
    )


if __name__ == "__main__":
    main()
