"""The LuxCore programs for real, at postage-stamp size, in a process of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

np = pytest.importorskip("numpy")

from apps.luxrender import template  # noqa: E402  # numpy comes with the extra `luxrender`
from apps.luxrender.job import film  # noqa: E402
from golem.model.ids import Cid, NodeId, SubtaskId  # noqa: E402
from golem.model.messages import Delivery  # noqa: E402
from golem.model.money import Wei  # noqa: E402
from golem.model.spec import Judgement, TaskSpec, Verdict  # noqa: E402
from tests.apps.conftest import Worker  # noqa: E402

pytestmark = [pytest.mark.luxrender, pytest.mark.timeout(60)]
SCENES = Path(__file__).parents[2] / "apps" / "luxrender" / "scenes"
SUBTASK, PROVIDER = SubtaskId("5" * 32), NodeId("02" + "a" * 64)
WIDTH, HEIGHT = 50, 34


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Worker]]:
    workers: list[Worker] = []

    def begin() -> Worker:
        workers.append(Worker(tmp_path_factory.mktemp("worker") / "log", template.programs))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.close()


@pytest.fixture(scope="module")
def worker(start: Callable[[], Worker]) -> Worker:
    return start()


class Stage:
    """A task on one scene, and everything that a requestor and its providers do for it, in folders."""

    def __init__(self, worker: Worker, folder: Path, source: Path, /, **params: str) -> None:
        given = {"resolution": f"{WIDTH}x{HEIGHT}", "samples": "64", "slices": "4", **params}
        self.spec = TaskSpec(
            template="luxrender", params=template.parse(given), budget=Wei(0), max_price=Wei(0), output=""
        )
        self.chunks = template.split(self.spec)
        self.worker, self.folder = worker, folder
        self.place(source, folder / "in" / "scene")

    @staticmethod
    def place(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)

    def render(self, index: int = 0, name: str = "", **changes: object) -> Path:
        """What a provider delivers, who may change what it was told."""
        output = self.folder / (name or f"out{index}")
        subtask = SubtaskId(f"{index:032x}")
        job = template.job(self.spec, self.chunks[index], subtask, PROVIDER)
        params = {**msgspec.json.decode(job.params), **changes}
        self.worker.run("render", params, self.folder / "in", output)
        return output

    def verdict(self, delivered: Path, index: int = 0, salt: bytes = b"salt") -> Verdict:
        """What the requestor thinks of a delivery."""
        verifier, chunk = template.verifier(self.spec), self.chunks[index]
        work = template.job(self.spec, chunk, SubtaskId(f"{index:032x}"), PROVIDER)
        delivery = Delivery(subtask_id=SUBTASK, result=Cid("b" + "r" * 58), size_bytes=1, report=b"{}", used_ms=1)
        (job,) = verifier.plan(chunk, work, delivery, salt)
        inputs = self.folder / f"check-{delivered.name}"
        if not inputs.exists():
            self.place(self.folder / "in" / "scene", inputs / "scene")
            self.place(delivered, inputs / "result")
        report = self.worker.run("check", msgspec.json.decode(job.params), inputs, self.folder / "scratch")
        assert not list((self.folder / "scratch").iterdir())
        return verifier.judge(chunk, work, delivery, (msgspec.json.encode(report),))

    def merge(self, name: str = "merged", before: Path | None = None, **changes: object) -> dict[str, Any]:
        """All slices rendered and added: what the merge reports. Its files lie in the folder `name`."""
        delivery = Delivery(subtask_id=SUBTASK, result=Cid(""), size_bytes=1, report=b"{}", used_ms=1)
        for chunk in self.chunks:
            self.place(self.render(chunk.index), self.folder / "parts" / f"t{chunk.index}")
        if before:
            self.place(before, self.folder / "parts" / "film")
        (merge,) = template.merges(self.spec)
        job = template.merge(self.spec, merge, dict.fromkeys(merge.chunks, delivery))
        params = {**msgspec.json.decode(job.params), "has_film": bool(before), **changes}
        return self.worker.run("merge", params, self.folder / "parts", self.folder / name)


@pytest.fixture(params=["pyramid", "room"])
def scene(request: pytest.FixtureRequest) -> Path:
    return SCENES / str(request.param)


def light(folder: Path, width: int = WIDTH, height: int = HEIGHT) -> film.Pixels:
    return film.read(folder / "film.exr", width, height)


def own_scene(folder: Path, config: str = "", **lines: str) -> Path:
    """A copy of the pyramid with lines changed or added; dots in their names as double underscores."""
    shutil.copytree(SCENES / "pyramid", folder)
    with (folder / "scene.scn").open("a") as file:
        file.writelines(f"{name.replace('__', '.')} = {value}\n" for name, value in lines.items())
    with (folder / "render.cfg").open("a") as file:
        file.write(config)
    return folder


def test_an_honest_slice_is_accepted_wherever_the_check_looks(worker: Worker, tmp_path: Path, scene: Path) -> None:
    stage = Stage(worker, tmp_path, scene, tiles="2x1")
    delivered = stage.render(1)
    for salt in (b"a", b"b", b"c"):
        verdict = stage.verdict(delivered, 1, salt)
        assert verdict.judgement is Judgement.ACCEPT, verdict.reason
        assert "over 0 pixels" not in verdict.reason


@pytest.mark.parametrize("cheat", ["seed", "fewer samples", "other part", "blank", "copied slice"])
def test_what_was_not_rendered_as_told_is_wrong(worker: Worker, tmp_path: Path, scene: Path, cheat: str) -> None:
    stage = Stage(worker, tmp_path, scene)
    lied = tmp_path / "lied"
    if cheat == "seed":
        stage.render(0, "lied", seed=7)
    elif cheat == "copied slice":
        shutil.copytree(stage.render(1), lied)
    elif cheat == "other part":
        stage.render(0, "lied", size=(2 * WIDTH, 2 * HEIGHT))
    else:
        lied.mkdir()
        pixels = light(stage.render(0, "few", root=3)) if cheat == "fewer samples" else np.zeros((HEIGHT, WIDTH, 4))
        pixels[:, :, 3] = 16
        film.write(lied / "film.exr", pixels)
    for salt in (b"a", b"b", b"c"):
        assert stage.verdict(lied, salt=salt).judgement is Judgement.WRONG


def test_a_file_that_is_no_film_or_says_fewer_samples_is_malformed(worker: Worker, tmp_path: Path) -> None:
    stage = Stage(worker, tmp_path, SCENES / "pyramid")
    good = (stage.render() / "film.exr").read_bytes()
    pixels = light(tmp_path / "out0")
    nan = pixels.copy()
    nan[3, 3, 1] = np.nan
    film.write(tmp_path / "nan.exr", nan)
    film.write(tmp_path / "other.exr", np.zeros((HEIGHT, WIDTH + 1, 4), np.float32))
    bad = {
        "none": b"",
        "short": good[:-1],
        "header": good[:40] + b"X" + good[41:],
        "nan": (tmp_path / "nan.exr").read_bytes(),
        "size": (tmp_path / "other.exr").read_bytes(),
        "line": good[: -WIDTH * 16 - 8] + b"\7" + good[-WIDTH * 16 - 7 :],
    }
    for name, data in bad.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "film.exr").write_bytes(data)
        assert stage.verdict(tmp_path / name).judgement is Judgement.MALFORMED, name
    fewer = stage.verdict(stage.render(0, "fewer", root=3))
    assert (fewer.judgement, fewer.reason) == (
        Judgement.MALFORMED,
        "file: not all pixels have 16 samples: 9 at least",
    )


def test_tiles_under_the_same_seeds_are_the_whole_but_for_last_bits(
    worker: Worker, tmp_path: Path, scene: Path
) -> None:
    whole = Stage(worker, tmp_path / "whole", scene, slices="1")
    merged = Stage(worker, tmp_path / "tiles", scene, slices="1", tiles="2x2")
    merged.merge()
    far = light(whole.render(root=24))[:, :, :3]
    near = light(tmp_path / "tiles" / "merged")
    assert (near[:, :, 3] == 64).all()
    assert np.median(np.abs(near[:, :, :3] - far) / (far + 0.01)) < 0.1, "tiles show other places"


def test_threads_and_warm_workers_change_nothing(
    worker: Worker, start: Callable[[], Worker], tmp_path: Path, scene: Path
) -> None:
    warm = Stage(worker, tmp_path / "warm", scene, tiles="2x1")
    one, two = (warm.render(1, name=f"threads{cores}", cores=cores) for cores in (1, 2))
    cold = Stage(start(), tmp_path / "cold", scene, tiles="2x1").render(1)
    assert len({(path / "film.exr").read_bytes() for path in (one, two, cold)}) == 1


def test_more_slices_and_a_film_to_go_on_with_make_less_noise(worker: Worker, tmp_path: Path) -> None:
    few = Stage(worker, tmp_path / "few", SCENES / "room", slices="4", samples="36")
    first = few.merge()
    more = Stage(worker, tmp_path / "more", SCENES / "room", slices="4", samples="100")
    second = more.merge()
    assert (first["samples"], second["samples"]) == (36, 100)
    assert second["noise"] < 0.8 * first["noise"]
    assert sorted(path.name for path in (tmp_path / "few" / "merged").iterdir()) == ["film.exr", "picture.png"]
    resumed = Stage(worker, tmp_path / "resumed", SCENES / "room", slices="4", samples="100")
    third = resumed.merge(before=tmp_path / "few" / "merged")
    assert third["samples"] == 136
    both = light(tmp_path / "few" / "merged"), light(tmp_path / "more" / "merged")
    wanted = (both[0] * 36 + both[1] * 100) / 136
    assert np.allclose(light(tmp_path / "resumed" / "merged")[:, :, :3], wanted[:, :, :3], atol=1e-5)


def test_a_preview_is_a_picture_of_what_is_there(worker: Worker, tmp_path: Path) -> None:
    stage = Stage(worker, tmp_path, SCENES / "pyramid", tiles="2x1", slices="1")
    stage.merge("preview", is_preview=True)
    (made,) = (tmp_path / "preview").iterdir()
    assert made.name == "preview.png" and made.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("source", [".", "scene.scn"])
def test_a_look_says_what_a_scene_is_and_what_it_may_take(worker: Worker, tmp_path: Path, source: str) -> None:
    Stage.place(SCENES / "pyramid" / source, tmp_path / "in" / "scene")
    look = {"config": "render.cfg", "size": None, "samples": None, "has_film": False}
    found = worker.run("look", look, tmp_path / "in", tmp_path / "out")
    assert (found["size"], found["samples"]) == ([480, 270] if source == "." else [640, 480], 64)
    low, high = found["ns"]
    assert 1 <= low <= high < 1_000_000


@pytest.mark.parametrize(
    ("lines", "config", "said"),
    [
        ({"scene__camera__type": "environment"}, "", "a camera of type 'environment' can't be split"),
        ({"scene__camera__autofocus__enable": "1"}, "", "set scene.camera.focaldistance"),
        ({}, "renderengine.type = BIDIRCPU\n", "the engine BIDIRCPU can't be split"),
        ({}, "scene.file = other.scn\n", "missing: 'other.scn'"),
        ({"scene__textures__a__file": "sky.png"}, "", "missing: 'sky.png'"),
        ({"scene__objects__ground__ply": "/etc/passwd"}, "", "outside of its folder: '/etc/passwd'"),
        ({"scene__lights__sky__file": "../../../etc/passwd"}, "", "outside of its folder: '../../../etc/passwd'"),
        ({"scene__objects__ground__material": "none"}, "", "is no scene that LuxCore takes"),
    ],
)
def test_a_scene_that_cannot_be_rendered_is_refused_with_the_way_out(
    worker: Worker, tmp_path: Path, lines: dict[str, str], config: str, said: str
) -> None:
    stage = Stage(worker, tmp_path, own_scene(tmp_path / "scene", config, **lines))
    with pytest.raises(RuntimeError) as caught:
        stage.render()
    assert said in str(caught.value) and "SceneRefused" in str(caught.value)


def test_names_with_blanks_and_accents_in_folders_of_a_scene_are_found(worker: Worker, tmp_path: Path) -> None:
    folder, ball = tmp_path / "scène 1", "mes formes/boule 木.ply"
    (folder / ball).parent.mkdir(parents=True)
    shutil.copy(SCENES / "room" / "ball.ply", folder / ball)
    told = (SCENES / "room" / "scene.scn").read_text()
    (folder / "pièce 1.scn").write_text(told.replace("= ball.ply", f'= "{ball}"'))
    told = (SCENES / "room" / "render.cfg").read_text()
    (folder / "réglages 1.cfg").write_text(told.replace("= scene.scn", '= "pièce 1.scn"'))
    moved = Stage(worker, tmp_path / "moved", folder, config="réglages 1.cfg").render()
    plain = Stage(worker, tmp_path / "plain", SCENES / "room").render()
    assert (moved / "film.exr").read_bytes() == (plain / "film.exr").read_bytes()


def test_a_scene_that_is_no_text_of_luxcores_is_refused_and_the_worker_goes_on(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(RuntimeError, match="SceneRefused: "):
        Stage(worker, tmp_path / "bad", tmp_path / "noise").render()
    with pytest.raises(RuntimeError, match=r"there is no 'render\.cfg' in the input 'scene'"):
        Stage(worker, tmp_path / "empty", SCENES).render()
    assert light(Stage(worker, tmp_path / "good", SCENES / "pyramid").render()).any()
