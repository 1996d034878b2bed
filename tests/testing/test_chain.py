"""A chain in memory whose nodes can lie: what production asks of a second one is what finds it out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from golem.adapters.ethereum.witness import STALE_S
from golem.errors import ChainLies
from golem.model.chain import Batch, Word
from golem.model.ids import Address, BatchId, derive
from golem.model.money import Wei
from golem.testing.chain import MemoryChain, MemoryLedger
from golem.testing.endpoint import About

ALICE, BOB = (Address("0x" + letter * 40) for letter in "ab")
WALLET = 10**18


class Town:
    """Alice, who has paid bob 70 wei."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ledger = MemoryLedger(self.clock)
        self.alice, self.bob = (MemoryChain(self.ledger, account, WALLET) for account in (ALICE, BOB))
        self.wait(self.alice.deposit("first", Wei(1000)))
        self.pay(70)

    def pay(self, total: int) -> object:
        """Have alice pay so much in all."""
        batch = Batch(batch_id=BatchId(derive("batch", total)), words=(Word(payee=BOB, cumulative=Wei(total)),))
        return self.wait(self.alice.pay(batch))

    def wait(self, asked: Awaitable[object]) -> object:
        """Its answer. Raises what it raises."""
        assert isinstance(asked, Deferred)
        answers: list[object] = []
        asked.addBoth(answers.append)
        self.clock.pump([0.5] * 10)
        (answer,) = answers
        return answer.raiseException() if hasattr(answer, "raiseException") else answer


LOOKS: dict[str, Callable[[Town], object]] = {
    "bob looks": lambda town: town.wait(town.bob.observe([ALICE])),
    "alice looks": lambda town: town.wait(town.alice.observe([], [BOB])),
    "alice pays": lambda town: town.pay(100),
}


@pytest.mark.parametrize(
    ("about", "where"),
    [
        (About.BALANCE, "bob looks"),
        (About.INCOME, "bob looks"),
        (About.HIDDEN, "bob looks"),
        (About.FORK, "bob looks"),
        (About.GIVEN, "alice looks"),
        (About.FORK, "alice pays"),
        (About.RECEIPT, "alice pays"),
    ],
)
def test_a_lie_is_found_out_and_moves_no_money(about: About, where: str) -> None:
    town = Town()
    town.alice.node.lie = town.bob.node.lie = about
    with pytest.raises(ChainLies, match=r"payment\.witness"):
        LOOKS[where](town)
    assert town.ledger.paid == {(ALICE, BOB): 70}
    town.alice.node.lie = town.bob.node.lie = None
    for look in LOOKS.values():
        look(town)
    assert town.ledger.paid == {(ALICE, BOB): 100}


def test_what_is_behind_is_believed_for_ten_minutes() -> None:
    town = Town()
    town.bob.node.past = town.ledger.stand_still()
    town.pay(100)
    seen = town.wait(town.bob.observe([ALICE]))
    assert seen.paid == {ALICE: 70}  # type: ignore[attr-defined]  # a Sighting
    town.clock.advance(STALE_S)
    with pytest.raises(ChainLies, match="no new block"):
        town.wait(town.bob.observe([ALICE]))
