"""The bytes of every message, frozen: whoever changes them makes another protocol version."""

from __future__ import annotations

import json
from pathlib import Path

import msgpack
import pytest

from golem.model.messages import Message
from golem.testing.samples import messages
from golem.wire.codec import Decoder, encode
from golem.wire.signing import verify_word

VECTORS: dict[str, dict[str, object]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "messages-v1.json").read_text()
)
BY_NAME = {type(message).__name__: message for message in messages()}
decoder: Decoder[Message] = Decoder(Message)


def test_there_is_a_vector_for_every_message_type() -> None:
    assert set(VECTORS) == set(BY_NAME) == {kind.__name__ for kind in Message.__args__}


@pytest.mark.parametrize("name", VECTORS)
def test_a_message_has_the_bytes_it_always_had(name: str) -> None:
    data = bytes.fromhex(str(VECTORS[name]["bytes"]))
    assert encode(BY_NAME[name]).hex() == data.hex()
    assert decoder.decode(data) == BY_NAME[name]


@pytest.mark.parametrize("name", VECTORS)
def test_an_independent_decoder_reads_the_same(name: str) -> None:
    data = bytes.fromhex(str(VECTORS[name]["bytes"]))

    def plain(value: object) -> object:
        return value.hex() if isinstance(value, bytes) else value

    fields = msgpack.unpackb(data, object_hook=lambda pairs: {key: plain(value) for key, value in pairs.items()})
    assert fields == VECTORS[name]["fields"]


def test_the_demand_among_them_is_signed() -> None:
    verify_word("devnet", decoder.decode(bytes.fromhex(str(VECTORS["Demand"]["bytes"]))))  # type: ignore[arg-type]  # a Demand, as its name says
