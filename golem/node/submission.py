"""What a user asks for, read from JSON: the edge at which a request becomes a value or is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from golem.errors import BadParameters
from golem.model.money import Wei
from golem.model.spec import Count, Limits, Name, Resource, TaskSpec, Tiers
from golem.model.value import Value

MAX_RESOURCES = 64  # files and folders of one task; a folder may hold thousands of files
TIERS = ("sandbox", "docker", "wasm", "host")  # and docker with another runtime, by its name: docker-runsc
MAX_PARAMS = 256  # a template has a dozen


class Submission(Value):
    """A task as the user put it. `params`: as text, for the template to parse. Paths are absolute.

    `budget`, `max_price`: as in TaskSpec; in JSON they are decimal strings of wei.
    """

    template: Name
    budget: Wei
    max_price: Wei
    output: str
    params: Annotated[dict[str, str], Meta(max_length=MAX_PARAMS)] = {}
    resources: Annotated[tuple[Resource, ...], Meta(max_length=MAX_RESOURCES)] = ()
    limits: Limits = Limits()
    deadline_ms: Count = 0
    max_attempts: Annotated[int, Meta(ge=1, le=100)] = 8
    tiers: Tiers = ()
    check_share: Annotated[float, Meta(ge=0, le=1)] = 0.0

    def spec(self, params: bytes) -> TaskSpec:
        """The task's description, with its parameters as the template parsed them."""
        return TaskSpec(
            template=self.template,
            params=params,
            budget=self.budget,
            max_price=self.max_price,
            output=self.output,
            limits=self.limits,
            deadline_ms=self.deadline_ms,
            max_attempts=self.max_attempts,
            tiers=self.tiers,
            check_share=self.check_share,
        )


def read_wei(kind: type, value: object) -> Wei:
    """Wei as JSON has them: a decimal string."""
    if kind is not Wei or not isinstance(value, str) or not value.isdecimal():
        raise ValueError("expected an amount of wei, as a decimal string")
    return Wei(int(value))


_decoder = msgspec.json.Decoder(Submission, dec_hook=read_wei)


def read(data: bytes) -> Submission:
    """Read a submission. Raises BadParameters, saying what does not fit and where."""
    try:
        submission = _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as why:
        raise BadParameters(f"the request does not fit: {why}") from why
    wrong = [f"{r.path}: no such file or folder" for r in submission.resources if not _exists(r.path)]
    if not Path(submission.output).is_absolute():
        wrong.append(f"output: {submission.output!r} is no absolute path")
    if len({r.name for r in submission.resources}) < len(submission.resources):
        wrong.append("resources: a name is used twice")
    for tier in submission.tiers:
        if tier not in TIERS and not tier.startswith("docker-"):
            wrong.append(f"tiers: there is no {tier!r}; there are: {', '.join(TIERS)}, docker-RUNTIME")
    if wrong:
        raise BadParameters("\n".join(wrong))
    return submission


def _exists(path: str) -> bool:
    return Path(path).is_absolute() and Path(path).exists()
