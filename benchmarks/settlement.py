"""What paying takes: from a due to its block, what stalls the reactor meanwhile, and memory of a process that pays.

`due_to_mined_s`: from freezing a batch of 50 payees to the block it is in, median of five, on the development chain
in a process of its own with a block every 250 ms. `stall_ms`: the longest that a timer of the paying process came late
after web3 was imported and connected. `rss_mib`: of that process, which holds EthereumChain and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import LoopingCall, react

from benchmarks.figures import arguments, show
from golem.adapters.ethereum import EthereumChain, EthereumSettings
from golem.model.chain import Batch, Word
from golem.model.ids import Address, BatchId, derive
from golem.model.money import Wei
from golem.testing.keys import FixedKeyring

BLOCK_S, POLL_MS, TICK_S = 0.25, 100, 0.005
PAYEES, ROUNDS = 50, 5
ETHER = 10**18
ALICE = FixedKeyring("alice")


@contextmanager
def chain_process() -> Iterator[dict[str, str]]:
    """A development chain on which Alice has ten ether."""
    command = [sys.executable, "-m", "golem.adapters.devchain", "--port", "0", "--block", str(BLOCK_S)]
    process = subprocess.Popen([*command, "--fund", f"{ALICE.account}=10"], stdout=subprocess.PIPE)
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


class Stalls:
    """The longest that a timer came late."""

    def __init__(self, clock: PosixReactorBase) -> None:
        self.longest_s = 0.0
        self._clock = clock
        self._last = clock.seconds()
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = clock

    def begin(self) -> None:
        """From now on."""
        self._last = self._clock.seconds()
        self._ticks.start(TICK_S, now=False)

    def _tick(self) -> None:
        now = self._clock.seconds()
        self.longest_s = max(self.longest_s, now - self._last - TICK_S)
        self._last = now


async def pay(clock: PosixReactorBase, place: dict[str, str], folder: str) -> None:
    """Pay the same fifty in five batches."""
    settings = EthereumSettings(
        rpc=place["rpc"],
        contract=Address(place["contract"]),
        chain_id=1337,
        folder=folder,
        confirmations=0,
        poll_ms=POLL_MS,
    )
    chain, stalls, took = EthereumChain(clock, ALICE, settings), Stalls(clock), []
    await chain.deposit("bench", Wei(ETHER))
    stalls.begin()
    for number in range(1, ROUNDS + 1):
        words = tuple(
            Word(payee=Address("0x" + derive("payee", n) + "00000000"), cumulative=Wei(number * 10**12))
            for n in range(PAYEES)
        )
        begun = clock.seconds()
        await chain.pay(Batch(batch_id=BatchId(derive("bench", number)), words=words))
        took.append(clock.seconds() - begun)
    show(due_to_mined_s=round(median(took), 3), stall_ms=round(stalls.longest_s * 1000, 1), rss_mib=_rss_mib())


def _rss_mib() -> float:
    pages = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return round(int(pages.split()[1]) / 1024, 1)


def main(clock: PosixReactorBase) -> Deferred[None]:
    """Measure, and print."""
    return Deferred.fromCoroutine(_main(clock))


async def _main(clock: PosixReactorBase) -> None:
    with chain_process() as place, tempfile.TemporaryDirectory() as folder:
        await pay(clock, place, folder)


if __name__ == "__main__":
    arguments(__doc__ or "")
    react(main, [])
