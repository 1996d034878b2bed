"""Reading a user's parameters."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.errors import BadParameters
from golem.interfaces import Parameter
from golem.template import Form, file_name, frame_list, grid, one_of, pair, whole, words

FORM = Form(
    (Parameter(name="samples", help="", default="16"), whole(1, 64)),
    (Parameter(name="size", help="", default="640x360"), pair(4096)),
    (Parameter(name="tiles", help="", default="1"), grid(16)),
    (Parameter(name="frames", help="", default="1"), frame_list),
    (Parameter(name="format", help="", default="EXR"), one_of("EXR", "PNG")),
    (Parameter(name="scene", help="", default="a/b.blend"), file_name),
    (Parameter(name="title", help=""), words),
)


def test_defaults_are_filled_in_and_everything_has_its_type() -> None:
    data = FORM.parse({"title": "t", "frames": "3;1-2", "format": "png", "tiles": "4"})
    expected = dict(samples=16, size=[640, 360], tiles=[1, 4], frames="1-3", format="PNG", scene="a/b.blend", title="t")
    assert msgspec.json.decode(data) == expected


def test_the_order_in_which_parameters_are_given_does_not_matter() -> None:
    assert FORM.parse({"title": "t", "samples": "2"}) == FORM.parse({"samples": "2", "title": "t"})


def test_every_mistake_is_told_at_once() -> None:
    wrong = {
        "samples": "0",
        "size": "640",
        "frames": "x",
        "format": "gif",
        "scene": "../x",
        "sampels": "1",
        "tiles": "-2",
    }
    with pytest.raises(BadParameters) as caught:
        FORM.parse(wrong)
    said = str(caught.value)
    for name in ("samples: ", "size: ", "frames: ", "format: ", "scene: ", "title: is missing"):
        assert name in said
    assert "sampels: unknown (did you mean samples?)" in said


@pytest.mark.parametrize("text", ["/etc/passwd", "a//b", "..", "a/../b", "", "a/.", "a\nb", "a\0b", "\udc80"])
def test_a_file_outside_of_the_input_is_refused(text: str) -> None:
    with pytest.raises(BadParameters, match="scene: "):
        FORM.parse({"title": "t", "scene": text})


def test_parameters_too_long_for_a_job_are_refused() -> None:
    with pytest.raises(BadParameters, match="longer than"):
        FORM.parse({"title": "t" * 17_000})


@given(st.dictionaries(st.sampled_from([p.name for p in FORM.parameters]) | st.text(max_size=5), st.text(max_size=20)))
def test_garbage_is_bad_parameters_and_nothing_worse(params: Mapping[str, str]) -> None:
    try:
        data = FORM.parse(params)
    except BadParameters:
        return
    assert set(msgspec.json.decode(data)) == {p.name for p in FORM.parameters}
