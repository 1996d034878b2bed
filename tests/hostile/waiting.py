"""How these tests wait for their sandboxes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import ParamSpec

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

P = ParamSpec("P")


def waited(test: Callable[P, Coroutine[Deferred[object], object, None]]) -> Callable[P, Deferred[None]]:
    """Have pytest-twisted wait for the test, but not for ever."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> Deferred[None]:
        assert isinstance(reactor, PosixReactorBase)
        return Deferred.fromCoroutine(test(*args, **kwargs)).addTimeout(30, reactor)

    return run
