"""What is small travels in the message that names it, once to each peer, and never enters the core."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from golem.model.messages import Assignment, Cancellation, Delivery, Message
from golem.model.spec import Input
from golem.model.value import evolve
from golem.node import porter
from golem.node.porter import Porter
from golem.testing.keys import FixedKeyring
from golem.testing.samples import JOB, messages
from golem.testing.store import MemoryResourceStore, MemoryWorld

ALICE, BOB = FixedKeyring("alice").node_id, FixedKeyring("bob").node_id


@pytest.fixture
def stores() -> tuple[MemoryResourceStore, MemoryResourceStore]:
    world = MemoryWorld(Clock())
    return MemoryResourceStore(world, "near:1"), MemoryResourceStore(world, "far:1")


def sample(kind: type[Message]) -> Message:
    return next(message for message in messages() if type(message) is kind)


def put(store: MemoryResourceStore, path: Path, data: bytes) -> Input:
    path.write_bytes(data)
    content = store.put(str(path), "o").result  # type: ignore[attr-defined]  # it fired at once
    return Input(name="input", cid=content.cid, size_bytes=content.size_bytes)


def assigned(*inputs: Input) -> Message:
    return evolve(sample(Assignment), job=evolve(JOB, inputs=inputs), along=b"")


def test_inputs_go_along_with_the_first_assignment_of_each_peer_and_of_each_session(
    stores: tuple[MemoryResourceStore, MemoryResourceStore], tmp_path: Path
) -> None:
    us = Porter(stores[0].parcels)
    message = assigned(put(stores[0], tmp_path / "a", b"hello world"))
    loads = [us.load(to, message) for to in (BOB, BOB, ALICE)]
    us.meet(BOB)
    loads += [us.load(to, message) for to in (BOB, ALICE)]
    assert [load != message for load in loads] == [True, False, True, True, False]


def test_what_went_along_is_there_for_whoever_wants_it_and_the_core_hears_the_message_without_it(
    stores: tuple[MemoryResourceStore, MemoryResourceStore], tmp_path: Path
) -> None:
    near, far = stores
    result = put(far, tmp_path / "a", b"hello world")
    delivery = evolve(sample(Delivery), result=result.cid, along=b"")
    travels = Porter(far.parcels).load(ALICE, delivery)
    assert travels != delivery
    assert Porter(near.parcels).unload(BOB, travels) == delivery
    assert near.get(result.cid, [], 11, "o").result == 11  # type: ignore[attr-defined]  # no source was asked


def test_messages_that_name_nothing_small_travel_as_they_are(
    stores: tuple[MemoryResourceStore, MemoryResourceStore], tmp_path: Path
) -> None:
    us = Porter(stores[0].parcels)
    large = put(stores[0], tmp_path / "a", os.urandom(1 << 20))
    for message in (
        assigned(large),
        assigned(),
        evolve(sample(Delivery), result="", along=b""),
        sample(Cancellation),
    ):
        assert us.load(BOB, message) is message
        assert us.unload(BOB, message) is message


def test_wrong_bytes_that_came_along_are_left_out(stores: tuple[MemoryResourceStore, MemoryResourceStore]) -> None:
    message = assigned()
    assert Porter(stores[0].parcels).unload(BOB, evolve(message, along=b"\xff" * 100)) == message


def test_who_was_given_what_is_remembered_within_bounds(
    stores: tuple[MemoryResourceStore, MemoryResourceStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(porter, "MAX_GIVEN", 2)
    us = Porter(stores[0].parcels)
    sent = [assigned(put(stores[0], tmp_path / "a", data)) for data in (b"1", b"2", b"3")]
    assert [us.load(BOB, message) != message for message in (*sent, sent[2], sent[0])] == [True] * 3 + [False, True]
