from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import eth_keyfile
import pytest
from coincurve import PrivateKey, PublicKey
from zope.interface import implementer
from zope.interface.verify import verifyObject

from golem.adapters.entropy import OsEntropy
from golem.adapters.keyring import NODE_FILE, PAYMENT_FILE, FileKeyring
from golem.errors import KeyFault
from golem.interfaces import IEntropy, IKeyring
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.wire.account import address_of, recover_address
from golem.wire.toil import shown

WORK = 1 << 10  # scrypt in a millisecond
PASSWORD = "correct horse"
DIGEST = sha256(b"anything").digest()
FILES = (NODE_FILE, PAYMENT_FILE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def make(folder: Path, seed: str = "seed") -> FileKeyring:
    return FileKeyring.create(str(folder), PASSWORD, SeededEntropy(seed), WORK)


def opened(folder: Path) -> FileKeyring:
    return FileKeyring.open(str(folder), PASSWORD)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o077, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


@pytest.mark.parametrize("keyring", [FixedKeyring("alice"), None], ids=["fixed", "files"])
def test_a_keyring_signs_by_the_keys_that_it_names(keyring: IKeyring | None, folder: Path) -> None:
    ring = keyring or make(folder)
    verifyObject(IKeyring, ring)
    signature = ring.sign(DIGEST)
    assert len(signature) == 64 and ring.sign(DIGEST) == signature
    recovered = {
        PublicKey.from_signature_and_message(signature + bytes([i]), DIGEST, hasher=None).format().hex() for i in (0, 1)
    }
    assert ring.node_id in recovered
    assert recover_address(DIGEST, ring.sign_payment(DIGEST)) == ring.account
    assert ring.account != address_of(bytes.fromhex(ring.node_id)), "the payment key is another"


def test_what_was_created_opens_as_the_same_keys(folder: Path) -> None:
    made, found = make(folder), opened(folder)
    assert (found.node_id, found.account) == (made.node_id, made.account)
    assert found.sign(DIGEST) == made.sign(DIGEST) and found.sign_payment(DIGEST) == made.sign_payment(DIGEST)


def test_two_keyrings_have_nothing_in_common(tmp_path: Path) -> None:
    rings = [FileKeyring.create(str(tmp_path / name), PASSWORD, OsEntropy(), WORK) for name in ("a", "b")]
    assert len({ring.node_id for ring in rings} | {ring.account for ring in rings}) == 4


def test_a_node_id_shows_the_toil_that_was_asked_for(folder: Path) -> None:
    made = FileKeyring.create(str(folder), PASSWORD, SeededEntropy("seed"), WORK, bits=8)
    assert shown(made.node_id) >= 8
    assert opened(folder).node_id == made.node_id


def test_other_wallets_read_our_files(folder: Path) -> None:
    ring = make(folder)
    secret = eth_keyfile.decode_keyfile_json(json.loads((folder / PAYMENT_FILE).read_text()), PASSWORD.encode())
    assert address_of(PrivateKey(secret).public_key.format()) == ring.account


def test_we_read_the_files_of_other_wallets(folder: Path) -> None:
    ring = make(folder)
    for name in FILES:
        secret = eth_keyfile.decode_keyfile_json(json.loads((folder / name).read_text()), PASSWORD.encode())
        theirs = eth_keyfile.create_keyfile_json(secret, PASSWORD.encode(), kdf="scrypt", iterations=WORK)
        (folder / name).write_text(json.dumps(theirs))
    assert opened(folder).account == ring.account and opened(folder).node_id == ring.node_id


def test_files_are_for_their_owner_alone_whatever_the_umask(folder: Path, umask: int) -> None:
    make(folder)
    assert mode(folder) & 0o077 == 0
    assert {mode(folder / name) & 0o077 for name in FILES} == {0}


def test_no_file_holds_a_key_or_the_password_in_the_clear(folder: Path) -> None:
    make(folder)
    for name in FILES:
        data = (folder / name).read_bytes()
        secret = eth_keyfile.decode_keyfile_json(json.loads(data), PASSWORD.encode())
        assert secret.hex().encode() not in data and PASSWORD.encode() not in data


def test_keys_are_never_overwritten(folder: Path) -> None:
    ring = make(folder)
    before = {name: (folder / name).read_bytes() for name in FILES}
    with pytest.raises(KeyFault, match="choose a new folder"):
        make(folder, "another seed")
    assert {name: (folder / name).read_bytes() for name in FILES} == before
    assert opened(folder).account == ring.account
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "no left-overs"


def test_an_empty_password_makes_no_keys(folder: Path) -> None:
    with pytest.raises(KeyFault, match="empty password"):
        FileKeyring.create(str(folder), "", SeededEntropy("seed"), WORK)
    assert not folder.exists()


def test_a_wrong_password_names_the_file_and_the_way_out(folder: Path) -> None:
    make(folder)
    with pytest.raises(KeyFault, match=rf"{NODE_FILE}: set GOLEM_PASSWORD"):
        FileKeyring.open(str(folder), "wrong")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_says_how_to_make_one(folder: Path, name: str) -> None:
    make(folder)
    (folder / name).unlink()
    with pytest.raises(KeyFault, match=rf"{name} can't be read: .*golem init"):
        opened(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_anywhere_is_refused_and_left_as_it_is(folder: Path, name: str) -> None:
    make(folder)
    whole = (folder / name).read_bytes()
    for size in (*range(0, len(whole), 37), len(whole) - 1):
        (folder / name).write_bytes(whole[:size])
        with pytest.raises(KeyFault, match=name):
            opened(folder)
        assert (folder / name).read_bytes() == whole[:size]


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_byte_is_never_taken_for_a_key(folder: Path, name: str) -> None:
    ring = make(folder)
    whole = (folder / name).read_bytes()
    for at in range(len(whole)):
        (folder / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            found = opened(folder)
        except KeyFault as why:
            assert name in str(why)
        else:
            assert (found.node_id, found.account) == (ring.node_id, ring.account)


def test_a_file_that_would_cost_a_gibibyte_to_open_is_refused(folder: Path) -> None:
    make(folder)
    file = json.loads((folder / NODE_FILE).read_text())
    file["crypto"]["kdfparams"]["n"] = 1 << 24
    (folder / NODE_FILE).write_text(json.dumps(file))
    with pytest.raises(KeyFault, match="scrypt parameters out of range"):
        opened(folder)


@pytest.mark.parametrize("loose", ["", *FILES])
def test_what_others_can_read_is_refused_with_the_way_out(folder: Path, loose: str) -> None:
    make(folder)
    (folder / loose).chmod(0o755 if not loose else 0o640)
    with pytest.raises(KeyFault, match="chmod go-rwx"):
        opened(folder)


def test_a_link_in_the_place_of_a_key_file_is_not_followed(folder: Path, tmp_path: Path) -> None:
    make(folder)
    (folder / NODE_FILE).rename(tmp_path / "elsewhere")
    (folder / NODE_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFault, match=NODE_FILE):
        opened(folder)


def test_the_files_of_two_keyrings_do_not_mix_unseen(tmp_path: Path) -> None:
    make(tmp_path / "a", "a")
    make(tmp_path / "b", "b")
    file = json.loads((tmp_path / "a" / NODE_FILE).read_text())
    file["address"] = json.loads((tmp_path / "b" / NODE_FILE).read_text())["address"]
    (tmp_path / "a" / NODE_FILE).write_text(json.dumps(file))
    with pytest.raises(KeyFault, match="another account"):
        opened(tmp_path / "a")


def test_a_keyring_shows_no_secret(folder: Path) -> None:
    ring = make(folder)
    secret = eth_keyfile.decode_keyfile_json(json.loads((folder / NODE_FILE).read_text()), PASSWORD.encode()).hex()
    assert secret not in repr(ring) + str(vars(ring))


@implementer(IEntropy)
class BrokenEntropy:
    """Gives what is no key: zeros at first, then the curve's order and above."""

    def __init__(self) -> None:
        self._draws = iter([bytes(32), b"\xff" * 32])
        self._good = SeededEntropy("good")

    def token(self, size: int) -> bytes:
        return next(self._draws, b"") or self._good.token(size)


def test_a_draw_that_is_no_key_is_drawn_again(folder: Path) -> None:
    FileKeyring.create(str(folder), PASSWORD, BrokenEntropy(), WORK)
    assert opened(folder).sign(DIGEST)
