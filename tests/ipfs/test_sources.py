"""Content comes from several sources at once; one that is bad, slow or gone costs little, and none is waited for."""

from __future__ import annotations

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import deferLater
from twisted.web.server import NOT_DONE_YET, Request

from golem.errors import ContentMissing, StoreFault, TooLarge
from golem.ipfs import car, fetch, reader, runs
from golem.ipfs.cid import Key
from golem.model.content import Incoming
from tests.ipfs.sources import (
    Source,
    World,
    flips_a_byte,
    has_nothing,
    honest,
    run,
    says_nothing,
    stalls,
)


def _is_outline(request: Request) -> bool:
    return (request.args or {})[b"blocks"] == [b"nodes"]


def lies_about_leaves(source: Source, request: Request, key: Key) -> bytes:
    return (honest if _is_outline(request) else flips_a_byte)(source, request, key)


def drips(source: Source, request: Request, key: Key) -> bytes | int:
    """One leaf, and then nothing for a long time."""
    if _is_outline(request):
        return honest(source, request, key)
    request.write(car.header(key) + source.sections(request, key)[0])
    return NOT_DONE_YET


def knows_no_blocks(source: Source, request: Request, key: Key) -> bytes:
    """What a gateway does that ignores what it does not know: sends all there is."""
    return car.header(key) + b"".join(car.section(*found) for found in reader.blocks(source.held.read, key))


def repeats(source: Source, request: Request, key: Key) -> bytes:
    return honest(source, request, key) + b"".join(source.sections(request, key)) * 20


@run
async def test_every_source_brings_a_part_and_no_leaf_is_asked_for_twice(world: World) -> None:
    runs.SPLIT_S, usual = 60.0, runs.SPLIT_S
    world.make_large()
    sources = [world.source(honest) for _ in range(3)]
    try:
        assert await world.get(*sources) == world.size
    finally:
        runs.SPLIT_S = usual
    leaves = [key for source in sources for key in source.leaves]
    assert len(leaves) == len(set(leaves)) == 40
    assert all(source.leaves for source in sources)
    assert sources[0].asked[0] == [world.key]  # the outline, from the first alone
    await world.store.materialise(world.cid, str(world.folder / "copy"))
    assert (world.folder / "copy").read_bytes() == (world.folder / "large").read_bytes()


@run
async def test_no_leaf_is_asked_for_before_all_sizes_are_known_to_be_within_what_was_agreed(world: World) -> None:
    sources = [world.source(honest) for _ in range(2)]
    with pytest.raises(TooLarge):
        await world.get(*sources, limit=world.size - 1)
    assert [source.leaves for source in sources] == [[], []]
    world.make_large()
    with pytest.raises(TooLarge):
        await world.get(*sources, limit=world.size - 1)
    assert [source.leaves for source in sources] == [[], []]


@run
async def test_one_of_three_that_sends_a_bad_block_is_dropped_at_once(world: World) -> None:
    world.make_large()
    bad, *good = (world.source(answer) for answer in (lies_about_leaves, honest, honest))
    assert await world.get(bad, *good) == world.size
    assert len(bad.asked) == 2
    await world.store.unpin("o")
    with pytest.raises(ContentMissing, match=f"{bad.place}: a block is not what"):
        await world.get(bad)


@run
async def test_what_a_slow_source_has_not_sent_is_had_from_others(world: World) -> None:
    world.make_large()
    usual, fetch.SPLIT_S, runs.SPLIT_S = runs.SPLIT_S, 0.05, 0.05
    try:
        for slow in (drips, says_nothing):
            others = [world.source(honest), world.source(slow), world.source(honest)]
            assert await world.get(*others) == world.size
            await world.store.unpin("o")
    finally:
        fetch.SPLIT_S = runs.SPLIT_S = usual


@run
async def test_a_source_without_it_and_one_that_is_gone_cost_nothing(world: World) -> None:
    world.make_large()
    gone = world.source(honest)
    await gone.listener.stopListening()
    assert await world.get(world.source(honest), world.source(has_nothing), gone) == world.size


@run
async def test_a_gateway_that_sends_all_there_is_will_do(world: World) -> None:
    source = world.source(knows_no_blocks)
    assert await world.get(source) == world.size
    assert len(source.asked) == 1


@run
async def test_a_source_that_sends_the_same_again_and_again_is_dropped(world: World) -> None:
    bad = world.source(repeats)
    world.make_large(2)
    with pytest.raises(ContentMissing, match="again and again"):
        await world.get(bad)


@pytest.mark.parametrize("ends", ["cancel", "unpin"])
@pytest.mark.parametrize("sluggard", [stalls, says_nothing, drips])
def test_a_transfer_that_is_not_wanted_any_more_is_hung_up_at_once(
    world: World,
    ends: str,
    sluggard: object,
) -> Deferred[None]:
    async def test() -> None:
        source = world.source(sluggard)  # type: ignore[arg-type]  # one of the answers above
        getting = world.get(source)
        await source.reached
        if ends == "cancel":
            getting.cancel()
        else:
            await world.store.unpin("o")
        assert isinstance(reactor, PosixReactorBase)
        getting.addTimeout(2, reactor)
        with pytest.raises(StoreFault, match="not kept"):
            await getting
        assert await world.has_nothing()

    return Deferred.fromCoroutine(test())


@run
async def test_who_still_wants_it_has_it_when_the_other_lets_go(world: World) -> None:
    first = world.source(says_nothing)
    theirs = world.get(first)
    await first.reached  # theirs is the transfer, and ours waits for it
    ours = world.store.get(world.cid, [world.source(honest).place], world.size, "p")
    await world.store.unpin("o")
    with pytest.raises(StoreFault, match="not kept"):
        await theirs
    assert await ours == world.size


@run
async def test_how_far_a_transfer_is_can_be_seen(world: World) -> None:
    world.make_large()
    getting = world.get(world.source(drips))
    seen: tuple[Incoming, ...] = ()
    for _ in range(200):
        assert isinstance(reactor, PosixReactorBase)
        seen = (await world.store.survey()).incoming
        if seen and seen[0].received_bytes:
            break
        await deferLater(reactor, 0.01, lambda: None)
    assert (seen[0].cid, seen[0].size_bytes) == (world.cid, world.size)
    assert 0 < seen[0].received_bytes < world.size
    await world.store.unpin("o")
    with pytest.raises(StoreFault):
        await getting
    assert not (await world.store.survey()).incoming
