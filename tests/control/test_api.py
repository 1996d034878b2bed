"""The Python API, against a control socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from golem.api import TaskFailed, connect
from golem.errors import Fault, NotRunning
from golem.testing.face import NODE_ID, FaceServer, serving


@pytest.fixture
def node() -> Iterator[FaceServer]:
    """A node that answers as it is told to."""
    with serving() as running:
        yield running


def _finish(node: FaceServer, phase: str, **changes: object) -> None:
    """Have the next task end as soon as it is submitted."""

    def end(task_id: str) -> None:
        node.face.records[task_id] |= {"phase": phase, **changes}

    node.face.on_submit = end


def test_a_task_is_submitted_and_waited_for(node: FaceServer, tmp_path: Path) -> None:
    _finish(node, "done", results={"frame_0001": "/r/frame_0001.png"}, spent="42")
    (tmp_path / "lake.blend").write_text("scene")
    handle = connect(node.folder).submit(
        "echo", {"times": 3}, budget="0.1", resources={"scene": tmp_path / "lake.blend"}, output=tmp_path / "out"
    )
    task = handle.wait()
    assert (task.results, task.spent) == ({"frame_0001": "/r/frame_0001.png"}, "42")
    (said,) = node.face.submitted
    assert (said.params, said.budget, said.max_price) == ({"times": "3"}, 10**17, 10**17)
    assert [(r.name, r.path) for r in said.resources] == [("scene", str(tmp_path / "lake.blend"))]


def test_a_task_that_fails_raises_with_the_reason(node: FaceServer) -> None:
    _finish(node, "failed", reason="the budget is spent")
    handle = connect(node.folder).submit("echo", budget="0.1")
    with pytest.raises(TaskFailed, match="the budget is spent") as caught:
        handle.wait()
    assert caught.value.task.chunks == 2  # as the face says


def test_progress_begins_with_how_it_stands_and_ends_with_the_task(node: FaceServer) -> None:
    handle = connect(node.folder).submit("echo", budget="0.1")
    progress = handle.progress()
    happening, task = next(progress)
    assert (happening, task.phase) == (None, "open")
    handle.cancel()
    assert [(h.name if h else None, t.phase) for h, t in progress] == [("cancelled", "cancelled")]


def test_an_end_is_seen_however_soon_it_comes_after_something_else(node: FaceServer) -> None:
    handle = connect(node.folder).submit("echo", budget="0.1")
    progress = handle.progress()
    next(progress)
    node.do(node.face.tell, handle.task_id, "assigned")
    next(progress)
    node.face.now_ms -= 1_000  # so that the next has the same instant
    handle.cancel()
    assert [task.phase for _, task in progress] == ["cancelled"]


def test_a_node_that_stops_meanwhile_is_said_so(node: FaceServer) -> None:
    progress = connect(node.folder).submit("echo", budget="0.1").progress()
    next(progress)
    node.do(node.server.stopService)
    with pytest.raises(NotRunning, match="no node runs"):
        next(progress)


def test_one_who_lagged_behind_goes_on_from_how_it_stands(node: FaceServer) -> None:
    handle = connect(node.folder).submit("echo", budget="0.1")
    progress = handle.progress()
    next(progress)
    node.face.records[handle.task_id] |= {"phase": "done"}
    node.do(node.server.hang_up)
    assert [(h, t.phase) for h, t in progress] == [(None, "done")]


def test_node_templates_tasks_and_reasons_are_read(node: FaceServer) -> None:
    session = connect(node.folder)
    assert session.status().node_id == NODE_ID
    assert [p.default for p in session.templates()[0].parameters] == [None, "3"]
    handle = session.submit("echo", budget="0.1")
    node.face.reasons[handle.task_id] = [{"reason": "no free slot", "count": 2}]
    assert [(r.reason, r.count) for r in session.task(handle.task_id).explain().reasons] == [("no free slot", 2)]
    assert [t.task_id for t in session.tasks()] == [handle.task_id]


def test_an_answer_of_another_version_is_a_fault_not_a_crash(node: FaceServer) -> None:
    node.face.kinds = [{"nom": "echo"}]
    with pytest.raises(Fault, match="one version"):
        connect(node.folder).templates()


def test_without_a_node_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="golem node start"):
        connect(tmp_path).status()
