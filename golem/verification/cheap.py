"""Checks that cost nothing: of the form alone, and of what is hard to find and easy to recognise."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec
from zope.interface import implementer

from golem.interfaces import IVerifier
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Judgement, Verdict

MAX_REASON = 400


def accepted(reason: str) -> Verdict:
    """Right."""
    return Verdict(judgement=Judgement.ACCEPT, reason=reason[:MAX_REASON])


def wrong(reason: str) -> Verdict:
    """Something else than was asked for."""
    return Verdict(judgement=Judgement.WRONG, reason=reason[:MAX_REASON])


def malformed(reason: str) -> Verdict:
    """Not even of the right form."""
    return Verdict(judgement=Judgement.MALFORMED, reason=reason[:MAX_REASON])


def unsure(reason: str) -> Verdict:
    """We can't tell."""
    return Verdict(judgement=Judgement.UNSURE, reason=reason[:MAX_REASON])


@implementer(IVerifier)
class Structural:
    """The report must decode as `form`, a type that msgspec knows, and there must be content, or none.

    `most_bytes`: of content. JSON has no NaN and no infinity, so numbers are finite; bounds belong into the form.
    """

    def __init__(self, form: type, *, has_content: bool = False, most_bytes: int = 1 << 40) -> None:
        self._decoder: msgspec.json.Decoder[object] = msgspec.json.Decoder(form)
        self._has_content = has_content
        self._most_bytes = most_bytes

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """No jobs: the delivery says enough."""
        return ()

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """MALFORMED, or nothing to be said against it."""
        if bool(delivery.result) is not self._has_content:
            return malformed(f"content: there is {'none' if self._has_content else 'some, and none was wanted'}")
        if delivery.size_bytes > self._most_bytes:
            return malformed(f"content: {delivery.size_bytes} bytes, at most {self._most_bytes}")
        try:
            self._decoder.decode(delivery.report)
        except (msgspec.MsgspecError, RecursionError) as why:
            return malformed(f"report: {why}")
        return accepted("report: of the right form")


class Nonce(msgspec.Struct, frozen=True):
    """What a job reports that searched for a proof of work."""

    nonce: str


@implementer(IVerifier)
class ProofOfWork:
    """The report's `nonce` must make SHA-256 of the chunk's parameters and it begin with `bits` zero bits."""

    def __init__(self, bits: int) -> None:
        if not 1 <= bits <= 256:
            raise ValueError(f"bits is {bits}: from 1 to 256")
        self._bits = bits
        self._form = Structural(Nonce)

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """No jobs: one hash tells."""
        return ()

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """ACCEPT a nonce that is good enough."""
        form = self._form.judge(chunk, work, delivery, reports)
        if form.judgement is not Judgement.ACCEPT:
            return form
        nonce = msgspec.json.decode(delivery.report, type=Nonce).nonce
        found = zero_bits(chunk.params, nonce)
        said = f"proof of work: {found} zero bits, {self._bits} wanted"
        return accepted(said) if found >= self._bits else wrong(said)


def zero_bits(params: bytes, nonce: str) -> int:
    """How many zero bits the digest of a chunk's parameters and a nonce begins with."""
    return 256 - int.from_bytes(sha256(params + nonce.encode()).digest(), "big").bit_length()
