"""What is said at a door."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.errors import Malformed
from golem.model.ids import NodeId
from golem.wire.doorway import MAX_LINE_BYTES, NO, Answer, Call, Rap, Visit, What, calling, line, no, visit

NODE = NodeId("02" + "ab" * 32)


@pytest.mark.parametrize(
    "said", [Call(NODE, What.SESSION), Call(NODE, What.CONTENT), Answer(b"a" * 16), Rap(b"b" * 16)]
)
def test_a_line_says_what_was_meant(said: Visit) -> None:
    data = line(said)
    assert data.endswith(b"\n") and len(data) <= MAX_LINE_BYTES
    assert visit(data[:-1]) == said
    assert not isinstance(said, Call) or calling(*said) == data


@given(st.binary(max_size=150) | st.from_regex(rb"golem (call|answer|knock) [0-9a-f ]{0,80}", fullmatch=True))
def test_garbage_is_malformed_and_nothing_worse(data: bytes) -> None:
    with suppress(Malformed):
        assert line(visit(data)) == data + b"\n"


def test_who_is_turned_away_hears_one_line_whatever_the_reason_holds() -> None:
    said = no("long\n" * 100)
    assert said.startswith(NO) and said.count(b"\n") == 1 and len(said) == MAX_LINE_BYTES
