"""Frames of a Blender scene, each in one tile or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from zope.interface import implementer

from apps.blender.verify import SeedLocked
from golem.errors import BadParameters
from golem.interfaces import ITaskTemplate, Parameter
from golem.model.ids import JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Environment, Input, Job, Merge, TaskSpec
from golem.template import (
    MAX_CHUNKS,
    Area,
    Chunks,
    Form,
    file_name,
    frame_list,
    frames,
    grid,
    one_of,
    pair,
    seed_of,
    tiles,
    to_json,
    whole,
)

MAX_SIDE = 16_384  # pixels
MAX_PIXELS = 1 << 26  # of one frame; in floats they take 1 GiB, half of a job's memory by default
MAX_TILES = 256  # of one frame; their places must fit a job's parameters
PIXEL_SAMPLES_PER_MS = 200  # both shipped scenes, one core of a server
LOADING_MS = 500

_form = Form(
    (Parameter(name="frames", help="1-4;7;10-30,5: frames and ranges, with a step", default="1"), frame_list),
    (Parameter(name="resolution", help="width x height of the frames, in pixels", default="640x360"), pair(MAX_SIDE)),
    (Parameter(name="samples", help="per pixel", default="32"), whole(1, 65_536)),
    (
        Parameter(name="tiles", help="columns x rows of each frame, or rows alone", default="1"),
        grid(MAX_TILES),
    ),
    (
        Parameter(name="format", help="EXR: linear, with a PNG to look at; PNG: only that", default="EXR"),
        one_of("EXR", "PNG"),
    ),
    (
        Parameter(
            name="seed",
            help="bound: every attempt has its own noise, so nobody can copy; fixed: the scene's, "
            "so that frames equal those rendered at home bit for bit",
            default="bound",
        ),
        one_of("bound", "fixed"),
    ),
    (Parameter(name="scene", help="the .blend file, where the input is a folder", default="scene.blend"), file_name),
)


class Params(msgspec.Struct, frozen=True):
    """A task's parameters, as `parse` wrote them."""

    frames: str
    resolution: tuple[int, int]
    samples: int
    tiles: tuple[int, int]
    format: str
    seed: str
    scene: str

    def areas(self) -> tuple[Area, ...]:
        """The tiles of each frame. Raises ValueError."""
        return tiles(*self.resolution, *self.tiles)


class View(msgspec.Struct, frozen=True):
    """A job's parameters: `View` in job/studio.py says what they mean. A chunk's are without seed and cores."""

    scene: str
    frame: int
    size: tuple[int, int]
    tile: Area
    samples: int
    seed: int | None = None
    cores: int = 1


_params = msgspec.json.Decoder(Params)
_view = msgspec.json.Decoder(View)


@implementer(ITaskTemplate)
class Blender:
    """One chunk per tile and frame, one merged result per frame."""

    name = "blender"
    title = "Blender: frames of a scene, rendered by Cycles on processors"
    environment = Environment(name="blender-4.5-cpu", modules=("bpy",))
    parameters = _form.parameters
    programs = str(Path(__file__).parent / "job")

    def parse(self, params: Mapping[str, str]) -> bytes:
        """See ITaskTemplate."""
        data = _form.parse(params)
        mistakes = list(_mistakes(_params.decode(data)))
        if mistakes:
            raise BadParameters("; ".join(mistakes))
        return data

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        """Frame by frame, each from its top left tile on."""
        params = _params.decode(spec.params)
        numbers, areas = frames(params.frames), params.areas()

        def chunk(index: int) -> Chunk:
            frame, part = numbers[index // len(areas)], index % len(areas)
            tile = f" tile {part + 1}/{len(areas)}" if len(areas) > 1 else ""
            view = View(params.scene, frame, params.resolution, areas[part], params.samples)
            return Chunk(index=index, label=f"frame {frame}{tile}", params=to_json(view))

        return Chunks(len(numbers) * len(areas), chunk)

    def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """Render one tile under the seed of this attempt and provider."""
        is_bound = _params.decode(spec.params).seed == "bound"
        seed = seed_of(subtask, provider) if is_bound else None
        view = msgspec.structs.replace(_view.decode(chunk.params), seed=seed, cores=spec.limits.cores)
        return Job(
            job_id=JobId(subtask),
            task_id=TaskId(""),
            template=self.name,
            program="render",
            params=to_json(view),
            inputs=_scene(spec),
            limits=spec.limits,
            warm=True,
        )

    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        """Each frame of its own."""
        params = _params.decode(spec.params)
        count = len(params.areas())
        return [
            Merge(name=f"frame_{frame:04d}", chunks=tuple(range(number * count, (number + 1) * count)))
            for number, frame in enumerate(frames(params.frames))
        ]

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """Put one frame's tiles together."""
        params = _params.decode(spec.params)
        areas = params.areas()
        whole_frame = {
            "scene": params.scene,
            "frame": frames(params.frames)[merge.chunks[0] // len(areas)],
            "size": params.resolution,
            "tiles": areas,
            "format": params.format,
        }
        results = tuple(
            Input(name=f"t{number}", cid=deliveries[index].result, size_bytes=deliveries[index].size_bytes)
            for number, index in enumerate(merge.chunks)
        )
        return Job(
            job_id=JobId(""),
            task_id=TaskId(""),
            template=self.name,
            program="merge",
            params=to_json(whole_frame),
            inputs=(*_scene(spec), *results),
            limits=spec.limits,
            warm=True,
        )

    def verifier(self, spec: TaskSpec) -> SeedLocked:
        """Crops of every tile are rendered anew."""
        return SeedLocked()

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        """See ITaskTemplate."""
        view = _view.decode(chunk.params)
        work = view.tile.width * view.tile.height * view.samples
        return LOADING_MS + work // (PIXEL_SAMPLES_PER_MS * spec.limits.cores)


def _scene(spec: TaskSpec) -> tuple[Input, ...]:
    return tuple(one for one in spec.inputs if one.name == "scene")


def _mistakes(params: Params) -> list[str]:
    found = []
    width, height = params.resolution
    if width * height > MAX_PIXELS:
        found.append(f"resolution: {width}x{height} is more than {MAX_PIXELS} pixels")
    columns, rows = params.tiles
    if columns * rows > MAX_TILES:
        found.append(f"tiles: {columns}x{rows} is more than {MAX_TILES} of them")
    elif columns > width or rows > height:
        found.append(f"tiles: {columns}x{rows} of them do not fit {width}x{height} pixels")
    elif len(frames(params.frames)) * columns * rows > MAX_CHUNKS:
        found.append(f"frames: with {columns}x{rows} tiles each, more than {MAX_CHUNKS} pieces")
    return found
