"""What a transfer had brought when the node was killed is checked and used; only the rest is asked for."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from golem.errors import StoreFault
from golem.ipfs import reader
from golem.ipfs.cid import is_raw
from tests.ipfs.sources import Source, World, honest, run
from tests.ipfs.test_sources import drips

CHUNKS = 12
FETCH = """
import sys
from pathlib import Path
from twisted.internet import reactor
from golem.ipfs.node import EmbeddedStore
from golem.ipfs.serving import Terms
from golem.net.tls import TlsCarrier
folder, cid, place, size = sys.argv[1:]
terms, carrier = Terms(64 << 20), TlsCarrier(reactor, reactor)
store = EmbeddedStore(reactor, Path(folder) / "store", Path(folder) / "staging", terms, carrier)
store.startService()
store.get(cid, [place], int(size), "o")
def look():
    store.survey().addCallback(lambda seen: print(sum(moving.received_bytes for moving in seen.incoming), flush=True))
    reactor.callLater(0.01, look)
look()
reactor.run()
"""


def _part(world: World) -> Path:
    (part,) = (world.folder / "store" / "packs").iterdir()
    return part


async def _stop_half_way(world: World) -> None:
    """Fetch until the first leaf is here, then stop the store."""
    source = world.source(drips)
    getting = world.get(source)
    while not any(moving.received_bytes > 1 << 20 for moving in (await world.store.survey()).incoming):
        await source.later(0.01)
    await world.store.stopService()
    with pytest.raises(StoreFault, match="closing"):
        await getting


@run
async def test_the_rest_is_asked_for_after_a_restart_and_no_leaf_twice(world: World) -> None:
    world.make_large(CHUNKS)
    await _stop_half_way(world)
    world.store.startService()
    source = world.source(honest)
    assert await world.get(source) == world.size
    assert len(source.leaves) < CHUNKS
    assert all(is_raw(key) for key in source.asked[0])  # the outline is here, too
    await world.store.materialise(world.cid, str(world.folder / "copy"))
    assert (world.folder / "copy").read_bytes() == (world.folder / "large").read_bytes()
    assert _part(world).name.isdecimal()


@run
async def test_what_was_whole_when_the_node_died_is_whole_and_nobody_is_asked(world: World) -> None:
    world.make_large(2)
    packs = world.folder / "store" / "packs"
    packs.mkdir(parents=True, exist_ok=True)
    blocks = reader.blocks(world.held.read, world.key)
    (packs / f"{world.cid}.part").write_bytes(b"".join(reader.car_parts(world.key, blocks)))
    assert await world.get() == world.size
    await world.store.materialise(world.cid, str(world.folder / "copy"))
    assert (world.folder / "copy").read_bytes() == (world.folder / "large").read_bytes()


@pytest.mark.parametrize("damage", ["torn", "wrong", "garbage"])
def test_what_is_torn_or_wrong_on_disk_is_fetched_again(world: World, damage: str) -> object:
    @run
    async def test(world: World) -> None:
        world.make_large(CHUNKS)
        await _stop_half_way(world)
        with _part(world).open("r+b") as part:
            if damage == "torn":
                part.truncate(_part(world).stat().st_size - 1000)
            else:
                part.seek(0 if damage == "garbage" else -1000, os.SEEK_SET if damage == "garbage" else os.SEEK_END)
                part.write(b"wrong" * 20)
        world.store.startService()
        assert await world.get(world.source(honest)) == world.size
        await world.store.materialise(world.cid, str(world.folder / "copy"))
        assert (world.folder / "copy").read_bytes() == (world.folder / "large").read_bytes()

    return test(world)


@run
async def test_a_part_that_nobody_goes_on_with_is_gone_when_room_is_needed_or_the_node_stops(world: World) -> None:
    world.make_large(CHUNKS)
    await _stop_half_way(world)
    world.store.startService()
    kept = _part(world)
    staged = world.folder / "staging"
    staged.mkdir()
    (staged / "big").write_bytes(bytes(63 << 20))
    await world.store.put(str(staged / "big"), "p")
    assert not kept.exists()
    await world.store.unpin("p")
    await _stop_half_way(world)
    assert kept.exists()
    world.store.startService()
    await world.store.stopService()
    world.store.startService()
    assert not kept.exists()


@run
async def test_a_node_that_is_killed_in_the_midst_asks_for_the_rest_alone(world: World) -> None:
    world.make_large(CHUNKS)
    await world.store.stopService()
    source: Source = world.source(drips)
    words = [sys.executable, "-c", FETCH, str(world.folder), world.cid, source.place, str(world.size)]
    with Popen(words, stdout=PIPE, cwd=Path.cwd(), env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}) as node:
        assert node.stdout is not None
        os.set_blocking(node.stdout.fileno(), False)
        seen = b""
        while not any(int(word or 0) > 1 << 20 for word in seen.split(b"\n")[:-1]):
            await source.later(0.02)
            seen += node.stdout.read() or b""
        node.send_signal(signal.SIGKILL)
    world.store.startService()
    other = world.source(honest)
    assert await world.get(other) == world.size
    assert len(other.leaves) < CHUNKS
