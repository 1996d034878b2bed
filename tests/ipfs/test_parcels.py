"""Small content inside messages: bounded, checked, and forgotten in time."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.errors import ContentMismatch
from golem.ipfs import car
from golem.ipfs.cid import Key, raw_key, to_text
from golem.ipfs.importer import import_chunks
from golem.ipfs.intake import Intake
from golem.ipfs.parcels import ENTRY_BYTES, MAX_KEPT_BYTES, Parcels, Recent
from golem.model.messages import MAX_ALONG_BYTES
from golem.testing.store import Held


def made(*chunks: bytes) -> tuple[Key, Held]:
    held = Held()
    return import_chunks(chunks, held).key, held


@given(st.lists(st.binary(min_size=1, max_size=9_000), min_size=1, max_size=6))
def test_what_goes_along_fits_in_the_message_and_leads_from_the_root(chunks: list[bytes]) -> None:
    key, held = made(*chunks)
    there, here = Parcels(), Parcels()
    there.note(to_text(key), Parcels.first(held.read, key))
    along = there.pack([to_text(key)])
    assert len(along) <= MAX_ALONG_BYTES
    here.unpack(along)
    intake = Intake(key, 1 << 20, Held())
    here.give(intake)
    assert key not in intake.missing()
    assert intake.is_complete or sum(map(len, chunks)) > MAX_ALONG_BYTES // 2


def test_several_contents_share_the_room_and_what_does_not_fit_stays() -> None:
    parcels = Parcels()
    keys = []
    for size in (9_000, 8_000, 7_000):
        key, held = made(os.urandom(size))
        parcels.note(to_text(key), Parcels.first(held.read, key))
        keys.append(key)
    found = [key for key, _ in car.CarReader().feed([parcels.pack([to_text(key) for key in keys])])]
    assert found == [keys[0], keys[2]]


def test_of_a_parcel_with_one_wrong_block_the_blocks_before_it_stay() -> None:
    right, wrong = b"right", b"wrong"
    parcels = Parcels()
    with pytest.raises(ContentMismatch):
        parcels.unpack(
            car.header(raw_key(right)) + car.section(raw_key(right), right) + car.section(raw_key(right), wrong)
        )
    intake = Intake(raw_key(right), 5, Held())
    parcels.give(intake)
    assert intake.is_complete


def test_the_oldest_give_way() -> None:
    recent: Recent[int] = Recent()
    half = bytes(MAX_KEPT_BYTES // 2 - ENTRY_BYTES)
    for key in (1, 2, 1, 3):
        recent.note(key, half)
    assert list(recent) == [1, 3]
    recent.note(4, b"")
    assert list(recent) == [3, 4], "an entry costs something by itself"
