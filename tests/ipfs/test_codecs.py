"""Parsers: what is written is read back, where it is cut never matters, garbage raises one error and nothing worse."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from golem.errors import ContentMismatch, ContentUnreadable
from golem.ipfs import car, dagpb, unixfs, varint
from golem.ipfs.cid import MAX_BLOCK_BYTES, Key, from_text, node_key, old_key, raw_key, to_key, to_text
from golem.ipfs.dagpb import Link
from golem.ipfs.unixfs import File, Folder, Piece

KEYS = st.one_of(st.binary(max_size=8).map(make) for make in (raw_key, node_key, old_key))
SIZES = st.integers(1, 2**40)
NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/"), min_size=1, max_size=40).filter(
    lambda name: name not in (".", "..")
)
BLOCKS = st.lists(st.binary(max_size=300).map(lambda block: (raw_key(block), block)), max_size=8)


@given(st.integers(0, 2**63 - 1))
def test_a_varint_is_read_back(number: int) -> None:
    data = varint.encode(number)
    assert varint.decode(b"x" + data + b"y", 1) == (number, 1 + len(data))


@pytest.mark.parametrize("data", [b"\x80\x00", b"\xff" * 9 + b"\x01"])
def test_a_varint_that_is_padded_or_too_long_is_refused(data: bytes) -> None:
    with pytest.raises(ContentUnreadable):
        varint.decode(data, 0)


@given(KEYS)
def test_an_id_is_read_back(key: Key) -> None:
    assert from_text(to_text(key)) == to_key(bytes(key)) == key


@given(st.text(max_size=120))
@example("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykv")  # other bits in the padding
@example("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3N0")
def test_text_that_is_no_id_is_unreadable(text: str) -> None:
    with pytest.raises(ContentUnreadable):
        from_text(text)


@given(st.lists(st.tuples(KEYS, SIZES), max_size=20))
def test_a_file_is_read_back(parts: list[tuple[Key, int]]) -> None:
    block = unixfs.encode_file([Link(key, b"", size) for key, size in parts], [size for _, size in parts])
    pieces = tuple(Piece(key, size) for key, size in parts)
    assert unixfs.decode(block) == File(pieces, b"", sum(size for _, size in parts))


@given(st.dictionaries(NAMES, KEYS, max_size=20))
def test_a_folder_is_read_back_in_the_order_of_its_names(entries: dict[str, Key]) -> None:
    links = [Link(key, name.encode(), 5) for name, key in reversed(entries.items())]
    block = unixfs.encode_folder(links)
    ordered = tuple(sorted(entries.items(), key=lambda entry: entry[0].encode()))
    assert unixfs.decode(block) == Folder(ordered, (5,) * len(ordered))
    assert block == unixfs.encode_folder(links[::-1])


@settings(max_examples=500)
@given(st.binary(max_size=200))
def test_garbage_is_unreadable_and_nothing_worse(data: bytes) -> None:
    with suppress(ContentUnreadable):
        unixfs.decode(data)
    with suppress(ContentUnreadable):
        to_key(data)


@settings(max_examples=500)
@given(st.data())
def test_a_node_with_one_byte_changed_is_unreadable_or_another_and_nothing_worse(data: st.DataObject) -> None:
    block = bytearray(unixfs.encode_folder([Link(raw_key(b"a"), b"a", 1), Link(node_key(b"b"), b"b", 1)]))
    block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ContentUnreadable):
        unixfs.decode(bytes(block))


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/", b"a\0", b"a\n", b"\x1b[2J", b"\xff", b"x" * 256])
def test_a_name_that_could_lead_elsewhere_is_refused(name: bytes) -> None:
    block = unixfs.encode_folder([Link(raw_key(b""), name, 0)])
    with pytest.raises(ContentUnreadable, match="name"):
        unixfs.decode(block)


def test_a_folder_with_one_name_twice_is_refused() -> None:
    block = unixfs.encode_folder([Link(raw_key(b"1"), b"a", 1), Link(raw_key(b"2"), b"a", 1)])
    with pytest.raises(ContentUnreadable, match="twice"):
        unixfs.decode(block)


@pytest.mark.parametrize("kind", [3, 4, 99], ids=["metadata", "symbolic link", "unknown"])
def test_kinds_that_we_do_not_read_are_refused(kind: int) -> None:
    with pytest.raises(ContentUnreadable):
        unixfs.decode(dagpb.encode([], dagpb.field(1, kind)))


@pytest.mark.parametrize("sizes", [[], [1, 1], [0]])
def test_a_file_that_does_not_say_what_lies_below_is_refused(sizes: list[int]) -> None:
    data = dagpb.field(1, 2) + b"".join(dagpb.field(4, size) for size in sizes)
    with pytest.raises(ContentUnreadable, match="below"):
        unixfs.decode(dagpb.encode([Link(raw_key(b""), b"", 0)], data))


def test_a_file_whose_size_is_not_the_sum_is_refused() -> None:
    data = dagpb.field(1, 2) + dagpb.field(3, 2) + dagpb.field(4, 1)
    with pytest.raises(ContentUnreadable, match="sum"):
        unixfs.decode(dagpb.encode([Link(raw_key(b"a"), b"", 1)], data))


@given(BLOCKS, st.integers(1, 400))
def test_where_a_car_is_cut_never_matters(blocks: list[tuple[Key, bytes]], step: int) -> None:
    data = car.header(raw_key(b"")) + b"".join(car.section(key, block) for key, block in blocks)
    reader = car.CarReader()
    pieces = (data[at : at + step] for at in range(0, len(data), step))
    assert [found for piece in pieces for found in reader.feed([piece])] == blocks


@settings(max_examples=500)
@given(st.binary(max_size=300))
def test_garbage_is_no_car_and_nothing_worse(data: bytes) -> None:
    with suppress(ContentMismatch):
        list(car.CarReader().feed([data]))


@pytest.mark.parametrize("has_header", [True, False])
def test_a_section_that_is_too_long_is_refused_before_it_arrives(has_header: bool) -> None:
    reader = car.CarReader()
    if has_header:
        assert list(reader.feed([car.header(raw_key(b""))])) == []
    with pytest.raises(ContentMismatch, match="section"):
        list(reader.feed([varint.encode(MAX_BLOCK_BYTES + 37 if has_header else 1025)]))


def test_a_car_starts_as_others_start_it() -> None:
    """DAG-CBOR by hand: a map of two, "roots" to a list of one tagged id, "version" to 1."""
    key = raw_key(b"hello world")
    expected = bytes([58, 0xA2, 0x65]) + b"roots" + bytes([0x81, 0xD8, 42, 0x58, 37, 0]) + key + b"\x67version\x01"
    assert car.header(key) == expected
