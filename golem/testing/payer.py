"""`python -m golem.testing.payer RPC CONTRACT FOLDER BATCHES`: a payer to be killed at any time, and begun again.

BATCHES is JSON: a list of batches, each by payee the total owed by then. It pays them in order, always from the first:
what it had paid before it pays again, which pays nothing. It prints "ready" before the first, "done" after the last.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import react

from golem.adapters.ethereum import EthereumChain, EthereumSettings
from golem.errors import ChainFault
from golem.model.chain import Batch, Word
from golem.model.ids import Address, BatchId, derive
from golem.model.money import Wei
from golem.testing.keys import FixedKeyring

CHAIN_ID = 1337
POLL_MS = 20
DEPOSIT = Wei(10**18)


def batch(totals: Mapping[str, int]) -> Batch:
    """What is owed by now; its name follows from it."""
    words = tuple(Word(payee=Address(payee), cumulative=Wei(total)) for payee, total in totals.items())
    return Batch(batch_id=BatchId(derive("payer", json.dumps(totals))), words=words)


async def _insist(chain: EthereumChain, batches: Sequence[Mapping[str, int]]) -> None:
    todo = [batch(totals) for totals in batches]
    await chain.deposit("payer", DEPOSIT)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while todo:
        try:
            await chain.pay(todo[0])
        except ChainFault as why:
            sys.stderr.write(f"{why}\n")
        else:
            del todo[0]
    chain.close()
    sys.stdout.write("done\n")


def _run(clock: PosixReactorBase, rpc: str, contract: str, folder: str, batches: str) -> Deferred[None]:
    settings = EthereumSettings(rpc=rpc, contract=Address(contract), chain_id=CHAIN_ID, folder=folder, poll_ms=POLL_MS)
    chain = EthereumChain(clock, FixedKeyring("alice"), settings)
    return Deferred.fromCoroutine(_insist(chain, json.loads(batches)))


if __name__ == "__main__":
    react(_run, sys.argv[1:], reactor)
