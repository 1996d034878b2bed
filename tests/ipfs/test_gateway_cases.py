"""The gateway's table of cases: what is asked, in query, path and headers, and what the answer is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon

from golem.ipfs.cid import Key, raw_key, to_text
from golem.ipfs.gateway import PROBE
from golem.ipfs.unixfs import File, decode
from tests.ipfs.test_gateway import MISSING, Site, _blocks, run

CAR = "application/vnd.ipld.car"
RAW = "application/vnd.ipld.raw"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    stopped = site.listener.stopListening()
    if stopped is not None:
        blockon(stopped)
    blockon(site.workers.stop())


def _chunks(site: Site) -> list[Key]:
    file = decode(site.held.read(site.file))
    assert isinstance(file, File)
    return [piece.key for piece in file.pieces]


@run
async def test_bytes_of_a_file_come_with_what_leads_to_them_and_nothing_else(site: Site) -> None:
    zeros, again, end = _chunks(site)
    assert zeros == again
    for span, leaves in {
        "0:10": [zeros],
        "0:*": [zeros, zeros, end],
        "1048576:1048576": [zeros],
        "2097151:2097152": [zeros, end],
        "-3:*": [end],
        "-4:-4": [zeros],
        "0:-4": [zeros, zeros],
        "5000000:5000001": [],
        "-9000000:0": [zeros],
    }.items():
        _, body = await site.ask(f"/ipfs/{to_text(site.file)}?format=car&dag-scope=entity&entity-bytes={span}")
        assert _blocks(body) == [site.file, *leaves], span
    _, body = await site.ask(f"/ipfs/{to_text(site.root)}?format=car&entity-bytes=0:3")
    assert _blocks(body) == [site.root]
    _, body = await site.ask(f"/ipfs/{to_text(site.leaf)}?format=car&entity-bytes=0:3")
    assert _blocks(body) == [site.leaf]


@run
async def test_blocks_come_as_often_as_they_occur_only_for_whoever_asks(site: Site) -> None:
    zeros, _, end = _chunks(site)
    path = f"/ipfs/{to_text(site.file)}"
    for query, headers in ((f"{path}?format=car&car-dups=y", {}), (path, {"accept": f"{CAR}; dups=y"})):
        response, body = await site.ask(query, headers=headers)
        assert _blocks(body) == [site.file, zeros, zeros, end]
        assert response.headers["content-type"].endswith("dups=y")
    assert _blocks((await site.ask(f"{path}?format=car"))[1]) == [site.file, zeros, end]


@run
async def test_a_path_is_followed_and_what_shows_the_way_is_sent_along(site: Site) -> None:
    path = f"/ipfs/{to_text(site.root)}"
    assert _blocks((await site.ask(f"{path}/small?format=car"))[1]) == [site.root, site.leaf]
    _, body = await site.ask(f"{path}/big?format=car&dag-scope=block")
    assert _blocks(body) == [site.root, site.file]
    for wrong in ("none", "small/deeper"):
        assert (await site.ask(f"{path}/{wrong}?format=car"))[0].status == 404
    for wrong in ("%2e%2e", "a%00b", "/".join("a" * 40)):
        assert (await site.ask(f"{path}/{wrong}?format=car"))[0].status == 400


@run
async def test_a_graph_comes_without_its_leaves_and_leaves_by_their_names(site: Site) -> None:
    path = f"/ipfs/{to_text(site.root)}?format=car&blocks="
    assert _blocks((await site.ask(f"{path}nodes"))[1]) == [site.root, site.file]
    named = [site.leaf, _chunks(site)[2]]
    response, body = await site.ask(path + ",".join(map(to_text, named)))
    assert _blocks(body) == named
    assert int(response.headers["content-length"]) == len(body)
    for many in (",".join([MISSING] * 257), "x", f"{MISSING},"):
        assert (await site.ask(path + many))[0].status == 400
    assert (await site.ask(path + MISSING))[0].status == 404


@run
async def test_a_part_of_a_block_is_served_and_one_past_its_end_is_not(site: Site) -> None:
    path = f"/ipfs/{to_text(site.leaf)}?format=raw"
    for asked, status, body, said in (
        ("bytes=0-4", 206, b"hello", "bytes 0-4/11"),
        ("bytes=6-", 206, b"world", "bytes 6-10/11"),
        ("bytes=-5", 206, b"world", "bytes 6-10/11"),
        ("bytes=6-99", 206, b"world", "bytes 6-10/11"),
        ("bytes=-99", 206, b"hello world", "bytes 0-10/11"),
        ("bytes=11-", 416, None, "bytes */11"),
        ("bytes=-", 200, b"hello world", None),
        ("lines=1-2", 200, b"hello world", None),
    ):
        response, got = await site.ask(path, headers={"range": asked})
        assert (response.status, response.headers["content-range"]) == (status, said), asked
        assert body in (None, got)


@run
async def test_every_way_to_ask_has_its_status(site: Site) -> None:
    leaf = f"/ipfs/{to_text(site.leaf)}"
    cases: list[tuple[str, dict[str, str], int]] = [
        (f"{leaf}", {"accept": RAW}, 200),
        (f"{leaf}", {"accept": f"text/html, {RAW};q=0.1"}, 200),
        (f"{leaf}", {"accept": "text/html"}, 406),
        (f"{leaf}", {"accept": "*/*"}, 400),
        (f"{leaf}?format=car&car-version=2", {}, 400),
        (f"{leaf}?format=car&car-order=unk", {}, 200),
        (f"{leaf}?format=car&car-order=bfs", {}, 400),
        (f"{leaf}?format=car&car-dups=maybe", {}, 400),
        (f"{leaf}?format=car", {"accept": f"{CAR}; version=2"}, 400),
        (f"{leaf}?format=car&entity-bytes=5", {}, 400),
        (f"{leaf}?format=car&entity-bytes=9:3", {}, 400),
        (f"{leaf}?format=car&entity-bytes=*:3", {}, 400),
        (f"/ipfs/{MISSING}?format=raw", {}, 404),
        (f"/ipfs/{MISSING}?format=raw", {"cache-control": "only-if-cached"}, 412),
        (f"{leaf}?format=raw", {"cache-control": "only-if-cached"}, 200),
        (f"{PROBE.decode()}?format=raw", {}, 200),
        (f"/ipfs/{to_text(raw_key(b'no'))}?format=car", {}, 404),
    ]
    for path, headers, status in cases:
        for method in ("GET", "HEAD"):
            assert (await site.ask(path, method, headers))[0].status == status, (path, headers)
