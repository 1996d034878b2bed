"""No parser of what strangers send raises anything but its own error."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from golem.testing.fuzz import TARGETS
from golem.testing.samples import CID, messages
from golem.wire.codec import encode
from golem.wire.envelope import bundle

GOOD = [
    *(encode(message) for message in messages()),
    CID.encode(),
    b'{"template": "echo", "params": {}, "resources": [], "output": "/tmp", "budget": "1", "max_price": "1"}',
    b"\x12\x08\x0a\x02\x08\x02\x12\x02hi",
    b"192.0.2.1:7300",
    bundle([encode(message) for message in messages()]),
    b"golem call 02" + b"ee" * 32 + b" session",
    b'{"job": "j", "ok": true, "report": {}}\n',
    b"/ipfs/" + CID.encode() + b"/a\nformat=car&entity-bytes=0:9\napplication/vnd.ipld.car; order=dfs; q=0.5",
]


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_worse(data: bytes) -> None:
    for target in TARGETS.values():
        target(data)


@given(st.data())
def test_what_is_nearly_right_is_refused_and_nothing_worse(data: st.DataObject) -> None:
    spoilt = bytearray(data.draw(st.sampled_from(GOOD)))
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    for target in TARGETS.values():
        target(bytes(spoilt))
