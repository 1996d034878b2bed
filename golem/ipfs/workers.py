"""Threads for what may wait for a disk or hash for long, so that the reactor never does."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

P = ParamSpec("P")
R = TypeVar("R")

MAX_THREADS = 4  # hashing fills a core with one; more only help while a disk is waited for


class Workers:
    """A small pool of the content store's own."""

    def __init__(self, reactor: IReactorThreads) -> None:
        self._reactor = reactor

    def start(self) -> None:
        """Take work from now on."""
        self._pool = ThreadPool(minthreads=0, maxthreads=MAX_THREADS, name="content")
        self._pool.start()

    def stop(self) -> Deferred[None]:
        """Finish what was begun, then end the threads; waited for in a thread of the reactor's."""
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._pool.stop)

    def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        """Do blocking work in a thread."""
        return deferToThreadPool(self._reactor, self._pool, work, *args, **kwargs)
