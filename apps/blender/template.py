"""Frames of a Blender scene, each in one tile or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from zope.interface import implementer

from apps.blender.exchanged import Exchanged
from apps.blender.params import decoder, form, parse, seen
from apps.blender.verify import SeedLocked
from golem.interfaces import Gauge, IFinishing, IGauged, IPreparing, IShowing, ITaskTemplate, IVaried, IVerifier
from golem.model.ids import JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Environment, Input, Job, Merge, Outcome, TaskSpec
from golem.model.value import evolve
from golem.template import Area, Chunks, seed_of, to_json
from golem.verification import FileRedundancy


class View(msgspec.Struct, frozen=True):
    """A job's parameters: `View` in job/studio.py says what they mean. A chunk's are without the last three."""

    scene: str
    frame: int
    size: tuple[int, int]
    tile: Area
    samples: int
    layers: bool
    denoise: bool
    seed: int | None = None
    cores: int = 1
    device: str = "cpu"


_view = msgspec.json.Decoder(View)
GAUGE = View(
    scene="",
    frame=1,
    size=(320, 180),
    tile=Area(96, 54, 128, 72),
    samples=48,
    layers=False,
    denoise=False,
    seed=1,
)


ON_PROCESSORS = Environment(name="blender-4.5-cpu", modules=("bpy",))
ON_CARDS = Environment(name="blender-4.5-nvidia", modules=("bpy",), device="nvidia")


@implementer(ITaskTemplate, IPreparing, IVaried, IShowing, IFinishing, IGauged)
class Blender:
    """One chunk per tile and frame, one merged result per frame, and a film of all frames."""

    name = "blender"
    title = "Blender: frames of a scene, rendered by Cycles"
    environment = ON_PROCESSORS
    environments = (ON_PROCESSORS, ON_CARDS)
    parameters = form.parameters
    programs = str(Path(__file__).parent / "job")
    gauge = Gauge(program="gauge", params=to_json(GAUGE), takes_ms=850)

    def parse(self, params: Mapping[str, str]) -> bytes:
        """See ITaskTemplate."""
        return parse(params)

    def prepare(self, spec: TaskSpec) -> Job:
        """Open the scene: what is wrong with it is found before anyone is hired."""
        params = decoder.decode(spec.params)
        look = {
            "scene": params.scene,
            "size": params.resolution,
            "samples": params.samples,
            "cores": spec.limits.cores,
        }
        return self._own(spec, "look", look, _scene(spec))

    def prepared(self, spec: TaskSpec, outcome: Outcome) -> TaskSpec:
        """With the scene's own numbers, and with the packed scene if there is one."""
        spec = evolve(spec, params=seen(decoder.decode(spec.params), outcome.report))
        if not outcome.result:
            return spec
        packed = Input(name="scene", cid=outcome.result, size_bytes=outcome.size_bytes)
        params = msgspec.structs.replace(decoder.decode(spec.params), scene="scene.blend")
        return evolve(spec, params=to_json(params), inputs=(packed, *(i for i in spec.inputs if i.name != "scene")))

    def needs(self, spec: TaskSpec) -> Environment:
        """A card only where nothing else will do."""
        return ON_CARDS if decoder.decode(spec.params).device == "gpu" else ON_PROCESSORS

    def estimate(self, spec: TaskSpec) -> tuple[int, int]:
        """From the places that were tried: the faster half of them, and the slower one.

        They were tried on processors, beside which a card may take next to no time.
        """
        params = decoder.decode(spec.params)
        width, height = params.size
        count = len(params.numbers())
        low, high = (count * params.work_ms(width * height, ns) // spec.limits.cores for ns in params.ns)
        low = 0 if params.may_use_cards else low
        return low + params.loading_ms, high + params.loading_ms * count * len(params.areas())

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        """Frame by frame, each from its top left tile on."""
        params = decoder.decode(spec.params)
        numbers, areas = params.numbers(), params.areas()

        def chunk(index: int) -> Chunk:
            frame, part = numbers[index // len(areas)], index % len(areas)
            tile = f" tile {part + 1}/{len(areas)}" if len(areas) > 1 else ""
            view = View(
                scene=params.scene,
                frame=frame,
                size=params.size,
                tile=areas[part],
                samples=params.per_pixel,
                layers=params.has_layers,
                denoise=params.denoises,
            )
            return Chunk(index=index, label=f"frame {frame}{tile}", params=to_json(view))

        return Chunks(len(numbers) * len(areas), chunk)

    def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """Render one tile under the seed of this attempt and provider."""
        params = decoder.decode(spec.params)
        seed = seed_of(subtask, provider) if params.is_bound else None
        view = msgspec.structs.replace(
            _view.decode(chunk.params), seed=seed, cores=spec.limits.cores, device=params.device
        )
        job = self._own(spec, "render", view, _scene(spec))
        return evolve(job, job_id=JobId(subtask), device="nvidia" if params.may_use_cards else "")

    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        """Each frame of its own."""
        params = decoder.decode(spec.params)
        count = len(params.areas())
        return [
            Merge(name=f"frame_{frame:04d}", chunks=tuple(range(number * count, (number + 1) * count)))
            for number, frame in enumerate(params.numbers())
        ]

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """Put one frame's tiles together."""
        params = decoder.decode(spec.params)
        areas = params.areas()
        whole_frame = {
            "scene": params.scene,
            "frame": params.numbers()[merge.chunks[0] // len(areas)],
            "size": params.size,
            "tiles": areas,
            "format": params.format,
            "layers": params.has_layers,
            "denoise": params.denoises,
            "composite": params.composites,
        }
        return self._own(spec, "merge", whole_frame, (*_scene(spec), *_results(merge.chunks, deliveries)))

    def preview(self, spec: TaskSpec, chunk: Chunk, deliveries: Mapping[int, Delivery]) -> Job | None:
        """The frame that the chunk belongs to, as far as it is there; a frame of one tile is its own preview."""
        params = decoder.decode(spec.params)
        areas = params.areas()
        if len(areas) == 1:
            return None
        first = chunk.index // len(areas) * len(areas)
        here = [index for index in range(first, first + len(areas)) if index in deliveries]
        places = {f"t{number}": areas[index - first] for number, index in enumerate(here)}
        glance = {"size": params.size, "tiles": places}
        return self._own(spec, "glance", glance, _results(here, deliveries))

    def finish(self, spec: TaskSpec, results: Sequence[Input]) -> Job | None:
        """A film of the frames, if one is wanted."""
        params = decoder.decode(spec.params)
        if params.video == "none":
            return None
        names = [f"f{number}" for number, _ in enumerate(results)]
        inputs = tuple(evolve(one, name=name) for name, one in zip(names, results, strict=True))
        film = {"count": len(names), "size": params.size, "fps": params.fps, "kind": params.video}
        return self._own(spec, "video", film, inputs)

    def verifier(self, spec: TaskSpec) -> IVerifier:
        """Small places of every tile are rendered anew; under other seeds, where the same does not give the same."""
        params = decoder.decode(spec.params)
        if not params.repeats:
            return Exchanged(len(params.areas()))
        crops = SeedLocked(sum(params.ns) / 2, ring=int(params.adaptive))
        return FileRedundancy(crops, "compare") if params.check == "copies" else crops

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        """See ITaskTemplate."""
        params, view = decoder.decode(spec.params), _view.decode(chunk.params)
        work_ms = params.work_ms(view.tile.width * view.tile.height, sum(params.ns) / 2)
        return params.loading_ms + work_ms // spec.limits.cores

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


def _scene(spec: TaskSpec) -> tuple[Input, ...]:
    return tuple(one for one in spec.inputs if one.name == "scene")


def _results(indices: Sequence[int], deliveries: Mapping[int, Delivery]) -> tuple[Input, ...]:
    return tuple(
        Input(name=f"t{number}", cid=deliveries[index].result, size_bytes=deliveries[index].size_bytes)
        for number, index in enumerate(indices)
    )
