"""Fuzz targets for what peers, visitors and programs say; see `golem.testing.fuzz_targets`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from golem.errors import PeerError
from golem.model.messages import Message
from golem.testing.fuzz_signed import SIGNED
from golem.testing.keys import FixedKeyring
from golem.testing.samples import messages
from golem.wire.codec import Decoder, encode
from golem.wire.doorway import Call, What, line, visit
from golem.wire.envelope import Terms, bundle, seal, unseal
from golem.wire.frame import FrameReader
from golem.wire.guest import Lines, outcome_of
from golem.wire.session import Frame
from golem.wire.signing import NodeKey

_message: Decoder[Message] = Decoder(Message)
_frame: Decoder[Frame] = Decoder(Frame)
_ALICE = FixedKeyring("alice")
_TERMS = Terms("devnet", 1, _ALICE.node_id, FixedKeyring("bob").node_id)
_KEY = NodeKey(_ALICE.node_id)
_DIGEST = bytes(32)


def frames(data: bytes) -> None:
    """Any chunking gives the same frames, or the same refusal."""
    reader = FrameReader()
    with suppress(PeerError):
        for at in range(0, len(data), 7):
            for body in reader.feed(data[at : at + 7]):
                assert len(body) <= reader.limit


def session_frame(data: bytes) -> None:
    """What stands in a frame, an envelope among it."""
    with suppress(PeerError):
        _frame.decode(data)


def message(data: bytes) -> None:
    """What can be read can be written, and is then the same."""
    with suppress(PeerError):
        said = _message.decode(data)
        assert _message.decode(encode(said)) == said


def bodies(data: bytes) -> None:
    """The messages of an envelope that its sender has signed."""
    with suppress(PeerError):
        unseal(seal(_ALICE.sign, _TERMS, 1, data, 0), _TERMS, _KEY, 0)


def door(data: bytes) -> None:
    """A line that is said at a node's port; it has one spelling."""
    with suppress(PeerError):
        assert line(visit(data)) == data + b"\n"


def answer(data: bytes) -> None:
    """What a program in a sandbox writes."""
    lines = Lines()
    with suppress(PeerError):
        for at in range(0, len(data), 5):
            for said in lines.feed(data[at : at + 5]):
                outcome_of(said)


SPOKEN = (
    *(encode(message) for message in messages()),
    bundle([encode(message) for message in messages()]),
    line(Call(_ALICE.node_id, What.SESSION))[:-1],
    _ALICE.sign(_DIGEST),
    _ALICE.sign_payment(_DIGEST),
)
"""Valid, one of each."""

WIRE: Mapping[str, Callable[[bytes], None]] = {
    "frames": frames,
    "session": session_frame,
    "message": message,
    "bodies": bodies,
    "door": door,
    "answer": answer,
    **SIGNED,
}
