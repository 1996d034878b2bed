"""`golem task explain` and `golem node explain`: why a task waits, and why a provider gets no work."""

from __future__ import annotations

from collections.abc import Sequence

from golem.cli.command import Call, find_task
from golem.cli.exits import Exit
from golem.cli.screen import YELLOW
from golem.cli.words import count, money, short_node, short_task, when
from golem.control.views import Explanation, Prospects, Reason, view

HEADERS = ("COUNT", "REASON", "SAID BY")


def explain_task(call: Call) -> int:
    """Where every chunk is, and what every known node says to those that wait."""
    record = call.client.get(f"/tasks/{find_task(call.client, call.args.task)}/explain")
    if call.screen.is_json:
        call.screen.record(record)
        return Exit.OK
    told = view(Explanation, record)
    call.screen.say(
        f"{told.phase}: of {count(told.chunks, 'chunk')} {told.accepted} accepted, {told.verifying} in verification, "
        f"{told.computing} computing, {told.waiting} waiting"
    )
    if told.reason:
        call.screen.say(told.reason)
    for group in told.groups:
        names = ", ".join(group.which) + (", …" if group.chunks > len(group.which) else "")
        call.screen.say()
        call.screen.say(f"{count(group.chunks, 'chunk')} ({names}): of {count(told.peers, 'known node')}")
        _table(call, group.reasons, "no node is known")
    return _advise(call, told.advice)


def explain_node(call: Call) -> int:
    """What this provider says to every demand it knows, and how its offers fared."""
    record = call.client.get("/explain")
    if call.screen.is_json:
        call.screen.record(record)
        return Exit.OK
    told = view(Prospects, record)
    queued = f", {count(told.queued, 'job')} waiting for one" if told.queued else ""
    call.screen.say(f"{told.busy} of {count(told.slots, 'slot')} busy{queued}; {count(told.peers, 'peer')} connected")
    if told.reached:
        call.screen.say(f"reached {told.reached}")
    if told.raters:
        call.screen.say(f"trusted {told.network:.2f} as a provider, in the mean of about {told.raters:.1f} raters")
    call.screen.say(f"of {count(told.demands, 'demand')} known")
    _table(call, told.reasons, "none")
    call.screen.say(
        f"of {count(told.offers, 'offer')} made {told.taken} led to work, {told.waiting} wait for an answer, "
        f"{told.offers - told.taken - told.waiting} came to nothing"
    )
    _table(call, told.losses, "none was lost")
    rows = [
        (short_task(lost.task_id), short_node(lost.requestor), when(lost.at_ms), money(lost.asked), _paid(lost.price))
        for lost in told.lost
    ]
    if rows:
        call.screen.table(("LOST TASK", "REQUESTOR", "WHEN", "WE ASKED", "OTHERS GOT"), rows, "")
    return _advise(call, told.advice)


def _paid(price: str) -> str:
    return money(price) if int(price) else "not known"


def _table(call: Call, reasons: Sequence[Reason], empty: str) -> None:
    rows = [(reason.count, reason.reason, reason.by) for reason in reasons]
    call.screen.table(HEADERS, rows, empty)


def _advise(call: Call, advice: Sequence[str]) -> int:
    for words in advice:
        call.screen.say(f"advice: {words}", YELLOW)
    return Exit.OK
