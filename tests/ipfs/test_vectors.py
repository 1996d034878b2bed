"""The ids that all who keep to `unixfs-v1-2025` give: vectors of IPIP-499, as Kubo and js-ipfs publish them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from golem.errors import StoreFault
from golem.ipfs.cid import Key, to_text
from golem.ipfs.importer import CHUNK_BYTES, Chunk, import_chunks, import_path

MIB = 1 << 20


class Nowhere:
    """A sink that keeps nothing but the sizes of nodes."""

    def __init__(self) -> None:
        self.nodes: list[int] = []

    def begin(self, path: str, found: os.stat_result) -> None: ...
    def leaf(self, key: Key, chunk: Chunk) -> None: ...
    def node(self, key: Key, block: bytes) -> None:
        self.nodes.append(len(block))


def _keystream(seed: str, size: int) -> Iterator[bytes]:
    """ChaCha20's, its key the hash of `seed`, its nonce zero."""
    stream = Cipher(algorithms.ChaCha20(sha256(seed.encode()).digest(), bytes(16)), mode=None).encryptor()
    for start in range(0, size, CHUNK_BYTES):
        yield stream.update(bytes(min(CHUNK_BYTES, size - start)))


@pytest.mark.parametrize(
    ("seed", "size", "cid"),
    [
        ("", 0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
        ("chunk-v1-seed", MIB, "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta"),
        ("chunk-v1-seed", MIB + 1, "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64"),
        ("v1-2025-seed", 1024 * MIB, "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm"),
        ("v1-2025-seed", 1024 * MIB + 1, "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe"),
    ],
    ids=["empty", "a chunk", "a chunk and a byte", "a full node", "a full node and a byte"],
)
def test_files_have_the_ids_that_others_give_them(seed: str, size: int, cid: str) -> None:
    assert to_text(import_chunks(_keystream(seed, size), Nowhere()).key) == cid


def _names(count: int, length: int, last: int) -> list[str]:
    alphabet = "abcdefghijklmnopqrstuvwxyz01234567890-_"
    stream = next(_keystream("hamt-unixfs-v1-2025", MIB))
    lengths = [length] * (count - 1) + [last]
    starts = (index * length for index in range(count))
    return [
        "".join(alphabet[byte % len(alphabet)] for byte in stream[start : start + size])
        for start, size in zip(starts, lengths, strict=True)
    ]


def test_an_empty_folder_has_the_id_that_others_give_it(tmp_path: Path) -> None:
    key = import_path(str(tmp_path), Nowhere()).key
    assert to_text(key) == "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"


def test_the_largest_plain_folder_has_the_id_that_others_give_it(tmp_path: Path) -> None:
    for name in _names(4766, 11, 21):
        (tmp_path / name).write_bytes(b"x")
    sink = Nowhere()
    key = import_path(str(tmp_path), sink).key
    assert sink.nodes == [256 << 10]
    assert to_text(key) == "bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4"


def test_a_folder_one_byte_larger_is_refused_since_others_would_shard_it(tmp_path: Path) -> None:
    for name in _names(4766, 11, 22):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(StoreFault, match="4766"):
        import_path(str(tmp_path), Nowhere())
