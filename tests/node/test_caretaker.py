"""When a machine takes no new work: out of hours, with a full disk, while somebody else uses it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from golem.model.messages import Reason
from golem.node import caretaker
from golem.node.caretaker import LOOK_S, LOOKS, Caretaker, House, Load
from golem.node.disk import free_bytes
from golem.node.hours import is_open, span
from golem.node.memory import Usage
from golem.testing.clock import Clock

MONDAY_S = 4 * 86_400  # the fifth day of 1970 was one


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Fixed(Load):
    """A machine that others use so much."""

    def __init__(self) -> None:
        super().__init__(list)
        self.share = 0.0

    def others(self) -> float:
        return self.share


def minded(house: House) -> tuple[Caretaker, Clock, Fixed, list[Reason | None]]:
    clock, load, said = Clock(), Fixed(), list[Reason | None]()
    return Caretaker(house, clock, load, lambda rested: said.append(rested.reason)), clock, load, said


@pytest.mark.parametrize(
    ("spans", "open_at", "shut_at"),
    [
        ((), ("mon 12:00",), ()),
        (("22:00-06:00",), ("mon 22:00", "tue 05:59", "mon 00:00"), ("mon 21:59", "mon 06:00", "mon 12:00")),
        (("fri 22:00-06:00",), ("fri 23:00", "sat 05:00"), ("fri 05:00", "sat 23:00")),
        (("sat-sun 00:00-24:00",), ("sat 00:00", "sun 23:59"), ("fri 23:59", "mon 00:00")),
        (("fri-mon 08:00-09:00",), ("fri 08:00", "sun 08:59", "mon 08:30"), ("tue 08:00", "thu 08:30")),
        (("sun 22:00-06:00",), ("sun 22:00", "mon 05:00"), ("mon 22:00",)),
        (("01:00-02:00", "03:00-04:00"), ("mon 01:30", "mon 03:30"), ("mon 02:30",)),
    ],
)
def test_hours_are_open_when_they_say(
    spans: tuple[str, ...], open_at: tuple[str, ...], shut_at: tuple[str, ...]
) -> None:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    for moments, expected in ((open_at, True), (shut_at, False)):
        for moment in moments:
            day, hour, minute = moment[:3], int(moment[4:6]), int(moment[7:])
            at_s = MONDAY_S + days.index(day) * 86_400 + hour * 3_600 + minute * 60
            assert is_open(spans, at_s) is expected, moment


@pytest.mark.parametrize("text", ["", "22-06", "22:00-22:00", "24:01-01:00", "12:60-13:00", "xyz 10:00-11:00"])
def test_what_is_no_span_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="must be like"):
        span(text)


def test_only_what_changes_is_said_and_first_of_all_how_it_is(tmp_path: Path) -> None:
    keeper, clock, load, said = minded(House(folder=str(tmp_path), is_idle_only=True))
    keeper.startService()
    clock.advance(10 * LOOK_S)
    assert said == [None]
    load.share = 0.5
    clock.advance(10 * LOOK_S)
    load.share = 0.1
    clock.advance(10 * LOOK_S)
    assert said == [None, Reason.IN_USE, None]
    keeper.stopService()
    assert clock.getDelayedCalls() == []


def test_the_use_of_a_machine_that_works_at_any_time_is_nobodys_business(tmp_path: Path) -> None:
    keeper, clock, load, said = minded(House(folder=str(tmp_path)))
    load.share = 1.0
    keeper.startService()
    clock.advance(10 * LOOK_S)
    assert said == [None]


def test_out_of_hours_nothing_begins(tmp_path: Path) -> None:
    keeper, clock, _, said = minded(House(folder=str(tmp_path), hours=("00:00-01:00",)))
    clock.advance(-clock.seconds() % 86_400)
    keeper.startService()
    for hours in (2, 20, 2.5):
        clock.advance(hours * 3_600)
    assert said == [None, Reason.HOURS, None]


def test_a_disk_that_is_full_must_be_well_free_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 1_000
    monkeypatch.setattr(caretaker, "free_bytes", lambda folder: free)
    keeper, clock, _, said = minded(House(folder=str(tmp_path), min_free_bytes=1_000))
    keeper.startService()
    for free in (999, 1_000, 1_249, 1_250, 1_000):  # noqa: B007 - read by the double
        clock.advance(LOOK_S)
    assert said == [None, Reason.DISK, None]
    assert free_bytes(str(tmp_path)) > 0


def test_what_the_node_and_its_jobs_do_is_no_use_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, own = 0, 0

    total = 0

    def read(path: Path, *_: object) -> str:
        nonlocal total
        total += 1_000
        return f"cpu {busy} 0 0 {total - busy} 0 0 0 0 0 0\n"

    monkeypatch.setattr(Path, "read_text", read)
    monkeypatch.setattr(caretaker, "usage", lambda *pids: Usage(cpu_ticks=own))
    load = Load(list)
    for _ in range(LOOKS + 1):
        busy, own = busy + 500, own + 480
        share = load.others()
    assert share == pytest.approx(0.02)
    for _ in range(LOOKS):
        busy, own = busy + 500, own + 100
        share = load.others()
    assert share == pytest.approx(0.4)
    busy, own = busy + 100, own + 100
    assert load.others() == 0.0, "one quiet look is enough"


def test_the_load_of_this_very_machine_can_be_read() -> None:
    assert 0.0 <= Load(list).others() <= 1.0
