"""Values to bytes and back."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.errors import Malformed
from golem.model.money import Wei
from golem.model.value import Value
from golem.wire.codec import Decoder, encode


class Sum(Value):
    amount: Wei


sums: Decoder[Sum] = Decoder(Sum)


@given(st.integers(0, 2**96 - 1))
def test_money_of_any_size_comes_back_as_it_was(amount: int) -> None:
    data = encode(Sum(amount=Wei(amount)))
    assert sums.decode(data) == Sum(amount=Wei(amount))
    assert int.from_bytes(msgpack.unpackb(data)["amount"], "big") == amount


@pytest.mark.parametrize("amount", [b"\0\1", bytes(13), b"\1" + bytes(12), 5, "5", None, True, -1, 2.0, [1]])
def test_money_has_one_form_only(amount: object) -> None:
    with pytest.raises(Malformed):
        sums.decode(msgpack.packb({"type": "Sum", "amount": amount}))


def test_what_has_no_form_on_the_wire_is_not_sent() -> None:
    class Odd(Value):
        number: complex

    with pytest.raises(NotImplementedError, match="complex"):
        encode(Odd(number=1j))


def test_what_no_value_has_is_malformed() -> None:
    good = encode(Sum(amount=Wei(1)))
    for bad in (
        b"",
        good[:-1],
        good + b"\0",
        msgpack.packb({"type": "Sum"}),
        msgpack.packb({"type": "Other", "amount": b"\1"}),
        msgpack.packb({"type": "Sum", "amount": b"\1", "more": 1}),
    ):
        with pytest.raises(Malformed):
            sums.decode(bad)
