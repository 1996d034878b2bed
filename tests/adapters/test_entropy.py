from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from golem.adapters.entropy import POOL_BYTES, OsEntropy
from golem.interfaces import IEntropy
from golem.testing.keys import SeededEntropy


@pytest.mark.parametrize("entropy", [OsEntropy(), SeededEntropy("seed")], ids=["os", "seeded"])
def test_no_token_is_given_twice(entropy: IEntropy) -> None:
    verifyObject(IEntropy, entropy)
    tokens = [entropy.token(16) for _ in range(4 * POOL_BYTES // 16)]
    assert len(set(tokens)) == len(tokens) and {len(token) for token in tokens} == {16}


@pytest.mark.parametrize("size", [0, 1, 7, 32, 255, 256, 257, POOL_BYTES, 2 * POOL_BYTES])
def test_a_token_has_the_size_asked_for(size: int) -> None:
    assert len(OsEntropy().token(size)) == size and len(SeededEntropy("seed").token(size)) == size


def test_a_pool_read_by_odd_sizes_never_repeats_a_byte_string() -> None:
    entropy = OsEntropy()
    tokens = [entropy.token(100 + i % 3) for i in range(300)]
    assert len({token[:16] for token in tokens}) == 300


def test_a_seed_gives_the_same_stream_in_every_run() -> None:
    one, same, other = SeededEntropy("seed"), SeededEntropy("seed"), SeededEntropy("other")
    assert one.token(40) == same.token(40) != other.token(40)
    assert one.token(40) == same.token(40)


def test_two_processes_share_no_chance() -> None:
    assert OsEntropy().token(32) != OsEntropy().token(32)
