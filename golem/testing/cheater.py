"""A provider that cheats: a production node whose executor does less, or other, than it was told.

`python -m golem.testing.cheater KIND --folder DIR` runs one. Kinds: `samples` renders with half of the samples or
steps, `seed` under another seed, `answer` makes up what jobs report, `half` the second half of a list that they report.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from twisted.internet.defer import Deferred
from zope.interface import implementer

from golem.errors import ConfigError
from golem.interfaces import IExecutor, Room
from golem.model.spec import Capability, Job, Outcome
from golem.model.value import evolve
from golem.twistd import run

WORK = ("samples", "iterations")  # what parameters call how much is to be done

Lie = Callable[[Job, Outcome], Outcome]


def _with(job: Job, **changes: object) -> Job:
    params = json.loads(job.params)
    known = {name: value for name, value in changes.items() if name in params}
    return evolve(job, params=json.dumps({**params, **known}).encode())


def fewer_samples(job: Job) -> Job:
    """Half the work for the whole price."""
    return evolve(job, params=json.dumps(_less(json.loads(job.params))).encode())


def _less(params: dict[str, object]) -> dict[str, object]:
    return {name: _halved(name, value) for name, value in params.items()}


def _halved(name: str, value: object) -> object:
    if isinstance(value, dict):
        return _less(value)
    return max(1, value // 2) if name in WORK and isinstance(value, int) else value


def other_seed(job: Job) -> Job:
    """A picture that anybody may have rendered."""
    return _with(job, seed=1)


TASKS: dict[str, Callable[[Job], Job]] = {"samples": fewer_samples, "seed": other_seed}


def half(outcome: Outcome) -> Outcome:
    """Of a list, the second half is made up."""
    found = json.loads(outcome.report)
    if isinstance(found, list):
        found[len(found) // 2 :] = [0] * (len(found) - len(found) // 2)
    return evolve(outcome, report=json.dumps(found).encode())


ANSWERS: dict[str, Callable[[Outcome], Outcome]] = {
    "half": half,
    "answer": lambda outcome: evolve(outcome, report=b'{"echo":"' + b"0" * 64 + b'"}'),
}
KINDS = (*TASKS, *ANSWERS)


@implementer(IExecutor)
class LyingExecutor:
    """Runs another job than it is told, or tells another outcome, whenever it `lies`."""

    def __init__(self, honest: IExecutor, kind: str, lies: Callable[[], bool] = lambda: True) -> None:
        self.tier = honest.tier
        self._honest = honest
        self._lies = lies
        self._change = TASKS.get(kind, lambda job: job)
        self._say: Callable[[Outcome], Outcome] = ANSWERS.get(kind, lambda outcome: outcome)

    def probe(self) -> Deferred[Capability]:
        """Nothing to lie about."""
        return Deferred.fromCoroutine(self._probe())

    async def _probe(self) -> Capability:
        return await self._honest.probe()

    def run(self, job: Job, room: Room) -> Deferred[Outcome]:
        """Cheat."""
        return Deferred.fromCoroutine(self._run(job, room))

    async def _run(self, job: Job, room: Room) -> Outcome:
        if not self._lies():
            return await self._honest.run(job, room)
        return self._say(await self._honest.run(self._change(job), room))

    def stop(self, job_id: str) -> Deferred[None]:
        """End a job."""
        return Deferred.fromCoroutine(self._stop(job_id))

    async def _stop(self, job_id: str) -> None:
        await self._honest.stop(job_id)

    def close(self) -> Deferred[None]:
        """End all jobs."""
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        await self._honest.close()


def main(arguments: list[str]) -> None:
    """Run a cheating node in the foreground."""
    if len(arguments) != 3 or arguments[0] not in KINDS or arguments[1] != "--folder":
        raise ConfigError(f"usage: python -m golem.testing.cheater {{{','.join(KINDS)}}} --folder DIR")
    run(arguments[2], {}, sys.stderr, lambda _: None, lambda honest: LyingExecutor(honest, arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
