"""The ids that all who keep to a profile give: vectors of IPIP-499, as Kubo and js-ipfs publish them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from golem.ipfs.cid import Key, to_text
from golem.ipfs.importer import CHUNK_BYTES, V0_2015, V1_2025, Chunk, Profile, import_chunks, import_path

MIB = 1 << 20


class Nowhere:
    """A sink that keeps nothing."""

    def begin(self, path: str, found: os.stat_result) -> None: ...
    def leaf(self, key: Key, chunk: Chunk) -> None: ...
    def node(self, key: Key, block: bytes) -> None: ...


def _keystream(seed: str, size: int, step: int = CHUNK_BYTES) -> Iterator[bytes]:
    """ChaCha20's, its key the hash of `seed`, its nonce zero."""
    stream = Cipher(algorithms.ChaCha20(sha256(seed.encode()).digest(), bytes(16)), mode=None).encryptor()
    for start in range(0, size, step):
        yield stream.update(bytes(min(step, size - start)))


@pytest.mark.parametrize(
    ("profile", "seed", "size", "cid"),
    [
        (V1_2025, "", 0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
        (V1_2025, "chunk-v1-seed", MIB, "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta"),
        (V1_2025, "chunk-v1-seed", MIB + 1, "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64"),
        (V1_2025, "v1-2025-seed", 1024 * MIB, "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm"),
        (V1_2025, "v1-2025-seed", 1024 * MIB + 1, "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe"),
        (V0_2015, "chunk-v0-seed", MIB // 4, "QmWmRj3dFDZdb6ABvbmKhEL6TmPbAfBZ1t5BxsEyJrcZhE"),
        (V0_2015, "chunk-v0-seed", MIB // 4 + 1, "QmYyLxtzZyW22zpoVAtKANLRHpDjZtNeDjQdJrcQNWoRkJ"),
        (V0_2015, "v0-seed", 174 * MIB // 4, "QmUbBALi174SnogsUzLpYbD4xPiBSFANF4iztWCsHbMKh2"),
        (V0_2015, "v0-seed", 174 * MIB // 4 + 1, "QmV81WL765sC8DXsRhE5fJv2rwhS4icHRaf3J9Zk5FdRnW"),
    ],
)
def test_files_have_the_ids_that_others_give_them(profile: Profile, seed: str, size: int, cid: str) -> None:
    assert to_text(import_chunks(_keystream(seed, size, profile.chunk_bytes), Nowhere(), profile).key) == cid


@pytest.mark.parametrize(
    ("profile", "cid"),
    [
        (V1_2025, "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"),
        (V0_2015, "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD"),
    ],
)
def test_hello_world_has_the_id_that_others_give_it(profile: Profile, cid: str) -> None:
    assert to_text(import_chunks([b"hello world"], Nowhere(), profile).key) == cid


def _names(seed: str, count: int, length: int, last: int) -> list[str]:
    alphabet = "abcdefghijklmnopqrstuvwxyz01234567890-_"
    stream = next(_keystream(seed, MIB))
    lengths = [length] * (count - 1) + [last]
    starts = (index * length for index in range(count))
    return [
        "".join(alphabet[byte % len(alphabet)] for byte in stream[start : start + size])
        for start, size in zip(starts, lengths, strict=True)
    ]


@pytest.mark.parametrize(
    ("profile", "cid"),
    [
        (V1_2025, "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"),
        (V0_2015, "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"),
    ],
)
def test_an_empty_folder_has_the_id_that_others_give_it(tmp_path: Path, profile: Profile, cid: str) -> None:
    assert to_text(import_path(str(tmp_path), Nowhere(), profile).key) == cid


@pytest.mark.parametrize(
    ("profile", "names", "cid"),
    [
        (V1_2025, (4766, 11, 21), "bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4"),
        (V1_2025, (4766, 11, 22), "bafybeiegvuterwurhdtkikfhbxcldohmxp566vpjdofhzmnhv6o4freidu"),
        (V0_2015, (4096, 30, 30), "QmX5GtRk3TSSEHtdrykgqm4eqMEn3n2XhfkFAis5fjyZmN"),
        (V0_2015, (4033, 31, 31), "QmeMiJzmhpJAUgynAcxTQYek5PPKgdv3qEvFsdV3XpVnvP"),
    ],
    ids=["v1 plain", "v1 sharded", "v0 plain", "v0 sharded"],
)
def test_the_largest_plain_folder_and_the_smallest_sharded_have_the_ids_that_others_give_them(
    tmp_path: Path, profile: Profile, names: tuple[int, int, int], cid: str
) -> None:
    seed = "hamt-unixfs-v1-2025" if profile is V1_2025 else "hamt-unixfs-v0-2015"
    for name in _names(seed, *names):
        (tmp_path / name).write_bytes(b"x")
    assert to_text(import_path(str(tmp_path), Nowhere(), profile).key) == cid
