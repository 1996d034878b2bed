"""A case to be heard anew, as somebody puts it: evidence that a requestor signed."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from golem.errors import BadParameters, PeerError
from golem.model.evidence import Evidence
from golem.model.value import Value
from golem.node.stock import Sources
from golem.wire.codec import Decoder
from golem.wire.signing import verify_word


class Case(Value):
    """Evidence as it was signed, and the gateways beside its requestor's that may have its contents."""

    signed: Annotated[bytes, Meta(max_length=1 << 16)]
    sources: Sources = ()


_cases: msgspec.json.Decoder[Case] = msgspec.json.Decoder(Case)
_evidence: Decoder[Evidence] = Decoder(Evidence)


def read_case(data: bytes) -> Case:
    """Read a case. Raises BadParameters."""
    try:
        return _cases.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as why:
        raise BadParameters(f"the request does not fit: {why}") from why


def read_evidence(network: str, case: Case) -> Evidence:
    """What its requestor signed. Raises BadParameters where nobody did."""
    try:
        evidence = _evidence.decode(case.signed)
        verify_word(network, evidence)
    except PeerError as why:
        raise BadParameters(f"this is nobody's evidence in the network {network}: {why}") from why
    return evidence
