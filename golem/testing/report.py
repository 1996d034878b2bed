"""One run as one HTML file that needs nothing else: lanes of nodes over time, each task's messages, money, logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from golem.cli.words import display, money
from golem.testing.mishaps import Fault
from golem.testing.player import SKIPPED, Played
from golem.testing.record import Arrival

MOST_ARROWS = 400  # of one task; more can't be told apart
MOST_LINES = 3_000  # of the log: what a browser shows at once
LEFT, WIDTH, LANE, COLUMN, ROW = 120, 1_030, 34, 150, 22
STYLE = """
:root{--ink:#1d2433;--soft:#667085;--line:#e3e7ee;--paper:#fff;--back:#f6f7f9;--good:#12805c;--bad:#c0362c;--skip:#a15c00;
--band:#f2b8a0;--arrow:#4f6bed;--coin:#b7891b}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--line:#2c3442;--paper:#171c26;--back:#10141c;
--good:#4cc38a;--bad:#ff7b72;--skip:#e0a458;--band:#7a3b28;--arrow:#8fa2ff;--coin:#e3b64f}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1280px;padding:32px 24px;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}h1{font-size:24px;margin:0}h2{font-size:17px;margin:0 0 12px}
.soft{color:var(--soft)}section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:20px;
margin:20px 0;overflow-x:auto}table{border-collapse:collapse;width:100%}td,th{padding:5px 10px;text-align:left;
border-bottom:1px solid var(--line);vertical-align:top}th{color:var(--soft);font-weight:500}
.mono,pre{font:12.5px/1.5 ui-monospace,monospace}.passed,.held{color:var(--good)}.failed,.broken,.loud{color:var(--bad)}
.skipped{color:var(--skip)}.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
svg{display:block}svg text{font:12px system-ui,sans-serif;fill:var(--ink);
paint-order:stroke;stroke:var(--paper);stroke-width:3px}svg .soft{fill:var(--soft)}.log{max-height:520px;overflow:auto}
.log tr.loud td{background:color-mix(in srgb,var(--bad) 12%,transparent)}code{user-select:all}
"""


def html(played: Played, again: str) -> str:
    """The report. `again`: the command that runs it again."""
    scenario = played.scenario
    trace = f"<br><span class='soft mono'>trace {played.trace}</span>" if played.trace else ""
    parts = [
        f"<h1>{escape(scenario.name)} <span class='{played.outcome}'>{played.outcome}</span></h1>",
        f"<p class=soft>level {played.level} &middot; seed {scenario.seed}"
        f" &middot; {played.ended_ms / 1000:.3f} s of scenario time"
        f" &middot; {len(scenario.members)} nodes &middot; {len(scenario.faults)} faults</p>",
        f"<p>Again: <code class=mono>{escape(again)}</code>{trace}</p>",
        _section("What was expected", _verdicts(played)),
        _section("Time", _lanes(played)),
        *(_section(f"Task {escape(task)}", _sequence(played, arrows)) for task, arrows in _by_task(played).items()),
        _section("Money", _money(played)),
        _section("Turns and logs", _log(played)),
    ]
    if played.story:
        parts.append(_section("The last turns of every node", f"<pre>{escape(display_lines(played.story))}</pre>"))
    title = f"{escape(scenario.name)}: {played.outcome}"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{title}</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def display_lines(text: str) -> str:
    """Text of strangers, line by line."""
    return "\n".join(map(display, text.splitlines()))


def _section(title: str, inner: str) -> str:
    return f"<section><h2>{title}</h2>{inner}</section>"


def _table(heads: Sequence[str], rows: Iterable[str]) -> str:
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{''.join(rows)}</table>"


def _verdicts(played: Played) -> str:
    rows = (
        f"<tr><td class=number>{v.line or ''}</td><td class=mono>{escape(v.what)}</td>"
        f"<td class={v.outcome}>{v.outcome}</td><td>{escape(display(v.detail))}</td></tr>"
        for v in played.verdicts
    )
    return _table(("line", "", "", ""), rows)


def _lanes(played: Played) -> str:
    """Nodes as lanes, faults as bands over the lanes they concern, messages as strokes, payments as coins."""
    names = [member.name for member in played.scenario.members]
    lane = {name: 26 + LANE * number for number, name in enumerate(names)}
    end_ms, bottom = max(1, played.ended_ms), 26 + LANE * len(names)
    parts = [f"<svg width={LEFT + WIDTH + 40} height={bottom + 12} role=img aria-label='Nodes over time'>"]
    for number in range(11):
        x, at_s = LEFT + WIDTH * number / 10, end_ms * number / 10_000
        parts.append(f"<line x1={x} x2={x} y1=20 y2={bottom} stroke='var(--line)'/>")
        parts.append(f"<text class=soft x={x} y=13 text-anchor=middle>{at_s:.1f} s</text>")
    labels = []
    for fault in _brought_about(played):
        x, width = LEFT + WIDTH * fault.at_ms / end_ms, max(3.0, WIDTH * fault.for_ms / end_ms)
        for name in fault.nodes or names:
            parts.append(_band(x, lane[name], min(width, LEFT + WIDTH - x), LANE - 6, fault))
        first = lane[(fault.nodes or names)[0]]
        labels.append(f"<text class=soft x={x + 4:.1f} y={first + 11}>{_kind(fault)}</text>")
    for name in names:
        middle = lane[name] + (LANE - 6) / 2
        parts.append(f"<text x=4 y={middle + 4}>{escape(name)}</text>")
        parts.append(f"<line x1={LEFT} x2={LEFT + WIDTH} y1={middle} y2={middle} stroke='var(--soft)' opacity=.5 />")
    parts += [_stroke(arrow, lane, end_ms) for arrow in played.record.arrivals if arrow.source in lane]
    parts += [_coin(at_ms, payee, lane, end_ms) for at_ms, _, payee, _ in played.record.payments]
    parts += labels  # above all that would hide them
    legend = "bands: faults &middot; strokes: messages &middot; dots: payments received"
    return "".join(parts) + f"</svg><p class=soft>{legend}</p>"


def _brought_about(played: Played) -> list[Fault]:
    """The faults that were not skipped."""
    skipped = {verdict.what for verdict in played.verdicts if verdict.outcome == SKIPPED}
    return [fault for fault in played.scenario.faults if str(fault) not in skipped]


def _kind(fault: Fault) -> str:
    return type(fault).__name__.lower()


def _band(x: float, y: float, width: float, height: float, fault: Fault) -> str:
    return (
        f"<rect x={x:.1f} y={y} width={width:.1f} height={height} rx=3 fill='var(--band)' opacity=.55>"
        f"<title>{escape(str(fault))}</title></rect>"
    )


def _stroke(arrow: Arrival, lane: Mapping[str, int], end_ms: int) -> str:
    x, half = LEFT + WIDTH * arrow.at_ms / end_ms, (LANE - 6) / 2
    said = escape(f"{arrow.at_ms / 1000:.3f} s: {arrow.kind} from {arrow.source} to {arrow.target}")
    return (
        f"<line x1={x:.1f} x2={x:.1f} y1={lane[arrow.source] + half} y2={lane[arrow.target] + half} "
        f"stroke='var(--arrow)' opacity=.45><title>{said}</title></line>"
    )


def _coin(at_ms: int, payee: str, lane: Mapping[str, int], end_ms: int) -> str:
    if payee not in lane:
        return ""
    x = LEFT + WIDTH * at_ms / end_ms
    return f"<circle cx={x:.1f} cy={lane[payee] + (LANE - 6) / 2} r=5 fill='var(--coin)'/>"


def _by_task(played: Played) -> dict[str, list[Arrival]]:
    found: dict[str, list[Arrival]] = {name: [] for name in played.record.tasks.values()}
    for arrow in sorted(played.record.arrivals):  # real nodes tell of them in their own order
        if arrow.task:
            found[arrow.task].append(arrow)
    return found


def _sequence(played: Played, arrows: Sequence[Arrival]) -> str:
    """A sequence diagram: a column a node, time downwards, one row a message; bands where a fault was in force."""
    if not arrows:
        return "<p class=soft>Nobody said anything about it.</p>"
    shown = arrows[:MOST_ARROWS]
    seen = dict.fromkeys(name for arrow in shown for name in (arrow.source, arrow.target))
    own = [member.name for member in played.scenario.members if member.name in seen]
    names = list(dict.fromkeys([*own, *seen]))
    column = {name: LEFT + 60 + COLUMN * number for number, name in enumerate(names)}
    height = 40 + ROW * len(shown)
    parts = [
        f"<svg width={LEFT + 60 + COLUMN * len(names)} height={height} role=img aria-label='Messages'>"
        "<defs><marker id=tip viewBox='0 0 8 8' refX=7 refY=4 markerWidth=8 markerHeight=8 orient=auto>"
        "<path d='M0 0L8 4L0 8z' fill='var(--arrow)'/></marker></defs>"
    ]
    for name, x in column.items():
        parts.append(f"<text x={x} y=14 text-anchor=middle font-weight=600>{escape(name)}</text>")
        parts.append(f"<line x1={x} x2={x} y1=22 y2={height} stroke='var(--line)'/>")
    bands, labels = _in_force(played, shown, column)
    parts += bands
    for number, arrow in enumerate(shown):
        y, one, other = 40 + ROW * number, column[arrow.source], column[arrow.target]
        parts.append(f"<text class=soft x={LEFT - 20} y={y + 4} text-anchor=end>{arrow.at_ms / 1000:.3f} s</text>")
        parts.append(
            f"<line x1={one} x2={other} y1={y} y2={y} stroke='var(--arrow)' marker-end='url(#tip)'/>"
            f"<text x={(one + other) / 2} y={y - 4} text-anchor=middle>{escape(arrow.kind)}</text>"
        )
    parts += labels
    rest = f"<p class=soft>and {len(arrows) - len(shown)} more</p>" if len(arrows) > len(shown) else ""
    return "".join(parts) + "</svg>" + rest


def _in_force(played: Played, shown: Sequence[Arrival], column: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Bands where a fault was in force, over the columns of whom it concerned, and their labels."""
    bands, labels = list[str](), list[str]()
    for fault in _brought_about(played):
        during = [n for n, arrow in enumerate(shown) if 0 <= arrow.at_ms - fault.at_ms <= fault.for_ms]
        for name in (fault.nodes or column) if during else ():
            if name in column:
                x, y = column[name] - COLUMN / 6, 40 + ROW * (during[0] - 0.5)
                bands.append(_band(x, y, COLUMN / 3, ROW * len(during), fault))
                labels.append(f"<text class=soft x={x + 3:.1f} y={y + 12}>{_kind(fault)}</text>")
    return bands, labels


def _money(played: Played) -> str:
    total: dict[tuple[str, str], tuple[int, int]] = {}
    for _, payer, payee, wei in played.record.payments:
        times, paid = total.get((payer, payee), (0, 0))
        total[payer, payee] = times + 1, paid + wei
    if not total:
        return "<p class=soft>Nobody paid anybody.</p>"
    rows = (
        f"<tr><td>{escape(payer)}</td><td>{escape(payee)}</td><td class=number>{times}</td>"
        f"<td class=number>{money(wei)}</td><td class='number mono'>{wei}</td></tr>"
        for (payer, payee), (times, wei) in sorted(total.items())
    )
    return _table(("from", "to", "payments", "in all", "wei"), rows)


def _log(played: Played) -> str:
    lines = sorted(played.record.lines, key=lambda line: line.at_ms)[-MOST_LINES:]
    rows = (
        f"<tr{' class=loud' if line.is_loud else ''}><td class=number>{line.at_ms / 1000:.3f} s</td>"
        f"<td>{escape(line.who)}</td><td>{escape(display(line.text))}</td></tr>"
        for line in lines
    )
    return f"<div class='log mono'>{_table(('time', 'who', 'what'), rows)}</div>"
