"""The Python API: ask the node in a folder to have something computed, and wait for it. Blocking; scripts need no more.

    node = connect("~/.golem")
    task = node.submit("blender", {"frames": "1-4"}, resources={"scene": "lake.blend"}, budget="0.1")
    print(task.wait().results)

Raises the errors of `golem.errors`: NotRunning where no node answers, Refused's leaves where it says no.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypedDict, Unpack

from golem.control.client import Client
from golem.control.views import LAST_PHASES, Estimate, Explanation, Happening, Status, Task, Template, view, views
from golem.errors import Fault
from golem.model.money import ether

DEFAULT_FOLDER = "~/.golem"
STALE_MS = 500  # thousands of things may happen in a second; nobody reads faster than twice a second


class Terms(TypedDict, total=False):
    """What one may say of a task besides.

    `max_price`: in ether per hour of one slot; by default, the whole budget. `tiers`: what may keep its jobs apart from
    a provider's machine, as `sandbox` and `docker`; by default, anything. `check_share`: the least share of results,
    or of the places in each, to check.
    """

    max_price: str | None
    tiers: Sequence[str]
    check_share: float


class TaskFailed(Fault):
    """The task ended without all its results; `task` says how far it came."""

    def __init__(self, task: Task) -> None:
        super().__init__(f"task {task.task_id} {task.phase}: {task.reason}")
        self.task = task


class TaskHandle:
    """One task on a running node."""

    def __init__(self, client: Client, task_id: str) -> None:
        self._client = client
        self.task_id = task_id

    def state(self) -> Task:
        """The task as it stands. Raises NotFound if the node has forgotten it."""
        return view(Task, self._client.get(f"/tasks/{self.task_id}"))

    def explain(self) -> Explanation:
        """Why it waits."""
        return view(Explanation, self._client.get(f"/tasks/{self.task_id}/explain"))

    def cancel(self) -> None:
        """End it; what providers did so far is paid."""
        self._client.delete(f"/tasks/{self.task_id}")

    def progress(self) -> Iterator[tuple[Happening | None, Task]]:
        """What happens, with the task as it stood half a second before at most, until it is over.

        Nothing, None, happens at first and every ten seconds. Where we lag too far behind, the node hangs up, and we
        go on from how it stands then.
        """
        task: Task | None = None
        while task is None or not task.is_over:
            with closing(self._client.watch(self.task_id)) as stream:
                for happening, task in self._follow(stream):
                    yield happening, task

    def _follow(self, stream: Iterator[object]) -> Iterator[tuple[Happening | None, Task]]:
        task, as_of_ms = None, 0
        for record in stream:
            happening = None if record is None else view(Happening, record)
            if task is None or happening is None:
                task = self.state()
            elif happening.name in LAST_PHASES or happening.at_ms - as_of_ms >= STALE_MS:
                task, as_of_ms = self.state(), happening.at_ms
            yield happening, task
            if task.is_over and (happening is None or happening.name in LAST_PHASES):
                return

    def wait(self) -> Task:
        """The task once it is done, with `results` as paths by name. Raises TaskFailed where it ended otherwise."""
        *_, (_, task) = self.progress()
        if task.phase != "done":
            raise TaskFailed(task)
        return task


class Session:
    """A node, as its user's scripts see it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def status(self) -> Status:
        """The node at a glance."""
        return view(Status, self._client.get("/status"))

    def templates(self) -> list[Template]:
        """What it can have computed."""
        return views(Template, self._client.get("/templates"))

    def tasks(self) -> list[Task]:
        """Every task it knows, without subtasks, the latest first."""
        return views(Task, self._client.get("/tasks"))

    def task(self, task_id: str) -> TaskHandle:
        """A task submitted before, by its whole id."""
        return TaskHandle(self._client, task_id)

    def estimate(
        self,
        template: str,
        params: Mapping[str, str | int] | None = None,
        *,
        budget: str,
        **terms: Unpack[Terms],
    ) -> Estimate:
        """What such a task may cost; the arguments are those of `submit`. Raises BadParameters, UnknownTemplate."""
        return view(Estimate, self._client.post("/estimates", _request(template, params, budget, None, ".", terms)))

    def submit(
        self,
        template: str,
        params: Mapping[str, str | int] | None = None,
        *,
        budget: str,
        resources: Mapping[str, str | Path] | None = None,
        output: str | Path = ".",
        **terms: Unpack[Terms],
    ) -> TaskHandle:
        """Have a task done.

        `budget`: the most it may cost, in ether, as text. `resources`: name to file or folder, as the template asks for
        them. `output`: folder for results. `terms`: see `Terms`.
        Raises BadParameters, UnknownTemplate, NotEnoughFunds.
        """
        request = _request(template, params, budget, resources, output, terms)
        answer = self._client.post("/tasks", request)
        if not isinstance(answer, dict) or "task_id" not in answer:
            raise Fault("the node took the task in without naming it; are node and command of one version?")
        return TaskHandle(self._client, str(answer["task_id"]))


def _request(
    template: str,
    params: Mapping[str, str | int] | None,
    budget: str,
    resources: Mapping[str, str | Path] | None,
    output: str | Path,
    terms: Terms,
) -> dict[str, object]:
    return {
        "template": template,
        "params": {name: str(value) for name, value in (params or {}).items()},
        "budget": str(int(ether(budget))),
        "max_price": str(int(ether(terms.get("max_price") or budget))),
        "tiers": list(terms.get("tiers", ())),
        "check_share": terms.get("check_share", 0.0),
        "resources": [{"name": name, "path": _whole(path)} for name, path in (resources or {}).items()],
        "output": _whole(output),
    }


def connect(folder: str | Path = DEFAULT_FOLDER) -> Session:
    """The node that runs in `folder`. Dials at the first call, not yet."""
    return Session(Client(folder))


def _whole(path: str | Path) -> str:
    return str(Path(path).expanduser().absolute())
