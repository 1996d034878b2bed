"""One picture of a LuxCore scene, in slices of samples and tiles of pixels, merged into one film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from zope.interface import implementer

from apps.luxrender.params import decoder, form, more, parse, seen
from apps.luxrender.verify import SeedLocked
from golem.interfaces import Gauge, IGauged, IGrowing, IPreparing, IShowing, ITaskTemplate
from golem.model.ids import JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Environment, Input, Job, Merge, Outcome, TaskSpec
from golem.model.value import evolve
from golem.template import Area, Chunks, seed_of, to_json

SHOWN = 512  # pieces that a preview is made of at most; merging them takes a second


class View(msgspec.Struct, frozen=True):
    """A job's parameters: `View` in job/studio.py says what they mean. A chunk's are without seed and cores."""

    config: str
    size: tuple[int, int]
    tile: Area
    root: int
    seed: int = 0
    cores: int = 1


class Merged(msgspec.Struct, frozen=True):
    """What the program `merge` reports of a whole picture."""

    noise: float
    samples: float


_view = msgspec.json.Decoder(View)
GAUGE = View(config="", size=(96, 54), tile=Area(0, 0, 96, 54), root=8, seed=1)
_merged = msgspec.json.Decoder(Merged)


@implementer(ITaskTemplate, IPreparing, IGrowing, IShowing, IGauged)
class LuxRender:
    """One chunk per tile and slice; one film of all, and more slices as long as it is too noisy."""

    name = "luxrender"
    title = "LuxRender: a scene of LuxCore's, path-traced on processors"
    environment = Environment(name="luxcore-2.10-cpu", modules=("pyluxcore", "numpy"))
    parameters = form.parameters
    programs = str(Path(__file__).parent / "job")
    gauge = Gauge(program="gauge", params=to_json(GAUGE), takes_ms=700)

    def parse(self, params: Mapping[str, str]) -> bytes:
        """See ITaskTemplate."""
        return parse(params)

    def prepare(self, spec: TaskSpec) -> Job:
        """Open the scene: what is wrong with it is found before anyone is hired."""
        params = decoder.decode(spec.params)
        look = {
            "config": params.config,
            "size": params.resolution,
            "samples": params.samples,
            "has_film": bool(_named(spec, "film")),
        }
        return self._own(spec, "look", look, (*_named(spec, "scene"), *_named(spec, "film")))

    def prepared(self, spec: TaskSpec, outcome: Outcome) -> TaskSpec:
        """With the scene's own numbers."""
        return evolve(spec, params=seen(decoder.decode(spec.params), outcome.report))

    def estimate(self, spec: TaskSpec) -> tuple[int, int]:
        """From the places that were tried: the faster half of them, and the slower one; with rounds, to the last."""
        params = decoder.decode(spec.params)
        width, height = params.size
        low, high = (params.work_ms(width * height, ns) // spec.limits.cores for ns in params.ns)
        return low * params.made + params.loading_ms, (high + params.loading_ms * len(params.areas())) * params.most

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        """Slice by slice, each from its top left tile on."""
        params = decoder.decode(spec.params)
        areas = params.areas()

        def chunk(index: int) -> Chunk:
            part = index % len(areas)
            tile = f" tile {part + 1}/{len(areas)}" if len(areas) > 1 else ""
            view = View(config=params.config, size=params.size, tile=areas[part], root=params.root)
            return Chunk(index=index, label=f"slice {index // len(areas) + 1}{tile}", params=to_json(view))

        return Chunks(params.made * len(areas), chunk)

    def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """Render one slice of one tile under the seed of this attempt and provider."""
        seed = seed_of(subtask, provider)
        view = msgspec.structs.replace(_view.decode(chunk.params), seed=seed, cores=spec.limits.cores)
        return evolve(self._own(spec, "render", view, _named(spec, "scene")), job_id=JobId(subtask))

    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        """One film."""
        params = decoder.decode(spec.params)
        return (Merge(name="picture", chunks=tuple(range(params.made * len(params.areas())))),)

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """Add all slices, and the film that is to be gone on with."""
        return self._sum(spec, merge.chunks, deliveries, is_preview=False)

    def grown(self, spec: TaskSpec, merge: Merge, outcome: Outcome) -> TaskSpec:
        """With more slices, while the picture is noisier than it may be."""
        found = more(decoder.decode(spec.params), _merged.decode(outcome.report).noise)
        return evolve(spec, params=to_json(found))

    def preview(self, spec: TaskSpec, chunk: Chunk, deliveries: Mapping[int, Delivery]) -> Job | None:
        """The whole picture from what is there, the last pieces of many."""
        return self._sum(spec, sorted(deliveries)[-SHOWN:], deliveries, is_preview=True)

    def verifier(self, spec: TaskSpec) -> SeedLocked:
        """Crops of every piece are rendered anew."""
        return SeedLocked()

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        """See ITaskTemplate."""
        params, tile = decoder.decode(spec.params), _view.decode(chunk.params).tile
        return params.loading_ms + params.work_ms(tile.width * tile.height, sum(params.ns) / 2) // spec.limits.cores

    def _sum(
        self, spec: TaskSpec, indices: Sequence[int], deliveries: Mapping[int, Delivery], *, is_preview: bool
    ) -> Job:
        params = decoder.decode(spec.params)
        areas = params.areas()
        film = {
            "size": params.size,
            "tiles": areas,
            "parts": [index % len(areas) for index in indices] if is_preview else [],
            "count": len(indices),
            "has_film": bool(_named(spec, "film")),
            "is_preview": is_preview,
        }
        return self._own(spec, "merge", film, (*_named(spec, "film"), *_results(indices, deliveries)))

    def _own(self, spec: TaskSpec, program: str, params: object, inputs: tuple[Input, ...]) -> Job:
        return Job(
            job_id=JobId(""),
            task_id=TaskId(""),
            template=self.name,
            program=program,
            params=to_json(params),
            inputs=inputs,
            limits=spec.limits,
            warm=True,
        )


def _named(spec: TaskSpec, name: str) -> tuple[Input, ...]:
    return tuple(one for one in spec.inputs if one.name == name)


def _results(indices: Sequence[int], deliveries: Mapping[int, Delivery]) -> tuple[Input, ...]:
    return tuple(
        Input(name=f"t{number}", cid=deliveries[index].result, size_bytes=deliveries[index].size_bytes)
        for number, index in enumerate(indices)
    )
