"""`golem peer`: the nodes that this one has met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.cli.command import Call, Parser, Verbs, find_node
from golem.cli.exits import Exit
from golem.cli.words import count, money, short_node
from golem.control.others import Peer, Speed
from golem.control.views import view, views


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    verbs.add("list", _list, "list the nodes that this one has met, those with a session first")
    show = verbs.add("show", _show, "show one of them, and what there is between us")
    show.add_argument("node", metavar="ID", help="the node's id, or its start")


def _list(call: Call) -> int:
    records = call.client.get("/peers")
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    rows = [
        (short_node(p.node), p.address or "none", _session(p), _trust(p, "provider"), _trust(p, "requestor"))
        for p in views(Peer, records)
    ]
    headers = ("NODE", "ADDRESS", "SESSION", "AS PROVIDER", "AS REQUESTOR")
    call.screen.table(headers, rows, "no node was met yet; golem status says how to find some")
    return Exit.OK


def _show(call: Call) -> int:
    record = call.client.get(f"/peers/{find_node(call.client, '/peers', call.args.node)}")
    if call.screen.is_json:
        call.screen.record(record)
        return Exit.OK
    peer = view(Peer, record)
    call.screen.fields(
        ("node", peer.node),
        ("address", peer.address or "none: it does not listen"),
        ("content at", peer.gateway),
        ("account", peer.account),
        ("session", _session(peer)),
        ("trust as provider", _trust(peer, "provider")),
        ("trust as requestor", _trust(peer, "requestor")),
        *((f"speed at {name}", _speed(speed)) for name, speed in peer.speeds.items()),
        ("computes for us", peer.computes_for_us),
        ("computed here", peer.computed_here),
        ("we owe it", money(peer.owed)),
        ("it owes us", money(peer.due)),
        ("its word", f"on {count(peer.neighbours_word_of, 'node')}, believed to {peer.believed:.0%}"),
    )
    call.screen.note(f"what made its trust: golem reputation why {short_node(peer.node)}")
    return Exit.OK


def _session(peer: Peer) -> str:
    return "yes" if peer.is_connected else "no"


def _speed(speed: Speed) -> str:
    measured = f"{speed.measured}% of the template's guess, by verified work" if speed.measured else "not measured"
    return f"{measured}; it claims {speed.claimed}%" if speed.claimed else measured


def _trust(peer: Peer, role: str) -> str:
    return f"{peer.trust.get(role, 0.5):.2f}"
