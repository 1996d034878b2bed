"""Who has paid us, asked of Ethereum nodes that answer for few blocks at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import pytest
from twisted.internet.defer import Deferred

from golem.adapters.ethereum.client import Client
from golem.adapters.ethereum.link import Link
from golem.adapters.ethereum.lookout import AT_ONCE, payers_since
from golem.errors import NodeFault
from golem.model.ids import Address

ME, ALICE, BOB = (Address("0x" + digit * 40) for digit in "123")
PAID = {7: ALICE, 25_000: BOB, 30_000: ALICE}
HEAD = 30_000


class Stingy:
    """A link to a node that answers for `most` blocks at once. `asked`: the ranges that it was asked for."""

    def __init__(self, most: int) -> None:
        self.asked: list[tuple[int, int]] = []
        self._most = most

    async def ask(self, question: Callable[..., object], *args: object) -> object:
        if question is Client.height:
            return HEAD
        _, first, last = cast(tuple[Address, int, int], args)
        self.asked.append((first, last))
        if last - first >= self._most:
            raise NodeFault("query exceeds max block range")
        return {payer for block, payer in PAID.items() if first <= block <= last}


def found(link: Stingy, since: int = 0) -> Sequence[Address]:
    answers: list[Sequence[Address]] = []
    failures: list[Exception] = []
    asked = Deferred.fromCoroutine(payers_since(cast(Link, link), ME, since))
    asked.addCallbacks(answers.append, lambda failure: failures.append(failure.value))
    for failure in failures:
        raise failure
    return answers[0]


@pytest.mark.parametrize("most", [AT_ONCE, 2_000, 1_000])
def test_a_node_that_answers_for_few_blocks_is_asked_more_often_and_for_each_block_once(most: int) -> None:
    link = Stingy(most)
    assert found(link) == [ALICE, BOB]
    answered = [(first, last) for first, last in link.asked if last - first < most]
    assert [first for first, _ in answered] == [0, *(last + 1 for _, last in answered[:-1])]
    assert answered[-1][1] == HEAD


def test_it_looks_at_no_block_before_the_one_that_it_is_told() -> None:
    link = Stingy(AT_ONCE)
    assert found(link, since=20_000) == [ALICE, BOB]
    assert found(link, since=HEAD + 1) == []
    assert min(first for first, _ in link.asked) == 20_000


def test_a_node_that_answers_for_no_block_at_all_is_given_up() -> None:
    link = Stingy(0)
    with pytest.raises(NodeFault, match="block range"):
        found(link)
    assert len(link.asked) < 20
