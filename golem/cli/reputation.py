"""`golem reputation`: what this node knows of others, and which deeds made that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.cli.command import Call, Parser, Verbs, find_node
from golem.cli.exits import Exit
from golem.cli.words import count, money, short_node, short_task, when
from golem.control.others import Ground, Standing, Story
from golem.control.views import views


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    verbs.add("list", _list, "list how far every known node is trusted, by role")
    show = verbs.add("show", _show, "show what a node's trust rests on")
    why = verbs.add("why", _why, "show the deeds, own and heard, that made a node's trust")
    for verb in (show, why):
        verb.add_argument("node", metavar="ID", help="the node's id, or its start")


def _list(call: Call) -> int:
    records = call.client.get("/reputation")
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    standings = sorted(views(Standing, records), key=lambda s: (s.role, -s.trust, s.node))
    rows = [
        (
            short_node(s.node),
            s.role,
            f"{s.trust:.2f}",
            s.deeds,
            f"{s.heard_good + s.heard_bad:.2f}",
            f"{s.network_weight:.2f}",
            _quarantine(s),
        )
        for s in standings
    ]
    headers = ("NODE", "AS", "TRUST", "DEEDS", "HEARD", "NETWORK", "")
    call.screen.table(headers, rows, "nothing is known of other nodes yet")
    return Exit.OK


def _quarantine(s: Standing) -> str:
    return "quarantine: a wrong result" if s.is_quarantined else ""


def _stories(call: Call) -> list[Story]:
    node = find_node(call.client, "/reputation", call.args.node)
    records = call.client.get(f"/reputation/{node}")
    if call.screen.is_json:
        call.screen.record(records)
        return []
    return views(Story, records)


def _show(call: Call) -> int:
    for s in _stories(call):
        call.screen.fields(
            ("node", s.node),
            ("as", s.role),
            ("trust", f"{s.trust:.3f}"),
            ("own", f"{count(s.deeds, 'deed')}: {s.good:.2f} good, {s.bad:.2f} bad"),
            ("heard", f"from {count(s.neighbours, 'neighbour')}: {s.heard_good:.2f} good, {s.heard_bad:.2f} bad"),
            ("network", f"a mean of {s.network:.2f}, counted as {s.network_weight:.2f} deeds"),
            ("new work", _quarantine(s)),
        )
        call.screen.say()
    return Exit.OK


def _why(call: Call) -> int:
    for s in _stories(call):
        good, bad = sum(g.good for g in s.made_of), sum(g.bad for g in s.made_of)
        call.screen.say(f"{s.node} as {s.role}: {s.trust:.3f} = ({good:.2f} + 1) / ({good:.2f} + {bad:.2f} + 2)")
        rows = [*(_row(ground) for ground in s.made_of), *_sum(good, bad, s.made_of)]
        headers = ("SOURCE", "WHAT", "WHEN", "GOOD", "BAD", "SUBTASK", "AT STAKE", "EVIDENCE")
        call.screen.table(headers, rows, "nothing yet: a stranger has 0.5")
        call.screen.say()
    return Exit.OK


def _sum(good: float, bad: float, made_of: Sequence[Ground]) -> list[tuple[object, ...]]:
    return [("all", "", "", f"{good:.2f}", f"{bad:.2f}", "", "", "")] if made_of else []


def _row(g: Ground) -> tuple[object, ...]:
    source = f"{g.source} {short_node(g.by)}" if g.by else g.source
    what = f"{g.what} {g.said_good:.2f} good, {g.said_bad:.2f} bad" if g.by else g.what
    stake = money(g.stake) if g.subtask else ""
    return source, what, when(g.at_ms), f"{g.good:.2f}", f"{g.bad:.2f}", short_task(g.subtask), stake, _evidence(g)


def _evidence(g: Ground) -> str:
    told = [
        g.why,
        f"result {g.result}" if g.result else "",
        f"signed: golem task evidence {short_task(g.task)}" if g.task else "",
        "a signed voucher" if g.voucher else "",
        f"believed to {g.believed:.0%}" if g.source != "own" else "",
        f"at most {g.limit:.2f}, as it earned here" if g.by else "",
    ]
    return "; ".join(part for part in told if part)
