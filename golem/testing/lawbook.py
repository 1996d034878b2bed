"""The laws that nodes live by: which there are, when each is looked at, and by what. `chaos --laws` prints them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

EVERY_TURN, QUIET, TESTS = "every turn", "when quiet", "in tests"


class Law(NamedTuple):
    """`by`: what looks at it, as module:name or a folder or module of tests."""

    name: str
    says: str
    when: str
    by: tuple[str, ...]


_INVARIANTS = "golem.testing.invariants:"
_QUIET = ("golem.testing.quiet:check_quiet",)
_IN_CHAOS = ("golem.testing.chaos:check_rest",)


def _told(*names: str) -> tuple[str, ...]:
    return tuple(f"{_INVARIANTS}{name}" for name in names)


LAWS = (
    Law("I1", "nobody pays more than it promised", EVERY_TURN, _told("payments_were_promised", "income_is_real")),
    Law("I1, I2", "all promised is paid; both books and the chain agree", QUIET, _QUIET),
    Law("I2", "a ledger sums to zero", EVERY_TURN, ("golem.core.ledger:check", *_told("debts_are_booked"))),
    Law("I3", "spent and promised are within the budget", EVERY_TURN, ("golem.node.laws:budget_holds",)),
    Law("I3", "they are the sums of what the attempts say", EVERY_TURN, ("golem.testing.boards:totals_are_sums",)),
    Law("I4", "what is accepted was fetched and checked before", TESTS, ("tests/core", "tests/ipfs")),
    Law("I5", "a chunk is accepted once, and never lost", EVERY_TURN, ("golem.testing.boards:chunks_are_done_once",)),
    Law("I6", "only transitions of the table", EVERY_TURN, ("golem.testing.local:LocalNetwork",)),
    Law("I6, R14", "every task ends", QUIET, _QUIET),
    Law("I7", "a chunk has one lease, or one for each copy", EVERY_TURN, ("golem.node.laws:chunks_are_leased_once",)),
    Law("I8", "no job leaves a file behind", QUIET, _IN_CHAOS),
    Law("I8", "nor a process", TESTS, ("tests/node", "tests/adapters")),
    Law("R1", "what was asked for comes to its end, whoever died", QUIET, _IN_CHAOS),
    Law("I9", "no content is kept for what is over", QUIET, _IN_CHAOS),
    Law("I10", "no failure that nobody foresaw", EVERY_TURN, ("golem.testing.local:LocalNetwork",)),
    Law("I10", "no file, call or thread is left", TESTS, ("golem.testing.plugin:golem_watch", "tests/conftest.py")),
    Law("I11", "what is refused changes nothing", TESTS, ("tests/hostile", "tests/core")),
    Law(
        "I12", "income is what somebody signed for", EVERY_TURN, ("golem.wire.seals:verify", *_told("dues_are_booked"))
    ),
    Law("I13", "evidence is never negative, and comes of deeds", EVERY_TURN, _told("trust_is_a_share")),
    Law("I13", "who paid late is trusted less", EVERY_TURN, _told("lateness_is_remembered")),
    Law("I14", "no work for who owes more than was agreed", TESTS, ("golem.core.market:unpaid_for", "tests/core")),
    Law("I15", "nonces follow one another", TESTS, ("tests/adapters",)),
    Law("I16", "caches are within their bounds", EVERY_TURN, _told("caches_are_bounded")),
    Law("I16", "messages are numbered without a gap", EVERY_TURN, ("golem.node.mail:Mail",)),
    Law("I17", "the journal tells all that a node knows", QUIET, ("golem.testing.quiet:journal_tells_all",)),
    Law("I18", "no turn of a real node takes long", EVERY_TURN, ("golem.testing.pulse:Pulse",)),
    Law("I19", "no secret is shown", TESTS, ("tests/adapters", "tests/node")),
    Law("I20", "what is shown counts what the books say", QUIET, ("golem.testing.quiet:shown_adds_up",)),
    Law("I21", "nothing hangs on another's clock", QUIET, ("golem.testing.adversaries:ClockLiar", *_QUIET)),
    Law("I22", "quiet within half an hour after the last fault", QUIET, _IN_CHAOS),
    Law("I23", "a second run takes the same turns", TESTS, ("tests/scenario",)),
    Law("I24", "the control API shows the state", TESTS, ("tests/control",)),
    Law("R18", "who is told to stop stops", EVERY_TURN, _told("told_to_stop_is_stopped")),
)


def table() -> Iterator[str]:
    """A line for each law, as a table of Markdown."""
    yield "| Law | Looked at | By |"
    yield "|---|---|---|"
    for law in LAWS:
        by = ", ".join(f"`{by.rpartition(':')[2]}`" for by in law.by)
        yield f"| {law.name} {law.says} | {law.when} | {by} |"
