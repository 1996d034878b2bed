"""Draws follow their chances, and can be repeated."""

from __future__ import annotations

from collections import Counter

from golem.model.drawing import happens, one_of, some

SALTS = [bytes([high, low]) for high in range(40) for low in range(250)]


def test_what_happens_follows_its_chance_and_can_be_repeated() -> None:
    found = [happens(0.2, salt, "s") for salt in SALTS]
    assert 1_850 < sum(found) < 2_150
    assert found == [happens(0.2, salt, "s") for salt in SALTS] != [happens(0.2, salt, "t") for salt in SALTS]
    assert all(happens(1.0, salt) for salt in SALTS) and not any(happens(0.0, salt) for salt in SALTS)


def test_each_one_is_as_likely() -> None:
    assert all(3_000 < count < 3_700 for count in Counter(one_of(3, salt) for salt in SALTS).values())


def test_some_are_ascending_each_once_and_every_set_is_as_likely() -> None:
    sets = Counter(tuple(some(4, 2, salt)) for salt in SALTS)
    assert len(sets) == 6 and all(1_450 < count < 1_900 for count in sets.values())
    assert all(one < other for one, other in sets)
    assert some(3, 9, b"") == [0, 1, 2] and some(0, 2, b"") == []
