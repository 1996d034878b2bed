"""The parser of frame lists."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.template import MAX_CHUNKS, MAX_FRAME, frames, show_frames


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", (7,)),
        ("1-4", (1, 2, 3, 4)),
        ("1-4;7;10-30,5", (1, 2, 3, 4, 7, 10, 15, 20, 25, 30)),
        (" 3 ; 1 - 2 ", (1, 2, 3)),
        ("5;5;4-6", (4, 5, 6)),
        ("0-10,20", (0,)),
    ],
)
def test_lists_ranges_and_steps_are_read(text: str, expected: tuple[int, ...]) -> None:
    assert frames(text) == expected


@pytest.mark.parametrize("text", ["", ";", "4-1", "-3", "1-", "1,3", "1-5,0", "a", "1.5", "1--2", "9" * 5000])
def test_what_names_no_frames_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="names no frames"):
        frames(text)


def test_more_frames_than_a_task_may_have_are_refused_before_they_take_room() -> None:
    with pytest.raises(ValueError, match=f"more than {MAX_CHUNKS} frames"):
        frames(f"0-{MAX_FRAME}")


@pytest.mark.parametrize(("numbers", "text"), [((1, 2, 3), "1-3"), ((1, 5), "1;5"), ((1, 5, 9, 10), "1-9,4;10")])
def test_frames_are_written_as_short_as_runs_make_them(numbers: tuple[int, ...], text: str) -> None:
    assert show_frames(numbers) == text


@given(st.sets(st.integers(0, MAX_FRAME), min_size=1, max_size=40) | st.sets(st.integers(0, 30), min_size=1))
def test_what_is_written_is_read_back(numbers: set[int]) -> None:
    assert frames(show_frames(sorted(numbers))) == tuple(sorted(numbers))


@given(st.text(alphabet="0123456789-;, x", max_size=30))
def test_garbage_is_a_value_error_and_nothing_worse(text: str) -> None:
    with suppress(ValueError):
        assert frames(show_frames(frames(text))) == frames(text)
