"""The node's view of the market, as its user sees it: whom it knows, how far it trusts them, why anything waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.interfaces import IReactorTime

from golem.core.asking import asking
from golem.errors import UnknownTemplate
from golem.interfaces import ITaskTemplate
from golem.model.spec import Chunk, TaskSpec
from golem.node import explain, insight, records
from golem.node.appeals import Appeals
from golem.node.engine import Engine
from golem.node.estimate import estimate
from golem.node.prospects import prospects
from golem.node.submission import Submission

Record = Mapping[str, object]


class Outlook(Appeals):
    """A part of `golem.control.face.Face`. `reached`: how others get in, and what its user may do about it."""

    def __init__(self, engine: Engine, clock: IReactorTime, templates: Mapping[str, ITaskTemplate]) -> None:
        Appeals.__init__(self, engine)
        self._clock = clock
        self._templates = templates
        self.reached: Callable[[], tuple[str, str]] = lambda: ("", "")

    @property
    def _now_ms(self) -> int:
        return int(self._clock.seconds() * 1000)

    def peers(self) -> Sequence[Record]:
        """The nodes we have met."""
        return insight.peers(self._engine.state, self._now_ms)

    def peer(self, node: str) -> Record:
        """One of them, and what there is between us. Raises NotFound."""
        return insight.peer(self._engine.state, node, self._now_ms)

    def reputation(self) -> Sequence[Record]:
        """What is known of other nodes."""
        return insight.standings(self._engine.state, self._now_ms)

    def why(self, node: str) -> Sequence[Record]:
        """What made the numbers of one node. Raises NotFound."""
        return insight.why(self._engine.state, node, self._now_ms)

    def explain(self, task_id: str) -> Record:
        """Where every chunk of a task is, and what every known node says to those that wait. Raises NotFound."""
        board = records.board(self._engine.state, task_id)
        return explain.task(self._engine.state, board, self._chunks(board.task.spec) if board.pending else ())

    def prospects(self) -> Record:
        """Why this provider gets no work, or not more."""
        if self._engine.state.started is None:
            return {"advice": ["the node is starting"]}
        return prospects(self._engine.state, self._engine.policies, self._now_ms, self.reached())

    def estimate(self, submission: Submission) -> Record:
        """What a task may cost. Raises UnknownTemplate, BadParameters, TemplateFailed."""
        spec = self._spec(submission)
        with asking(spec.template, "its estimate"):
            return estimate(self._template(spec.template), spec)

    def _spec(self, submission: Submission) -> TaskSpec:
        template = self._template(submission.template)
        with asking(submission.template, "parse"):
            return submission.spec(template.parse(submission.params))

    def _chunks(self, spec: TaskSpec) -> Sequence[Chunk]:
        """Those of a task that some were given out of, or wait to be."""
        with asking(spec.template, "split"):
            found: Sequence[Chunk] = self._template(spec.template).split(spec)
        return found

    def _template(self, name: str) -> ITaskTemplate:
        if name not in self._templates:
            names = ", ".join(sorted(self._templates)) or "none"
            raise UnknownTemplate(f"no template {name!r} is enabled on this node; there are: {names}")
        return self._templates[name]
