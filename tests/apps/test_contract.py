"""Every template that comes with golem keeps the contract, as `golem template test` holds it to."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from golem.model.spec import WASI
from golem.node.plugins import available, load
from golem.testing.trial import Trial

SMALL: dict[str, tuple[str, dict[str, str]]] = {
    "blender": ("marbles.blend", {"frames": "1-2", "resolution": "96x54", "samples": "16"}),
    "echo": ("", {"count": "3"}),
    "fractal": ("", {"size": "96x54", "iterations": "20000", "chunk": "0.1"}),
    "luxrender": ("pyramid", {"resolution": "96x54", "samples": "16"}),
    "tally": ("", {"chunks": "3", "length": "50"}),
}
MARKS = {"blender": pytest.mark.blender, "luxrender": pytest.mark.luxrender}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[MARKS[name]] if name in MARKS else []) for name in sorted(SMALL)]
)
def test_it_keeps_the_contract(name: str, tmp_path: Path) -> None:
    template = load([name])[name]
    needed = {"wasmtime" if module == WASI else module for module in template.environment.modules}
    if missing := [module for module in needed if find_spec(module) is None]:
        pytest.skip(f"{', '.join(missing)} is not installed: not proven here")
    scene, params = SMALL[name]
    inputs = {"scene": str(Path(template.programs).parent / "scenes" / scene)} if scene else {}
    Trial(template, tmp_path, params, inputs).hold()


@pytest.mark.blender
def test_blender_keeps_it_where_copies_are_compared(tmp_path: Path) -> None:
    template = load(["blender"])["blender"]
    if find_spec("bpy") is None:
        pytest.skip("bpy is not installed: not proven here")
    scene, params = SMALL["blender"]
    inputs = {"scene": str(Path(template.programs).parent / "scenes" / scene)}
    Trial(template, tmp_path, {**params, "check": "copies"}, inputs).hold()


def test_none_is_left_out() -> None:
    assert sorted(SMALL) == sorted(available())
