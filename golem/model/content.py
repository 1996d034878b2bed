"""What a content store has, as it says to its node."""

from __future__ import annotations

from golem.model.ids import Cid
from golem.model.value import Value


class Content(Value):
    """What the store made of a file or folder. `size_bytes`: of all files together."""

    cid: Cid
    size_bytes: int


class Kept(Value):
    """A content that is here. `owners`: for whom: ids of tasks, or `user/` and its cid."""

    cid: Cid
    size_bytes: int
    owners: tuple[str, ...]


class Incoming(Value):
    """A content that comes in. `size_bytes`: of its files, as far as known. `received_bytes`: of them and of nodes."""

    cid: Cid
    size_bytes: int
    received_bytes: int


class Importing(Value):
    """A file or folder that is put in. `read_bytes`: of its files, so far."""

    path: str
    read_bytes: int


class Survey(Value):
    """What a store has. `used_bytes`: on this disk, of `quota_bytes`; the user's own files don't count.

    `gateway`: where it serves what is public, as seen from this machine.
    """

    kept: tuple[Kept, ...]
    incoming: tuple[Incoming, ...]
    used_bytes: int
    quota_bytes: int
    gateway: str
    importing: tuple[Importing, ...] = ()
