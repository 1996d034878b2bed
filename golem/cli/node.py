"""`golem node start`: run a node in the foreground. As a service: `twistd golem`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from golem import twistd
from golem.cli.command import Call, Parser, Verbs, add_settings
from golem.cli.exits import Exit


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    start = Verbs(parser, environ).add("start", _start, "run the node until it is interrupted")
    add_settings(start)


def _start(call: Call) -> int:
    def ready() -> None:
        if call.screen.is_json:
            call.screen.record({"folder": str(call.folder)})
        else:
            call.screen.say(f"the node in {call.folder} runs; ctrl-c stops it")

    twistd.run(str(call.folder), dict(call.args.set), sys.stderr, ready)
    return Exit.OK
