"""A hundred thousand subtasks cost their node no more than it can bear: pieces are made when asked for, and small."""

from __future__ import annotations

import sys
import tracemalloc

import pytest

from golem.interfaces import ITaskTemplate
from golem.model.money import Wei
from golem.model.spec import TaskSpec
from golem.node import plugins
from golem.template import MAX_CHUNKS

MOST_BYTES = 1 << 10  # of a chunk, its label and parameters
LARGEST = {
    "echo": {"count": f"{MAX_CHUNKS}"},
    "blender": {"frames": "1-25000", "tiles": "2x2", "resolution": "16384x4096"},
    "fractal": {"size": "16384x16384", "iterations": "10000000", "chunk": "0.1"},
    "tally": {"chunks": "10000", "ranges": "256"},
    "luxrender": {"slices": "1000", "tiles": "2x2", "resolution": "5792x5792"},
}


def spec(template: ITaskTemplate) -> TaskSpec:
    params = template.parse(LARGEST[template.name])
    return TaskSpec(template=template.name, params=params, budget=Wei(0), max_price=Wei(0), output="")


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_task_is_split_lazily_and_into_small_pieces(name: str) -> None:
    template = plugins.load([name])[name]
    task = spec(template)
    tracemalloc.start()
    chunks = template.split(task)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(chunks) == {"fractal": 1_639, "luxrender": 4_000, "tally": 10_000}.get(name, MAX_CHUNKS)
    assert peak < 64 * len(chunks) + 1_000_000, "it made its pieces before anyone asked"
    for index in (0, len(chunks) // 2, len(chunks) - 1):
        chunk = chunks[index]
        size = sys.getsizeof(chunk) + sys.getsizeof(chunk.label) + sys.getsizeof(chunk.params)
        assert chunk.index == index and size <= MOST_BYTES


def test_every_template_that_comes_along_is_tried() -> None:
    assert set(LARGEST) == set(plugins.available())
