"""A node under Twisted: `twistd golem`, and in the foreground `golem node start`. Here alone the reactor has a name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TextIO, cast

from twisted.application.service import IService, MultiService
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IReactorTime, IReactorUNIX
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory
from twisted.logger import Logger, globalLogBeginner, textFileLogObserver
from twisted.python.failure import Failure
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from golem.control.server import ControlServer
from golem.errors import ConfigError
from golem.node.build import Tamper, honest, make
from golem.node.config import load
from golem.node.node import Node
from golem.node.records import Record

CONFIG_EXIT = 5  # golem.cli.exits.Exit.CONFIG
ROUTINE = frozenset({"accepted", "assigned", "deed", "delivered", "earned", "income"})
"""What happens for each chunk that goes well; it is not logged."""
log = Logger()


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


def build(folder: str, flags: Mapping[str, str], tamper: Tamper = honest) -> tuple[IService, Node]:
    """A node, and the service that is the node with its control socket.

    Raises ConfigError with all that is wrong.
    """
    Factory.noisy = False  # a line for every dial
    config = load(folder, os.environ, flags)
    node = make(config, cast(PosixReactorBase, reactor), tamper)
    node.desk.watch(None, _note)
    services = MultiService()
    node.setServiceParent(services)
    control = ControlServer(node.desk, config.folder, IReactorUNIX(reactor), IReactorTime(reactor))
    services.addService(control)
    return services, node


def makeService(options: Options) -> IService:
    """What `twistd golem` runs. Where it can't, every mistake is printed, and the exit code is 5."""
    try:
        services, node = build(options["folder"], options.flags)
    except ConfigError as why:
        sys.stderr.write(f"error: {why}\n")
        raise SystemExit(CONFIG_EXIT) from why
    node.ready.addCallbacks(lambda _: log.info("the node takes part"), _give_up, errbackArgs=("the node can't start",))
    node.broken.addErrback(_give_up, "the node stops")
    return services


def _note(happening: Record) -> None:
    name, fields = happening["name"], cast(Mapping[str, object], happening["fields"])
    if name not in ROUTINE or fields.get("reason"):
        log.info(
            "{topic}: {name}{fields}",
            topic=happening["topic"],
            name=name,
            fields="".join(f", {key} {value}" for key, value in fields.items() if value != ""),
        )


def _give_up(failure: Failure, what: str) -> None:
    log.critical("{what}: {why}", what=what, why=failure.getErrorMessage())
    with suppress(ReactorNotRunning):  # it breaks while it stops
        reactor.stop()


def run(
    folder: str,
    flags: Mapping[str, str],
    out: TextIO,
    when_ready: Callable[[Node], None],
    tamper: Tamper = honest,
) -> None:
    """Run a node until a signal stops it, its log going to `out`; `when_ready` is told once it takes part.

    Raises what the node could not start or go on for: ConfigError with all that is wrong, or a Fault.
    """
    services, node = build(folder, flags, tamper)
    globalLogBeginner.beginLoggingTo([textFileLogObserver(out)], redirectStandardIO=False)
    failures: list[Failure] = []

    def give_up(failure: Failure) -> None:
        failures.append(failure)
        with suppress(ReactorNotRunning):  # it breaks while it stops
            reactor.stop()

    def start() -> None:
        node.ready.addCallbacks(lambda _: when_ready(node), give_up)
        node.broken.addErrback(give_up)
        maybeDeferred(services.startService).addErrback(give_up)

    reactor.callWhenRunning(start)
    reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
    reactor.run()
    for failure in failures[:1]:
        failure.raiseException()
