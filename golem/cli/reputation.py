"""`golem reputation`: what this node knows of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.cli.command import Call, Parser, options
from golem.cli.exits import Exit
from golem.cli.words import short_node
from golem.control.views import Standing, views


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    options(parser, environ, _show)


def _show(call: Call) -> int:
    records = call.client.get("/reputation")
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    standings = sorted(views(Standing, records), key=lambda s: (s.role, -s.trust, s.node))
    rows = [(short_node(s.node), s.role, f"{s.trust:.2f}", s.deeds) for s in standings]
    call.screen.table(("NODE", "AS", "TRUST", "DEEDS"), rows, "nothing is known of other nodes yet")
    return Exit.OK
