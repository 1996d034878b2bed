"""Small content inside the messages that name it: what of ours may go along, and what came along with others'.

A parcel is a CAR. Its blocks are checked as they come out of it, and are taken by whoever fetches the content before
anybody is asked; they are forgotten when newer ones need the room, and are then fetched like any other.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import chain
from typing import TypeVar

from zope.interface import implementer

from golem.interfaces import IParcels
from golem.ipfs import car, reader
from golem.ipfs.cid import Key, check_block, from_text
from golem.ipfs.intake import Intake
from golem.model.budgets import PARCELS
from golem.model.ids import Cid
from golem.model.messages import MAX_ALONG_BYTES

K = TypeVar("K", bound=Hashable)

MAX_KEPT_BYTES = PARCELS.limit  # each way: 256 full parcels, which is seconds of deliveries
ENTRY_BYTES = 256  # what an entry costs beside its bytes; there may be many of a byte or two
_ROOM = MAX_ALONG_BYTES - 64  # a header takes 59 bytes


class Recent(dict[K, bytes]):
    """The newest bytes by key, in MAX_KEPT_BYTES of memory."""

    def __init__(self) -> None:
        super().__init__()
        self._size = 0

    def note(self, key: K, data: bytes) -> None:
        """Keep these; the oldest go."""
        self._drop(key)
        self[key] = data
        self._size += ENTRY_BYTES + len(data)
        while self._size > MAX_KEPT_BYTES:
            self._drop(next(iter(self)))

    def _drop(self, key: K) -> None:
        if key in self:
            self._size -= ENTRY_BYTES + len(self.pop(key))


@implementer(IParcels)
class Parcels:
    """Of one store."""

    def __init__(self) -> None:
        self._came: Recent[Key] = Recent()
        self._own: Recent[Cid] = Recent()

    def note(self, cid: Cid, sections: bytes) -> None:
        """A content of ours that was put, as `first` gives it."""
        self._own.note(cid, sections)

    def pack(self, cids: Sequence[Cid]) -> bytes:
        """See `IParcels.pack`."""
        sections = b""
        for cid in cids:
            more = self._own.get(cid, b"")
            if more and len(sections) + len(more) <= _ROOM:
                sections += more
                self._own.note(cid, more)  # in use
        return car.header(from_text(cids[0])) + sections if sections else b""

    def unpack(self, blocks: bytes) -> None:
        """See `IParcels.unpack`."""
        for key, block in car.CarReader().feed([blocks]):
            check_block(key, block)
            self._came.note(key, bytes(block))

    @staticmethod
    def first(read: reader.Read, root: Key) -> bytes:
        """As much of a content as has room in a message, as sections of a CAR: what leads to others first."""
        found: dict[Key, bytes] = {}
        room = _ROOM
        for key, block in chain(reader.nodes(read, root), reader.blocks(read, root)):
            room -= 0 if key in found else len(car.lead(key, len(block))) + len(block)
            if room < 0:
                break
            found[key] = block
        return b"".join(car.section(key, block) for key, block in found.items())

    def give(self, intake: Intake) -> None:
        """Have it take what came along of its content. From any thread; raises as `Intake.take` does."""
        while here := [(key, block) for key in intake.missing() if (block := self._came.get(key)) is not None]:
            for key, block in here:
                intake.take(key, block)
