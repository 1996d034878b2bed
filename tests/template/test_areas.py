"""Tiles and crops."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.template import crops, tiles

SIDES = st.integers(1, 60)


@given(SIDES, SIDES, st.data())
def test_tiles_cover_every_pixel_exactly_once(width: int, height: int, data: st.DataObject) -> None:
    columns, rows = data.draw(st.integers(1, width)), data.draw(st.integers(1, height))
    found = tiles(width, height, columns, rows)
    covered = Counter((x, y) for t in found for x in range(t.x, t.x + t.width) for y in range(t.y, t.y + t.height))
    assert len(found) == columns * rows
    assert set(covered.values()) == {1} and len(covered) == width * height
    for sides in ({t.width for t in found}, {t.height for t in found}):
        assert max(sides) - min(sides) <= 1


def test_more_columns_than_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="5x1 tiles do not fit 4x9 pixels"):
        tiles(4, 9, 5, 1)


@given(SIDES, SIDES, st.integers(1, 20), st.integers(1, 20), st.binary(max_size=8))
def test_crops_lie_inside_and_hold_something(width: int, height: int, count: int, side: int, salt: bytes) -> None:
    found = crops(width, height, count, side, salt)
    assert found
    for crop in found:
        assert 0 <= crop.x < crop.x + crop.width <= width and crop.width <= side
        assert 0 <= crop.y < crop.y + crop.height <= height and crop.height <= side


@given(st.integers(40, 300), st.integers(40, 300), st.integers(1, 20))
def test_there_are_hardly_fewer_crops_than_asked_for_and_never_more(width: int, height: int, count: int) -> None:
    assert 2 / 3 * count <= len(crops(width, height, count, 16, b"")) <= count


def test_every_pixel_is_as_likely_to_be_seen_as_any_other() -> None:
    draws = 4000
    seen = Counter(
        x for n in range(draws) for c in crops(40, 8, 3, 8, n.to_bytes(4, "big")) for x in range(c.x, c.x + c.width)
    )
    shares = [seen[x] / draws for x in range(40)]
    assert max(shares) < 1.25 * min(shares)


def test_another_salt_gives_other_places_and_the_same_salt_the_same() -> None:
    assert crops(640, 360, 8, 16, b"a") == crops(640, 360, 8, 16, b"a") != crops(640, 360, 8, 16, b"b")
