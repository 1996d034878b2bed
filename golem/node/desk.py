"""The node as its user sees it: reads the state, posts what the user wants, lets watchers listen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from golem import __version__
from golem.interfaces import IChain, IEntropy, ITaskTemplate, environments, schema_of
from golem.model.effects import Effect, Tell
from golem.model.events import Event, TaskCancelled, TaskSubmitted
from golem.model.ids import NodeId, TaskId, task_id
from golem.node import records
from golem.node.engine import Engine
from golem.node.live import Live
from golem.node.outlook import Outlook
from golem.node.stock import Stock
from golem.node.submission import Submission
from golem.node.till import Till

log = Logger()


class Desk(Till, Outlook):
    """Implements `golem.control.face.Face`. `live`: what running jobs say, which it shows.

    `node_id`, `stock`: by the node, before it starts.

    `refused`: how often peers were refused or made to wait, by what was too much (`golem.model.budgets`).
    """

    node_id: NodeId
    stock: Stock

    def __init__(
        self,
        engine: Engine,
        chain: IChain,
        templates: Mapping[str, ITaskTemplate],
        clock: IReactorTime,
        entropy: IEntropy,
        network: str,
    ) -> None:
        Till.__init__(self, engine, chain, entropy)
        Outlook.__init__(self, engine, clock, templates)
        self.live = Live(clock)
        self.refused: Callable[[], Mapping[str, int]] = dict
        self._network = network
        self._watchers: list[tuple[str | None, Callable[[records.Record], None]]] = []
        self._waiting: dict[str, Deferred[records.Record]] = {}
        self._since_ms = int(clock.seconds() * 1000)
        engine.observe(self._saw)

    def status(self) -> records.Record:
        """The whole node on one screen."""
        state = self._engine.state
        started = state.started
        if started is None:
            return {"node_id": "", "version": __version__, "problems": ["the node is starting"]}
        funds, owed, due = records.money(state)
        phases = [board.task.phase.value for board in state.boards.values()]
        return {
            "node_id": started.node_id,
            "version": __version__,
            "network": self._network,
            "address": started.address,
            "account": started.payee,
            "started_ms": self._since_ms,
            "peers": sum(peer.is_connected for peer in state.peers.values()),
            "is_provider": started.settings.provide,
            "slots": started.settings.slots,
            "busy": min(len(state.busy), started.settings.slots),
            "tier": started.capability.tier,
            "gpus": started.capability.gpus,
            "has_chain": started.settings.has_chain,
            "templates": sorted(self._templates),
            "funds": {"free": funds.free, "claimable": funds.claimable, "wallet": funds.wallet},
            "owed": owed,
            "due": due,
            "reached": self.reached()[0],
            "refused": dict(self.refused()),
            "tasks": {phase: phases.count(phase) for phase in sorted(set(phases))},
            "problems": records.problems(state),
        }

    def templates(self) -> Sequence[records.Record]:
        """The kinds of task this node knows."""
        gauges = self._engine.state.gauges
        return [
            {
                "name": name,
                "title": template.title,
                "environment": ", ".join(one.name for one in environments(template)),
                "speed": gauges[name].percent if name in gauges else 0,
                "parameters": [{"name": p.name, "help": p.help, "default": p.default} for p in template.parameters],
                "schema": schema_of(template.title, template.parameters),
            }
            for name, template in sorted(self._templates.items())
        ]

    def tasks(self) -> Sequence[records.Record]:
        """All tasks, the latest first."""
        return [records.task(board) for board in reversed(self._engine.state.boards.values())]

    def task(self, task_id: str) -> records.Record | None:
        """One task, or None."""
        return next((records.task(b) for t, b in self._engine.state.boards.items() if t == task_id), None)

    def subtasks(self, task_id: str) -> Sequence[records.Record]:
        """Every attempt of a task. Raises NotFound."""
        board = records.board(self._engine.state, task_id)
        chunks = self._chunks(board.task.spec) if board.history else ()
        return records.subtasks(self._engine.state, board, chunks, self.live.percent)

    def logs(self, task_id: str) -> Sequence[records.Record]:
        """What a task's last attempts printed, here or at their providers. Raises NotFound."""
        return records.logs(self._engine.state, TaskId(task_id), self.live.story)

    def jobs(self) -> Sequence[records.Record]:
        """What others have computed here now."""
        return records.jobs(self._engine.state, self.live.percent)

    def payments(self) -> Sequence[records.Record]:
        """Whom we owe and who owes us."""
        return records.payments(self._engine.state)

    def submit(self, submission: Submission) -> Awaitable[records.Record]:
        """Take a task in; answered once it is on disk. Raises UnknownTemplate, BadParameters, TemplateFailed."""
        spec = self._spec(submission)
        task = task_id(self.node_id, self._entropy.token(16).hex())
        done = self._waiting[task] = Deferred()
        self._engine.post(TaskSubmitted(task_id=task, spec=spec, resources=submission.resources))
        return done

    def cancel(self, task_id: str) -> None:
        """End a task. Raises NotFound."""
        board = records.board(self._engine.state, task_id)
        self._engine.post(TaskCancelled(task_id=board.task.task_id))

    def watch(self, topic: str | None, listener: Callable[[records.Record], None]) -> Callable[[], None]:
        """Call `listener` with what happens; returns what ends that."""
        entry = (topic, listener)
        self._watchers.append(entry)
        return lambda: self._watchers.remove(entry) if entry in self._watchers else None

    def _saw(self, event: Event, effects: Sequence[Effect]) -> None:
        if isinstance(event, TaskSubmitted) and (done := self._waiting.pop(event.task_id, None)):
            self._clock.callLater(0, done.callback, {"task_id": event.task_id})
        if self._watchers:
            for effect in effects:
                if isinstance(effect, Tell):
                    self._show(effect)

    def _show(self, tell: Tell) -> None:
        happening = _happening(tell.topic, tell.name, self._clock.seconds(), tell.fields)
        for topic, listener in list(self._watchers):
            if topic is None or topic == tell.topic:
                listener(happening)

    def show_log(self, task_id: str, said: records.Record) -> None:
        """Show what a job said to those who watch for just that; there may be much of it."""
        for topic, listener in list(self._watchers):
            if topic == f"log/{task_id}":
                listener(_happening(topic, "log", self._clock.seconds(), said))


def _happening(topic: str, name: str, at_s: float, fields: Mapping[str, object]) -> records.Record:
    return {"topic": topic, "name": name, "at_ms": int(at_s * 1000), "fields": fields}
