"""A node under Twisted: `twistd golem`, and in the foreground `golem node start`. Here alone the reactor has a name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

from twisted.application.service import IService, MultiService
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime, IReactorUNIX
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.python.failure import Failure
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from golem.control.server import ControlServer
from golem.errors import ConfigError
from golem.node.build import make
from golem.node.config import load

CONFIG_EXIT = 5  # golem.cli.exits.Exit.CONFIG


class Options(UsageOptions):
    """What `twistd golem` understands."""

    synopsis = "[--folder DIR] [--set section.key=value]..."
    optParameters = (("folder", "f", "~/.golem", "the node's folder: golem.toml, keys, journal, content"),)

    def __init__(self) -> None:
        UsageOptions.__init__(self)
        self.flags: dict[str, str] = {}

    def opt_set(self, text: str) -> None:
        """Say what golem.toml would, as in provider.slots=4; may be given many times."""
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{text!r} is not of the form section.key=value")
        self.flags[key] = value


def build(folder: str, flags: Mapping[str, str]) -> IService:
    """A node and its control socket. Raises ConfigError with all that is wrong."""
    config = load(folder, os.environ, flags)
    node = make(config, reactor)
    services = MultiService()
    node.setServiceParent(services)
    control = ControlServer(node, config.folder, IReactorUNIX(reactor), IReactorTime(reactor))
    services.addService(control)
    return services


def makeService(options: Options) -> IService:
    """What `twistd golem` runs. Where it can't, every mistake is printed, and the exit code is 5."""
    try:
        return build(options["folder"], options.flags)
    except ConfigError as why:
        sys.stderr.write(f"error: {why}\n")
        raise SystemExit(CONFIG_EXIT) from why


def run(folder: str, flags: Mapping[str, str], log: TextIO, ready: Callable[[], None]) -> None:
    """Run a node until a signal stops it, its log going to `log`; `ready` is called once its control socket listens.

    Raises ConfigError with all that is wrong, before or after the reactor ran.
    """
    services = build(folder, flags)
    globalLogBeginner.beginLoggingTo([textFileLogObserver(log)], redirectStandardIO=False)
    failures: list[Failure] = []

    def start() -> None:
        started: Deferred[None] = maybeDeferred(services.startService)
        started.addCallbacks(lambda _: ready(), give_up)

    def give_up(failure: Failure) -> None:
        failures.append(failure)
        reactor.stop()

    reactor.callWhenRunning(start)
    reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
    reactor.run()
    for failure in failures:
        failure.raiseException()
