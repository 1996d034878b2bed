"""Every deed of the table is noted when it is done, about the subtask that it was done in, in its own role alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from golem.core.income import GRACE_MS
from golem.core.reputation import DAY_MS, Deed, Role
from golem.model import events as e
from golem.model.effects import Fetch
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Judgement, Verdict
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from tests.core import providing, requesting
from tests.core.test_consequences import delivered, hired, lets_time_run_out, lies, owns_up, sends_rubbish, withholds
from tests.core.test_sources import SCENE

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `(\w+)` \|(.*)\|$", re.MULTILINE)


class Trusting(Toy):
    """A toy that looks at nothing."""

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """Taken as it is."""
        return Verdict(judgement=Judgement.ACCEPT, checked=False)


def does_it_right() -> Solo:
    me = hired()
    delivered(me)
    return me


def is_taken_at_its_word() -> Solo:
    me = requesting.at_work("bob", template=Trusting())
    me.hear("bob", requesting.delivery(requesting.assigned(me, "bob")[0]))
    return me


def sends_false_bytes() -> Solo:
    me = requesting.at_work("bob")
    me.hear("bob", requesting.delivery(requesting.assigned(me, "bob")[0], with_content=True))
    me.post(e.Deceived(key=me.one(Fetch).key, source="bob:2"))
    return me


def pays(late_ms: int) -> Solo:
    me = providing.hired()
    providing.works(me)
    providing.sees(me, paid=1_000, after_ms=DAY_MS + late_ms)
    return me


def never_pays() -> Solo:
    me = providing.hired()
    providing.works(me)
    providing.sees(me, paid=0, after_ms=DAY_MS + GRACE_MS + 1)
    return me


def wants_an_input() -> Solo:
    me, plain = providing.hired(), providing.assignment()
    me.hear("alice", evolve(plain, job=evolve(plain.job, inputs=(SCENE,))))
    return me


def has_no_input() -> Solo:
    me = wants_an_input()
    me.post(e.Failed(key=me.one(Fetch).key, fault="ContentMissing", detail="nobody has it"))
    return me


def sends_a_false_input() -> Solo:
    me = wants_an_input()
    me.post(e.Deceived(key=me.one(Fetch).key, source="alice:2"))
    return me


STORIES: dict[Deed, Callable[[], Solo]] = {
    Deed.VERIFIED: does_it_right,
    Deed.UNCHECKED: is_taken_at_its_word,
    Deed.ERROR: owns_up,
    Deed.TIMEOUT: lets_time_run_out,
    Deed.MALFORMED: sends_rubbish,
    Deed.FALSE_BYTES: sends_false_bytes,
    Deed.WRONG: lies,
    Deed.PAID: lambda: pays(-1),
    Deed.PAID_LATE: lambda: pays(1),
    Deed.NOT_PAID: never_pays,
    Deed.BAD_TASK: has_no_input,
    Deed.FALSE_INPUT: sends_a_false_input,
}


@pytest.mark.parametrize("deed", STORIES, ids=lambda deed: deed.name)
def test_a_deed_is_noted_with_its_subtask_in_its_own_role(deed: Deed) -> None:
    me = STORIES[deed]()
    ((doer, (noted,)),) = me.state.dealings.deeds.items()
    name = "bob" if deed.role is Role.PROVIDER else "alice"
    assert doer == f"{deed.role.value}/{FixedKeyring(name).node_id}"
    assert noted.deed == deed.name
    assert noted.about in {*me.state.subtasks, *me.state.works}


def test_to_withhold_a_result_is_a_time_out() -> None:
    ((noted,),) = withholds().state.dealings.deeds.values()
    assert noted.deed == Deed.TIMEOUT.name


def test_each_whole_day_of_lateness_is_a_deed_of_its_own() -> None:
    (noted,) = pays(2 * DAY_MS).state.dealings.deeds.values()
    assert [one.deed for one in noted] == [Deed.PAID_LATE.name, Deed.ONE_DAY_LATER.name, Deed.ONE_DAY_LATER.name]


def test_the_documents_have_a_row_for_every_deed_with_its_numbers() -> None:
    numbers = {name: cells.split("|")[:2] for name, cells in ROW.findall((DOCS / "economics.md").read_text())}
    assert {name: tuple(float(cell.strip() or 0) for cell in cells) for name, cells in numbers.items()} == {
        deed.name.lower(): (deed.good, deed.bad) for deed in Deed
    }
    assert {name for name, _ in ROW.findall((DOCS / "reputation.md").read_text())} == {d.name.lower() for d in Deed}
