"""IKeyring from two key files in one folder: Ethereum's keystore version 3, which other wallets read and write, too.

Both files share one salt, so that opening them costs one scrypt (1.2 s, 256 MiB), not two; each has an IV of its own.
Tests hold the files against `eth-keyfile`, which would cost a node 15 MB and 0.6 s to import.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Sequence
from hashlib import scrypt
from hmac import compare_digest
from pathlib import Path

import msgspec
from coincurve import PrivateKey
from Crypto.Cipher import AES
from zope.interface import implementer

from golem.errors import KeyFault
from golem.interfaces import IEntropy, IKeyring
from golem.model.ids import Address, NodeId
from golem.wire.account import address_of, keccak256
from golem.wire.toil import shown

WORK = 1 << 18  # scrypt's n: what geth uses; about a second per guess at the password
BLOCK = 8  # scrypt's r
MAX_WORK = 1 << 20  # a file from elsewhere may ask for four times ours: 1 GiB
MAX_FILE_BYTES = 16_384  # 30 times a keystore
NODE_FILE, PAYMENT_FILE = "node.json", "payment.json"
SALT_BYTES, IV_BYTES, KEY_BYTES = 32, 16, 32


class _Iv(msgspec.Struct, frozen=True):
    iv: str


class _Scrypt(msgspec.Struct, frozen=True):
    n: int
    r: int
    p: int
    salt: str
    dklen: int = KEY_BYTES


class _Crypto(msgspec.Struct, frozen=True):
    cipherparams: _Iv
    ciphertext: str
    kdfparams: _Scrypt
    mac: str
    cipher: str = "aes-128-ctr"
    kdf: str = "scrypt"


class _Keystore(msgspec.Struct, frozen=True):
    address: str
    crypto: _Crypto
    id: str
    version: int = 3


@implementer(IKeyring)
class FileKeyring:
    """A node key and a payment key. Made by `create` or `open`, which block for seconds: call them in a thread."""

    def __init__(self, node: PrivateKey, payment: PrivateKey) -> None:
        self._node = node
        self._payment = payment
        self.node_id = _id_of(node)
        self.account: Address = address_of(payment.public_key.format())

    @classmethod
    def create(cls, folder: str, password: str, entropy: IEntropy, work: int = WORK, bits: int = 0) -> FileKeyring:
        """Make two keys and their files, in a new folder that only this user can enter: both, or nothing.

        `work`: scrypt's n, a power of two. `bits`: of toil that the node id shows; 16 take a few seconds, each
        more twice as long. Raises KeyFault where the folder holds anything or can't be written.
        """
        if not password:
            raise KeyFault("an empty password protects no keys: choose another")
        keys = (_draw(entropy, bits), _draw(entropy))
        settings = _Scrypt(n=work, r=BLOCK, p=1, salt=entropy.token(SALT_BYTES).hex())
        lock = _stretch(settings, password)
        files = [_seal(key, settings, lock, entropy) for key in keys]
        _write(Path(folder), list(zip((NODE_FILE, PAYMENT_FILE), files, strict=True)), entropy.token(4).hex())
        return cls(*keys)

    @classmethod
    def open(cls, folder: str, password: str) -> FileKeyring:
        """Read the two keys. Raises KeyFault, naming the file and the way out."""
        paths = [Path(folder) / name for name in (NODE_FILE, PAYMENT_FILE)]
        files = [_read(path) for path in paths]
        locks: dict[_Scrypt, bytes] = {}
        keys = []
        for path, file in zip(paths, files, strict=True):
            settings = file.crypto.kdfparams
            if settings not in locks:
                locks[settings] = _stretch(settings, password)
            keys.append(_unseal(path, file, locks[settings]))
        return cls(*keys)

    def sign(self, digest: bytes) -> bytes:
        """64 bytes by the node key."""
        return self._node.sign_recoverable(digest, hasher=None)[:64]

    def sign_payment(self, digest: bytes) -> bytes:
        """65 bytes by the payment key."""
        return self._payment.sign_recoverable(digest, hasher=None)


def _draw(entropy: IEntropy, bits: int = 0) -> PrivateKey:
    while True:
        try:
            key = PrivateKey(entropy.token(KEY_BYTES))
        except ValueError:  # 0, or not below the curve's order: one draw in 2**127
            continue
        if not bits or shown(_id_of(key)) >= bits:
            return key


def _id_of(node: PrivateKey) -> NodeId:
    return NodeId(node.public_key.format().hex())


def _stretch(settings: _Scrypt, password: str) -> bytes:
    memory = 128 * settings.r * (settings.n + settings.p + 2)
    salt = bytes.fromhex(settings.salt)
    key = {"n": settings.n, "r": settings.r, "p": settings.p, "dklen": KEY_BYTES, "maxmem": memory}
    return scrypt(password.encode(), salt=salt, **key)


def _encrypt(lock: bytes, iv: bytes, data: bytes) -> bytes:
    """AES in counter mode: does and undoes."""
    return AES.new(lock[:16], AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(data)


def _seal(key: PrivateKey, settings: _Scrypt, lock: bytes, entropy: IEntropy) -> bytes:
    iv, name = entropy.token(IV_BYTES), entropy.token(16).hex()
    ciphertext = _encrypt(lock, iv, key.secret)
    crypto = _Crypto(
        cipherparams=_Iv(iv=iv.hex()),
        ciphertext=ciphertext.hex(),
        kdfparams=settings,
        mac=keccak256(lock[16:] + ciphertext).hex(),
    )
    address = address_of(key.public_key.format()).removeprefix("0x")
    uuid = "-".join((name[:8], name[8:12], "4" + name[13:16], "8" + name[17:20], name[20:]))
    return msgspec.json.encode(_Keystore(address=address, crypto=crypto, id=uuid))


def _unseal(path: Path, file: _Keystore, lock: bytes) -> PrivateKey:
    ciphertext = bytes.fromhex(file.crypto.ciphertext)
    if not compare_digest(keccak256(lock[16:] + ciphertext).hex(), file.crypto.mac.lower()):
        raise KeyFault(f"the password does not open {path}: set GOLEM_PASSWORD to the one given to golem init")
    try:
        key = PrivateKey(_encrypt(lock, bytes.fromhex(file.crypto.cipherparams.iv), ciphertext))
    except ValueError as why:
        raise _damaged(path, why) from why
    if address_of(key.public_key.format()) != "0x" + file.address.lower().removeprefix("0x"):
        raise _damaged(path, "it holds the key of another account than it says")
    return key


def _write(folder: Path, files: Sequence[tuple[str, bytes]], token: str) -> None:
    """Put files into a folder that appears with all of them, or not at all."""
    new = folder.with_name(f"{folder.name}.{token}.new")
    try:
        new.mkdir(mode=0o700)
        try:
            for name, data in files:
                with os.fdopen(os.open(new / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            _sync(new)
            new.rename(folder)  # refused by the system where `folder` holds anything
            _sync(folder.parent)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except OSError as why:
        raise KeyFault(
            f"no keys were made in {folder}: {why.strerror}; choose a new folder that can be written"
        ) from why


def _sync(folder: Path) -> None:
    entry = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)


def _read(path: Path) -> _Keystore:
    try:
        _guard(path.parent, path.parent.stat())
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            _guard(path, os.fstat(file.fileno()))
            data = file.read(MAX_FILE_BYTES)
    except OSError as why:
        raise KeyFault(f"the key file {path} can't be read: {why.strerror}; make keys with golem init") from why
    try:
        keystore = msgspec.json.decode(data, type=_Keystore)
        _check(keystore)
    except (msgspec.MsgspecError, ValueError) as why:
        raise _damaged(path, why) from why
    return keystore


def _guard(path: Path, found: os.stat_result) -> None:
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise KeyFault(f"{path} is open to other users: chmod go-rwx {path}")
    if found.st_uid != os.geteuid():
        raise KeyFault(f"{path} belongs to user {found.st_uid}, and this is user {os.geteuid()}: run as its owner")


def _check(file: _Keystore) -> None:
    crypto, settings = file.crypto, file.crypto.kdfparams
    if (file.version, crypto.cipher, crypto.kdf, settings.dklen) != (3, "aes-128-ctr", "scrypt", KEY_BYTES):
        raise ValueError("not a keystore of version 3 with aes-128-ctr and scrypt")
    n, r, p = settings.n, settings.r, settings.p
    if not 2 <= n <= MAX_WORK or n & (n - 1) or r != BLOCK or not 1 <= p <= 16:
        raise ValueError("scrypt parameters out of range")
    for name, text, size in (
        ("ciphertext", crypto.ciphertext, KEY_BYTES),
        ("iv", crypto.cipherparams.iv, IV_BYTES),
        ("mac", crypto.mac, 32),
        ("salt", settings.salt, 0),
    ):
        if len(bytes.fromhex(text)) != size and size:
            raise ValueError(f"{name} of a wrong length")


def _damaged(path: Path, why: object) -> KeyFault:
    return KeyFault(f"the key file {path} is damaged: {why}; put back a copy of it, it can't be repaired")
