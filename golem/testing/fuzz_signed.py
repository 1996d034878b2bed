"""Fuzz targets for what is signed, and for signatures; see `golem.testing.fuzz_targets`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from golem.errors import PeerError
from golem.model.evidence import Evidence
from golem.model.ids import NodeId
from golem.testing.keys import FixedKeyring
from golem.wire.account import recover_address
from golem.wire.codec import Decoder
from golem.wire.signing import NodeKey, verify_word

_evidence: Decoder[Evidence] = Decoder(Evidence)
_KEY = NodeKey(FixedKeyring("alice").node_id)
_DIGEST = bytes(32)


def evidence(data: bytes) -> None:
    """What a requestor shows to others of a verdict."""
    with suppress(PeerError):
        verify_word("devnet", _evidence.decode(data))


def signature(data: bytes) -> None:
    """A signature, by a node and by an account; and a node's key."""
    with suppress(PeerError):
        _KEY.check(data, _DIGEST, "what is said")
    with suppress(PeerError):
        recover_address(_DIGEST, data)
    with suppress(PeerError):
        NodeKey(NodeId(data[:33].hex()))


SIGNED: Mapping[str, Callable[[bytes], None]] = {
    "evidence": evidence,
    "signature": signature,
}
