"""`golem node start`: run a node in the foreground; as a service: `twistd golem`. `golem node explain`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from golem import twistd
from golem.cli.command import Call, Parser, Verbs, add_settings
from golem.cli.exits import Exit
from golem.cli.explain import explain_node
from golem.node.node import Node


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    start = verbs.add("start", _start, "run the node until it is interrupted")
    verbs.add("explain", explain_node, "say why a provider gets no work, or not more")
    add_settings(start)


def _start(call: Call) -> int:
    def ready(_: Node) -> None:
        if call.screen.is_json:
            call.screen.record({"folder": str(call.folder)})
        else:
            call.screen.say(f"the node in {call.folder} runs; ctrl-c stops it")

    twistd.run(str(call.folder), dict(call.args.set), sys.stderr, ready)
    return Exit.OK
