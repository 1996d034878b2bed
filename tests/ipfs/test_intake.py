"""What arrives is taken block by block, only the one that is wanted, and only within what was agreed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.errors import ContentMismatch, ContentUnreadable, TooLarge
from golem.ipfs import dagpb, hamt, reader, unixfs
from golem.ipfs.cid import MAX_BLOCK_BYTES, Key, node_key, raw_key
from golem.ipfs.dagpb import Link
from golem.ipfs.importer import import_chunks
from golem.ipfs.intake import MAX_NODES_BYTES, Intake
from golem.testing.store import Held


class Graph(Held):
    """Blocks made by hand."""

    def file(self, data: bytes) -> Key:
        key = raw_key(data)
        self.leaf(key, data)
        return key

    def parts(self, *parts: tuple[Key, int]) -> Key:
        block = unixfs.encode_file([Link(key, b"", 0) for key, _ in parts], [size for _, size in parts])
        self.node(node_key(block), block)
        return node_key(block)

    def folder(self, **entries: Key) -> Key:
        block = unixfs.encode_folder([Link(key, name.encode(), 0) for name, key in entries.items()])
        self.node(node_key(block), block)
        return node_key(block)

    def shards(self, *names: str) -> tuple[Key, dict[Key, bytes]]:
        """A sharded folder of empty files, and its shards below the root."""
        below: dict[Key, bytes] = {}

        def made(block: bytes) -> Key:
            self.node(node_key(block), block)
            return below.setdefault(node_key(block), block) and node_key(block)

        file = self.file(b"")
        return made(hamt.encode([Link(file, name.encode(), 0) for name in names], made)[0]), below

    def pour(self, root: Key, limit: int = 1 << 40) -> Intake:
        """Send the graph as an honest gateway does."""
        intake = Intake(root, limit, Held())
        for key, block in reader.blocks(self.read, root):
            intake.take(key, block)
        assert intake.is_complete
        return intake


def test_every_file_counts_as_often_as_it_occurs() -> None:
    graph = Graph()
    twice = graph.folder(a=graph.file(b"12345"), b=graph.file(b"12345"))
    assert graph.pour(graph.folder(x=twice, y=twice, z=graph.file(b"1")), limit=21).size == 21
    with pytest.raises(TooLarge):
        graph.pour(graph.folder(x=twice, y=twice, z=graph.file(b"1")), limit=20)


@given(st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=30))
def test_a_file_of_any_chunks_has_the_size_of_all(chunks: list[bytes]) -> None:
    graph = Graph()
    root = import_chunks(chunks, graph)
    assert graph.pour(root.key, limit=root.size).size == root.size == sum(map(len, chunks))


def test_a_file_past_the_limit_is_refused_before_any_of_its_bytes_come() -> None:
    graph = Graph()
    root = graph.parts((graph.file(b"12345"), 5), (graph.file(b"678"), 3))
    intake = Intake(root, 7, Held())
    with pytest.raises(TooLarge):
        intake.take(root, graph.read(root))


def test_only_what_something_here_links_to_is_taken_in_any_order_and_once() -> None:
    graph = Graph()
    first, second = graph.file(b"first"), graph.file(b"second")
    root = graph.folder(a=first, b=second)
    intake = Intake(root, 100, Held())
    for early in (first, second):
        with pytest.raises(ContentMismatch, match="nobody asked"):
            intake.take(early, graph.read(early))
    assert intake.take(root, graph.read(root))
    assert intake.take(second, graph.read(second))
    with pytest.raises(ContentMismatch, match="nobody asked"):
        intake.take(raw_key(b"third"), b"third")
    assert not intake.take(second, graph.read(second))
    assert intake.take(first, graph.read(first))
    assert intake.is_complete


def test_a_wrong_byte_is_refused_and_the_right_ones_are_taken_after_it() -> None:
    held = Held()
    intake = Intake(raw_key(b"right"), 5, held)
    with pytest.raises(ContentMismatch, match="names"):
        intake.take(raw_key(b"right"), b"wrong")
    assert not held.blocks
    assert intake.lacks(raw_key(b"right"))
    intake.take(raw_key(b"right"), b"right")
    assert intake.is_complete


@pytest.mark.parametrize("said", [4, 6])
def test_a_file_that_lies_about_a_part_is_refused(said: int) -> None:
    graph = Graph()
    leaf = graph.file(b"12345")
    for root in (
        graph.parts((leaf, said)),
        graph.parts((leaf, 5), (leaf, said)),
        graph.parts((graph.parts((leaf, 5)), said)),
    ):
        with pytest.raises(ContentUnreadable, match="lies"):
            graph.pour(root)


def test_a_folder_as_part_of_a_file_is_refused() -> None:
    graph = Graph()
    folder = graph.folder(a=graph.file(b"1"))
    with pytest.raises(ContentUnreadable, match="folder"):
        graph.pour(graph.parts((folder, 1)))
    with pytest.raises(ContentUnreadable, match="folder"):
        graph.pour(graph.folder(a=folder, b=graph.parts((folder, 1))))


def test_a_graph_that_is_too_deep_is_refused() -> None:
    graph = Graph()
    chain = [graph.file(b"1")]
    for _ in range(unixfs.MAX_DEPTH + 1):
        chain.append(graph.folder(a=chain[-1]))
    assert graph.pour(chain[-2]).size == 1
    with pytest.raises(ContentUnreadable, match="deep"):
        graph.pour(chain[-1])


def test_a_few_blocks_that_stand_for_a_million_files_are_refused_at_once() -> None:
    graph = Graph()
    folder = graph.file(b"")
    for _ in range(10):
        folder = graph.folder(**{f"n{number}": folder for number in range(100)})
    with pytest.raises(TooLarge, match="files"):
        graph.pour(folder)


def test_a_few_blocks_that_stand_for_a_file_of_single_bytes_are_refused_at_once() -> None:
    graph = Graph()
    part, size = graph.file(b"1"), 1
    for _ in range(4):
        part, size = graph.parts(*[(part, size)] * 100), size * 100
    with pytest.raises(TooLarge, match="chunks"):
        graph.pour(part, limit=size)


def test_nodes_that_are_only_names_are_refused_in_time() -> None:
    graph = Graph()
    folders = {}
    for number in range(MAX_NODES_BYTES // MAX_BLOCK_BYTES + 1):
        data = dagpb.field(1, 1) + dagpb.field(9, number.to_bytes(4, "big") * (MAX_BLOCK_BYTES // 4 - 8))
        block = dagpb.encode([], data)
        assert len(block) <= MAX_BLOCK_BYTES
        graph.node(node_key(block), block)
        folders[f"f{number}"] = node_key(block)
    with pytest.raises(TooLarge, match="nodes"):
        graph.pour(graph.folder(**folders))


def test_a_block_that_others_would_not_take_is_refused() -> None:
    block = bytes(MAX_BLOCK_BYTES + 1)
    with pytest.raises(TooLarge, match="block"):
        Intake(raw_key(block), 1 << 30, Held()).take(raw_key(block), block)


def test_room_is_reserved_before_bytes_are_kept() -> None:
    class Strict(Held):
        room, kept = 0, 0

        def reserve(self, size: int) -> None:
            self.room = size

        def keep(self, key: Key, block: bytes) -> None:
            self.kept += len(block) if key == raw_key(block) else 0
            assert self.kept <= self.room

    graph = Graph()
    leaves = [graph.file(bytes([number]) * 10) for number in range(5)]
    root = graph.folder(a=leaves[0], b=graph.parts(*((leaf, 10) for leaf in leaves)))
    strict = Strict()
    intake = Intake(root, 60, strict)
    for key, block in reader.blocks(graph.read, root):
        intake.take(key, block)
    assert (strict.room, strict.kept) == (60, 50)


NAMES = [f"file {number}" for number in range(600)]  # some shards three levels deep


def test_a_sharded_folder_is_taken_and_lists_all_its_names() -> None:
    graph = Graph()
    root, below = graph.shards(*NAMES)
    assert len(below) > 100
    assert graph.pour(root).is_complete
    shard = unixfs.decode(graph.read(root))
    assert isinstance(shard, hamt.Shard)
    assert sorted(name for name, _ in reader.entries(graph.read, shard)) == sorted(NAMES)


def test_a_name_in_the_shard_of_another_is_refused() -> None:
    graph = Graph()
    root, _ = graph.shards("a", "b")
    node, data = dagpb.decode(graph.read(root))
    swapped = [link._replace(name=link.name[:2] + other.name[2:]) for link, other in zip(node, node[::-1], strict=True)]
    block = dagpb.encode(swapped, data)
    graph.node(node_key(block), block)
    with pytest.raises(ContentUnreadable, match="out of its place"):
        graph.pour(node_key(block))


def test_a_part_of_a_sharded_folder_is_nothing_but_a_shard() -> None:
    graph = Graph()
    root, _ = graph.shards(*NAMES)
    links, data = dagpb.decode(graph.read(root))
    at = next(at for at, link in enumerate(links) if len(link.name) == 2)
    for other in (graph.file(b"x"), graph.folder(), graph.parts()):
        links[at] = links[at]._replace(key=other)
        block = dagpb.encode(links, data)
        graph.node(node_key(block), block)
        with pytest.raises(ContentUnreadable, match="part of a folder"):
            graph.pour(node_key(block))


@pytest.mark.parametrize(
    "data", [b"\x08\x05\x12\x01\x03\x28\x22\x30\x80\x02", b"\x08\x05\x28\x22\x30\x08", b"\x08\x05"]
)
def test_a_shard_that_lies_about_its_links_or_its_kind_is_refused(data: bytes) -> None:
    with pytest.raises(ContentUnreadable, match="shard"):
        unixfs.decode(dagpb.encode([], data))
