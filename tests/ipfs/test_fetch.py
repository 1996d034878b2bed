"""A source may lie, stall, break off or be gone: what comes in is right and whole, or nothing is kept."""

from __future__ import annotations

from itertools import pairwise

import pytest
from twisted.internet.defer import Deferred

from golem.errors import ContentMissing, ContentUnreadable, StoreFault, TooLarge
from golem.ipfs import body, dagpb, gateways
from golem.ipfs.cid import node_key, raw_key, to_text
from tests.ipfs.sources import (
    Answer,
    World,
    adds_a_block,
    breaks_off,
    breaks_off_once,
    flips_a_byte,
    has_nothing,
    honest,
    is_empty,
    redirects,
    run,
    says_nothing,
    sends_no_car,
    sends_one_block,
    stalls,
    swaps_blocks,
)

LIARS = [flips_a_byte, adds_a_block, swaps_blocks, sends_no_car, is_empty, has_nothing, redirects]


@pytest.mark.parametrize("liar", LIARS)
def test_from_a_source_that_lies_nothing_is_kept_and_the_next_one_helps(world: World, liar: Answer) -> Deferred[None]:
    async def test() -> None:
        bad, good = world.source(liar), world.source(honest)
        if liar is not adds_a_block:  # all that was wanted is here before it can lie
            with pytest.raises(ContentMissing, match=bad.place):
                await world.get(bad)
            assert await world.has_nothing()
        bad.asked.clear()
        assert await world.get(bad, good) == world.size
        assert len(bad.asked) == 1
        await world.store.materialise(world.cid, str(world.folder / "copy"))
        for path in (world.folder / "scene").iterdir():
            assert (world.folder / "copy" / path.name).read_bytes() == path.read_bytes()

    return Deferred.fromCoroutine(test())


@pytest.mark.parametrize(
    ("source", "lies"),
    [(flips_a_byte, 1), (sends_no_car, 1), (breaks_off_once, 0), (has_nothing, 0), (redirects, 0)],
)
def test_who_sends_wrong_bytes_is_accused_once_and_who_fails_is_not(
    world: World, source: Answer, lies: int
) -> Deferred[None]:
    async def test() -> None:
        bad, good, accused = world.source(source), world.source(honest), list[str]()
        await world.store.get(world.cid, [bad.place, good.place], world.size, "o", accused.append)
        assert accused == [bad.place] * lies

    return Deferred.fromCoroutine(test())


@run
async def test_a_source_that_breaks_off_is_asked_for_the_rest_and_no_block_twice(world: World) -> None:
    source = world.source(breaks_off)
    assert await world.get(source) == world.size
    runs = [set(asked) for asked in source.asked[1:]]
    assert len(runs) > 2
    assert all(later < earlier for earlier, later in pairwise(runs))


@run
async def test_what_one_source_gave_the_next_need_not(world: World) -> None:
    first, second = world.source(breaks_off_once), world.source(honest)
    assert await world.get(first, second) == world.size
    assert world.key not in second.asked
    assert first.asked[1:] == second.asked[:1]


@run
async def test_a_source_that_breaks_off_for_good_leaves_no_trace(world: World) -> None:
    with pytest.raises(ContentMissing, match="HTTP 404"):
        await world.get(world.source(breaks_off_once))
    assert await world.has_nothing()


@pytest.mark.parametrize("sluggard", [stalls, says_nothing])
def test_a_source_that_stalls_is_given_up(
    world: World, sluggard: Answer, monkeypatch: pytest.MonkeyPatch
) -> Deferred[None]:
    for module in (body, gateways):
        monkeypatch.setattr(module, "PATIENCE_S", 0.2)

    async def test() -> None:
        with pytest.raises(ContentMissing):
            await world.get(world.source(sluggard))
        assert await world.has_nothing()
        assert await world.get(world.source(sluggard), world.source(honest)) == world.size

    return Deferred.fromCoroutine(test())


@run
async def test_one_byte_more_than_agreed_ends_it_and_no_other_source_is_asked(world: World) -> None:
    first, second = world.source(honest), world.source(honest)
    with pytest.raises(TooLarge, match=str(world.size - 1)):
        await world.get(first, second, limit=world.size - 1)
    assert await world.has_nothing()
    assert second.asked == []


@run
async def test_content_past_the_quota_is_refused_and_leaves_no_trace(world: World) -> None:
    world.held.leaf(raw_key(b"short"), b"short")
    block = dagpb.encode([dagpb.Link(raw_key(b"short"), b"", 0)], dagpb.field(1, 2) + dagpb.field(4, 65 << 20))
    world.held.node(node_key(block), block)
    with pytest.raises(TooLarge, match="quota"):
        await world.get(world.source(honest), cid=to_text(node_key(block)), limit=1 << 40)
    assert await world.has_nothing()


@run
async def test_content_that_is_bad_whoever_sends_it_is_not_asked_for_again(world: World) -> None:
    block = dagpb.encode([], b"no UnixFS")
    world.held.node(node_key(block), block)
    first, second = world.source(sends_one_block), world.source(sends_one_block)
    with pytest.raises(ContentUnreadable):
        await world.get(first, second, cid=to_text(node_key(block)))
    assert (len(first.asked), second.asked) == (1, [])


@run
async def test_only_places_are_dialled(world: World) -> None:
    good = world.source(honest).place
    for place in (
        f"{good}/..",
        f"user@{good}",
        f"{good}#",
        "127.0.0.1",
        "http://127.0.0.1:80",
        "a b:1",
        f"{good}\r\nx: y",
    ):
        with pytest.raises(ContentMissing, match="not a place"):
            await world.store.get(world.cid, [place], world.size, "o")
    with pytest.raises(ContentMissing, match="no answer"):
        await world.store.get(world.cid, ["127.0.0.1:1"], world.size, "o")
    assert world.sources[0].asked == []


@run
async def test_those_who_want_the_same_share_one_transfer_and_need_not_share_its_failure(world: World) -> None:
    source = world.source(honest)
    tight = world.store.get(world.cid, [source.place], 10, "tight")
    await source.reached
    gets = [world.store.get(world.cid, [source.place], world.size, f"o{number}") for number in range(5)]
    with pytest.raises(TooLarge):
        await tight
    assert [await get for get in gets] == [world.size] * 5
    assert len(source.asked) == 3  # the first had one


@run
async def test_what_was_let_go_of_while_it_came_is_not_kept(world: World) -> None:
    getting = world.get(world.source(honest))
    await world.store.unpin("o")
    with pytest.raises(StoreFault):
        await getting
    assert await world.has_nothing()


@pytest.mark.parametrize("sluggard", [stalls, says_nothing])
def test_a_store_that_stops_ends_what_is_under_way_and_leaves_no_trace(
    world: World, sluggard: Answer
) -> Deferred[None]:
    async def test() -> None:
        source = world.source(sluggard)
        getting = world.get(source)
        await source.reached
        await world.store.stopService()
        with pytest.raises(StoreFault, match="closing"):
            await getting
        world.store.startService()
        assert await world.has_nothing()

    return Deferred.fromCoroutine(test())
