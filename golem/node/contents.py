"""Content of the store as files of this machine, for the jobs that read it."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred

from golem.interfaces import IResourceStore
from golem.model.ids import Cid
from golem.node.disk import clear, show

MAX_CONTENTS = 64  # kept as files; a task has a few, a result to check is one more


class Contents:
    """Each content is made once, however many jobs want it, and shared by them."""

    def __init__(self, store: IResourceStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._made: dict[Cid, Deferred[None] | None] = {}  # the one that was wanted last is the last; None: it is there
        self._users: dict[Cid, int] = {}

    async def borrow(self, cid: Cid) -> str:
        """The path of a content, which stays until it is given back. Raises StoreFault."""
        self._users[cid] = self._users.get(cid, 0) + 1
        path = self._folder / cid
        try:
            if cid not in self._made:
                await self._make(cid, path)
            elif (making := self._made[cid]) is not None:
                await _also(making)
            else:
                self._made[cid] = self._made.pop(cid)
        except BaseException:
            self.give_back(cid)
            raise
        return str(path)

    async def _make(self, cid: Cid, path: Path) -> None:
        made = self._made[cid] = Deferred()
        try:
            await self._store.materialise(cid, str(path))
            show(path)
        except BaseException as why:
            del self._made[cid]
            clear(path)
            made.addErrback(lambda _: None)
            made.errback(why)
            raise
        self._made[cid] = None
        made.callback(None)

    def give_back(self, cid: Cid) -> None:
        """A job is done with a content; those that nobody uses go, when there are too many."""
        self._users[cid] -= 1
        for old in list(self._made):
            if len(self._made) <= MAX_CONTENTS:
                break
            if not self._users.get(old) and self._made[old] is None:
                del self._made[old]
                self._users.pop(old, None)
                clear(self._folder / old)


def _also(first: Deferred[None]) -> Deferred[None]:
    """A Deferred of our own for what somebody else waits for, too."""
    own: Deferred[None] = Deferred()
    first.addCallbacks(lambda _: own.callback(None), lambda why: own.errback(why))
    return own
