"""Where a scenario is played with real nodes, in real time: processes of their own, which tell each of their turns."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from golem.api import Session
from golem.control.views import LAST_PHASES, Finding, Payment, Status, Subtask, Task, view, views
from golem.errors import Fault, GolemError
from golem.model.ids import Address, NodeId
from golem.testing.ground import Ground, build
from golem.testing.mishaps import Fault as Mishap
from golem.testing.orphans import Orphans
from golem.testing.quiet import shown_adds_up
from golem.testing.record import Line, Record
from golem.testing.scenario import Scenario, Step
from golem.testing.storm import Storm
from golem.testing.telling import Broke, Earned, Hub, Ready, Said, Telling, Took, now_s

LOOK_S = 0.25  # the clock is looked at so often where nobody tells anything
START_S = 60.0  # on a loaded machine with a cold disk; 2 s is usual
CALM_S = 120.0  # after the last fault: dues are paid within seconds
TOLD = 40  # lines of a story, of each node
MOST_PRICE, BUDGET = "0.0036", "0.5"  # ether; as in LocalNetwork, but jobs here have an hour each


class LiveStage:
    """One run's network, on `ground`. `record`: what is seen of it. Raises Fault where it does not come up.

    `steps`: how many turns were told. `troubles`: what should never have happened. `trace`: none, as no two runs of
    real nodes are alike.
    """

    trace = ""

    def __init__(self, folder: Path, scenario: Scenario, ground: Ground) -> None:
        self.steps = 0
        self.troubles: list[str] = []
        self._scenario = scenario
        self._ground = ground
        self._honest = [part.name for part in scenario.members if not part.behave]
        self._ids: dict[str, tuple[str, str]] = {}
        self._nodes: dict[NodeId, str] = {}
        self._accounts: dict[Address, str] = {}
        self._ready: set[str] = set()
        self._met: set[str] = set()
        self._storm = Storm(ground)
        self._folder = folder
        self._orphans = Orphans(folder)
        self._hub = Hub(folder / "told.sock")
        self._began_s: float | None = None
        self._now_s = now_s()
        self.record = Record(self._nodes, self._accounts, lambda: self.now_ms)
        self._network = build(folder / "nodes", scenario, ground, self._hub.path)
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        names = [part.name for part in self._scenario.members]
        self._network.launch()
        self._come(lambda: self._ready.issuperset(names))
        for name in names:
            status = view(Status, self._network[name].client.get("/status"))
            self._nodes[NodeId(status.node_id)] = name
            self._accounts[Address(status.account)] = name
        self._come(lambda: len(names) == 1 or self._met.issuperset(names))
        self._began_s = now_s()

    def _come(self, is_there: Callable[[], bool]) -> None:
        try:
            self.run_until(is_there, START_S)
        except AssertionError as why:
            raise Fault(f"the nodes do not come up: {why}") from why

    # time

    @property
    def now_ms(self) -> int:
        """Since all nodes had met; while something is taken in, when it was told."""
        return max(0, int((self._now_s - self._began_s) * 1000)) if self._began_s is not None else 0

    def run_until(self, is_done: Callable[[], bool], limit_s: float) -> None:
        """Wait for what nodes tell until `is_done()`. Raises AssertionError after `limit_s`, or at a trouble."""
        self._wait(is_done, limit_s)
        if self.troubles:
            raise AssertionError(self.troubles[0])

    def _wait(self, is_done: Callable[[], bool], limit_s: float) -> None:
        end_s = now_s() + limit_s
        while not is_done() and not self.troubles:
            rest_s = end_s - now_s()
            if rest_s <= 0:
                raise AssertionError(f"not done after {limit_s:g} s")
            self._pass(min(rest_s, LOOK_S))

    def _pass(self, most_s: float) -> None:
        for name, told in self._hub.hear(min(most_s, self._storm.rest_s)):
            self._now_s = told.at_s
            self._take(name, told)
        self._now_s = now_s()
        self._storm.blow()
        for node in self._network.nodes:
            if node.exit_code is not None and node.name not in self._ground.down and not self.troubles:
                self.troubles.append(f"{node.name} ended by itself: {node.last_words()}")

    def _take(self, name: str, told: Telling) -> None:
        match told:
            case Ready():
                self._ready.add(name)
            case Took(turn=turn):
                self.steps += 1
                if turn.event == "Connected":
                    self._met.add(name)
                self.record.turn(name, turn)
            case Said(who=who, text=text, is_loud=is_loud):
                self.record.lines.append(Line(self.now_ms, name, f"{who}: {text}", is_loud))
            case Earned(payer=payer, wei=wei):
                account = next(account for account, other in self._accounts.items() if other == name)
                self.record.money({(payer, account): wei})
            case Broke(what=what):
                self.troubles.append(f"{name}: {what}")

    # what happens

    def storm(self, faults: tuple[Mishap, ...]) -> None:
        """Let these faults come, each at its time."""
        self._storm.begin(faults)

    def submit(self, step: Step) -> None:
        """Have a task done."""
        session = Session(self._network[step.node].client)
        params = {key: str(value) for key, value in step.params.items()}
        output = self._folder / "results" / step.submit
        handle = session.submit(step.template, params, budget=BUDGET, max_price=MOST_PRICE, output=output)
        self._ids[step.submit] = step.node, handle.task_id
        self.record.tasks[handle.task_id] = step.submit

    # what is to be seen

    def look(self, subject: str, field: str) -> object:
        """A field's present value; None where there is none, as of a node that does not answer."""
        if subject in self._ids:
            return self._of_task(*self._ids[subject], field)
        if subject not in self._accounts.values():
            return None
        if field == "is_up":
            return subject not in self._ground.down
        if field in ("paid", "earned"):
            end = 0 if field == "paid" else 1
            return sum(wei for pair, wei in self.record.paid.items() if self._accounts.get(pair[end]) == subject)
        status = self._ask(subject, "/status")
        return getattr(view(Status, status), field) if status is not None else None

    def _of_task(self, owner: str, task_id: str, field: str) -> object:
        if field in ("rejected", "lost"):
            found = self._ask(owner, f"/tasks/{task_id}/subtasks")
            return None if found is None else sum(one.phase == field for one in views(Subtask, found))
        task = self._ask(owner, f"/tasks/{task_id}")
        if task is None:
            return None
        value = getattr(view(Task, task), field)
        return int(value) if field == "spent" else value

    def _ask(self, name: str, path: str) -> object:
        """What a node answers; None where it can't."""
        if name in self._ground.down or name in self._ground.frozen:
            return None
        try:
            return self._network[name].client.get(path)
        except GolemError:
            return None

    # the end

    def settle(self, saw: Callable[[], bool]) -> None:
        """End all faults; then all tasks must end, all debts be paid, and all books agree. Raises AssertionError."""
        self._storm.calm()
        self.run_until(lambda: saw() and self._is_quiet(), CALM_S)
        for name in self._honest:
            for finding in views(Finding, self._network[name].client.get("/audit")):
                assert finding.holds, f"{name}: {finding.law}: {'; '.join(finding.broken)}"
            shown_adds_up(self._network[name].client.get)

    def _is_quiet(self) -> bool:
        mine = [(owner, task_id) for owner, task_id in self._ids.values() if owner in self._honest]
        if any(self._of_task(owner, task_id, "phase") not in LAST_PHASES for owner, task_id in mine):
            return False
        books = {name: self._books(name) for name in self._honest}
        return all(
            owed == books[payee].get(("in", payer)) and owed[0] == owed[1]
            for payer, book in books.items()
            for (direction, payee), owed in book.items()
            if direction == "out" and payee in books
        )

    def _books(self, name: str) -> dict[tuple[str, str], tuple[int, int]]:
        """What a node thinks is promised and paid, by direction and the other's name."""
        found = views(Payment, self._ask(name, "/payments") or [])
        return {
            (p.direction, self._accounts.get(Address(p.account), p.account)): (int(p.promised), int(p.paid))
            for p in found
        }

    def story(self) -> str:
        """The troubles, and the last lines of every node."""
        lines = [self.troubles[0]] if self.troubles else []
        for part in self._scenario.members:
            told = [line for line in self.record.lines if line.who == part.name][-TOLD:]
            lines += [f"{line.at_ms / 1000:10.3f} {line.who:<8} {line.text}" for line in told]
        return "\n".join(lines)

    def close(self) -> list[str]:
        """End the network, and say what is wrong with how it ended or what it left."""
        for name in self._ground.frozen:
            self._network[name].signal(signal.SIGCONT)
        self._network.signal_chain(signal.SIGCONT)
        up = [node for node in self._network.nodes if node.exit_code is None and node.pid]
        self._network.stop()
        for _, told in self._hub.hear(0):
            if isinstance(told, Broke):
                self.troubles.append(told.what)
        self._hub.close()
        self._ground.close()
        wrong = [f"{node.name} ended with {node.exit_code}: {node.last_words()}" for node in up if node.exit_code]
        return [*wrong, *self._orphans.end()]
