"""No parser of what strangers send raises anything but its own error."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from golem.testing.fuzz_targets import VALID, everything


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_worse(data: bytes) -> None:
    everything(data)


@given(st.data())
def test_what_is_nearly_right_is_refused_and_nothing_worse(data: st.DataObject) -> None:
    spoilt = bytearray(data.draw(st.sampled_from(VALID)))
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    everything(bytes(spoilt))
