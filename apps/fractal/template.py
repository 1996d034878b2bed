"""A picture of the Mandelbrot set in strips of rows, by WebAssembly: every machine gives every byte alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from zope.interface import implementer

from apps.fractal.verify import Recomputed
from golem.interfaces import Gauge, IGauged, IPreparing, IShowing, ITaskTemplate, Parameter
from golem.model.ids import JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import WASI, Chunk, Environment, Input, Job, Merge, Outcome, TaskSpec
from golem.model.value import evolve
from golem.template import Chunks, Form, number, pair, to_json, whole
from golem.verification import Sampled

MAX_SIDE = 16_384  # pixels
MAX_CHUNKS = 4_000  # the merge takes all of them, and a job has at most 4,096 inputs
NS_PER_STEP = 6  # on one core of a server
STEPS = 100  # of a pixel, before anyone has looked
LOADING_MS = 20  # compiling the program, once per worker

_form = Form(
    (Parameter(name="size", help="width x height of the picture, in pixels", default="1280x720"), pair(MAX_SIDE)),
    (Parameter(name="re", help="the middle of the picture: its real part", default="-0.65"), number(-4, 4)),
    (Parameter(name="im", help="its imaginary part", default="0"), number(-4, 4)),
    (Parameter(name="span", help="how wide the picture is in the plane", default="3.4"), number(1e-12, 16)),
    (Parameter(name="iterations", help="the most steps for one pixel", default="1000"), whole(1, 10_000_000)),
    (Parameter(name="chunk", help="seconds that a strip should take", default="10"), number(0.1, 3600)),
)


class Params(msgspec.Struct, frozen=True):
    """A task's parameters, as `parse` wrote them. `steps`: of a pixel, on the mean, once that was looked at."""

    size: tuple[int, int]
    re: float
    im: float
    span: float
    iterations: int
    chunk: float
    steps: int = STEPS

    @property
    def row_ms(self) -> float:
        """How long one row takes, on the mean."""
        return self.size[0] * self.steps * NS_PER_STEP / 1e6

    @property
    def rows(self) -> int:
        """Of a strip; the last has what is left."""
        height = self.size[1]
        return max(1, -(-height // MAX_CHUNKS), min(height, int(self.chunk * 1000 / self.row_ms)))


class View(msgspec.Struct, frozen=True):
    """What programs are told of the picture."""

    size: tuple[int, int]
    center: tuple[float, float]
    span: float
    iterations: int


class Strip(msgspec.Struct, frozen=True):
    """A chunk's parameters: `rows` of the picture, from `first` on."""

    view: View
    first: int
    rows: int


class Whole(msgspec.Struct, frozen=True):
    """The picture's: it is made of the inputs `t0` and so on, of `rows` each, or of those that are there."""

    view: View
    rows: int
    preview: int


class Look(msgspec.Struct, frozen=True):
    """What the program `look` reports."""

    steps: int


_params = msgspec.json.Decoder(Params)
_strip = msgspec.json.Decoder(Strip)
_look = msgspec.json.Decoder(Look)


@implementer(ITaskTemplate, IPreparing, IGauged, IShowing)
class Fractal:
    """One chunk per strip, joined to one picture."""

    name = "fractal"
    title = "Fractal: a picture of the Mandelbrot set, by WebAssembly"
    environment = Environment(name="fractal-1", modules=(WASI,))
    parameters = _form.parameters
    programs = str(Path(__file__).parent / "job")
    gauge = Gauge(program="look", params=to_json(View((1296, 729), (-0.2, 0.0), 0.1, 100_000)), takes_ms=800)

    def parse(self, params: Mapping[str, str]) -> bytes:
        """See ITaskTemplate."""
        return _form.parse(params)

    def prepare(self, spec: TaskSpec) -> Job:
        """Count the steps of a few points: strips are cut by them."""
        return self._job(spec, "look", to_json(_view(_params.decode(spec.params))))

    def prepared(self, spec: TaskSpec, outcome: Outcome) -> TaskSpec:
        """With the steps of a pixel."""
        found = msgspec.structs.replace(_params.decode(spec.params), steps=_look.decode(outcome.report).steps)
        return evolve(spec, params=to_json(found))

    def estimate(self, spec: TaskSpec) -> tuple[int, int]:
        """By the steps that were counted; twice that, where the points missed what is fine."""
        params = _params.decode(spec.params)
        work_ms = int(params.row_ms * params.size[1])
        return work_ms + LOADING_MS, 2 * work_ms + LOADING_MS * len(self.split(spec))

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        """Strips from the top."""
        params = _params.decode(spec.params)
        height, rows = params.size[1], params.rows

        def chunk(index: int) -> Chunk:
            first = index * rows
            strip = Strip(_view(params), first, min(rows, height - first))
            return Chunk(index=index, label=f"from row {first}", params=to_json(strip))

        return Chunks(-(-height // rows), chunk)

    def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """The same for whoever does it."""
        return evolve(self._job(spec, "render", chunk.params), job_id=JobId(subtask))

    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        """One picture."""
        return (Merge(name="picture", chunks=tuple(range(len(self.split(spec))))),)

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """Join the strips."""
        return self._joined(spec, deliveries, is_preview=False)

    def preview(self, spec: TaskSpec, chunk: Chunk, deliveries: Mapping[int, Delivery]) -> Job:
        """The whole picture, small, black where nothing is yet."""
        return self._joined(spec, deliveries, is_preview=True)

    def verifier(self, spec: TaskSpec) -> Sampled:
        """A few rows are computed again, more of them for strangers."""
        return Sampled(Recomputed(2), strict=Recomputed(6))

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        """See ITaskTemplate."""
        return LOADING_MS + int(_params.decode(spec.params).row_ms * _strip.decode(chunk.params).rows)

    def _joined(self, spec: TaskSpec, deliveries: Mapping[int, Delivery], *, is_preview: bool) -> Job:
        params = _params.decode(spec.params)
        strips = tuple(
            Input(name=f"t{index}", cid=delivery.result, size_bytes=delivery.size_bytes)
            for index, delivery in sorted(deliveries.items())
        )
        picture = Whole(_view(params), params.rows, int(is_preview))
        return evolve(self._job(spec, "merge", to_json(picture)), inputs=strips)

    def _job(self, spec: TaskSpec, program: str, params: bytes) -> Job:
        return Job(
            job_id=JobId(""),
            task_id=TaskId(""),
            template=self.name,
            program=program,
            params=params,
            limits=spec.limits,
            warm=True,
        )


def _view(params: Params) -> View:
    return View(params.size, (params.re, params.im), params.span, params.iterations)
