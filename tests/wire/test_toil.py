"""What it costs to be somebody."""

from __future__ import annotations

from itertools import count

import pytest

from golem.errors import Cheap
from golem.testing.keys import FixedKeyring
from golem.wire import toil

NODES = [FixedKeyring(str(number)).node_id for number in range(400)]


@pytest.mark.parametrize(
    ("network", "bits"),
    [("open.16bits", 16), ("a.b.8bits", 8), ("devnet", 0), ("16bits", 0), ("open.16bits2", 0), ("open.100bits", 0)],
)
def test_a_networks_name_says_what_it_asks_for(network: str, bits: int) -> None:
    assert toil.asked(network) == bits


def test_each_bit_more_is_shown_by_half_as_many() -> None:
    shown = [toil.shown(node) for node in NODES]
    assert min(shown) == 0 and max(shown) < 20
    for bits in range(1, 5):
        assert 0.5 < sum(s >= bits for s in shown) / len(NODES) * 2**bits < 2


def test_who_shows_enough_is_somebody_and_nobody_else() -> None:
    earned = next(node for node in map(lambda n: FixedKeyring(str(n)).node_id, count()) if toil.shown(node) == 8)
    toil.check("open.8bits", earned)
    toil.check("open", NODES[0])
    with pytest.raises(Cheap, match=r"shows 8 bits of toil; network 'open.9bits' asks for 9"):
        toil.check("open.9bits", earned)
