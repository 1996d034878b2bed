"""The heap clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.interfaces import IReactorTime
from zope.interface.verify import verifyObject

from golem.testing.clock import Clock
from golem.testing.crash import MortalClock


def test_it_is_a_reactors_time() -> None:
    verifyObject(IReactorTime, Clock())


@given(st.lists(st.integers(0, 5), max_size=50))
def test_calls_happen_in_time_and_at_one_instant_in_the_order_they_were_made(delays: list[int]) -> None:
    clock, seen = Clock(0), []
    for number, delay in enumerate(delays):
        clock.callLater(delay, lambda n=number: seen.append((clock.seconds(), n)))
    clock.advance(10)
    assert seen == sorted((float(delay), number) for number, delay in enumerate(delays))
    assert clock.seconds() == 10


def test_what_is_due_later_waits() -> None:
    clock, seen = Clock(0), []
    clock.callLater(2, seen.append, 1)
    clock.advance(1.9)
    assert seen == []
    clock.advance(0.1)
    assert seen == [1]


def test_a_call_may_be_cancelled_moved_later_and_moved_earlier() -> None:
    clock, seen = Clock(0), []
    cancelled, later, earlier = (clock.callLater(5, seen.append, name) for name in ("cancelled", "later", "earlier"))
    cancelled.cancel()
    later.delay(3)
    earlier.reset(1)
    assert [call.getTime() for call in clock.getDelayedCalls()] == [1, 8]
    clock.advance(1)
    assert seen == ["earlier"]
    clock.advance(6.9)
    assert seen == ["earlier"]
    clock.advance(0.1)
    assert seen == ["earlier", "later"] and clock.getDelayedCalls() == []


def test_calls_made_by_calls_happen_in_the_same_advance() -> None:
    clock, seen = Clock(0), []

    def again() -> None:
        seen.append(clock.seconds())
        clock.callLater(1, again)

    clock.callLater(1, again)
    clock.advance(3.5)
    assert seen == [1, 2, 3]


def test_running_until_something_stops_at_once_and_gives_up_at_the_limit() -> None:
    clock, seen = Clock(0), []
    clock.callLater(1, seen.append, 1)
    clock.callLater(1, seen.append, 2)
    assert clock.run_until(lambda: bool(seen), 5) and seen == [1] and clock.seconds() == 1
    assert not clock.run_until(lambda: len(seen) > 2, 5)
    assert seen == [1, 2] and clock.seconds() == 6


def test_cancelled_calls_do_not_pile_up() -> None:
    clock = Clock(0)
    for _ in range(10_000):
        clock.callLater(3600, print).cancel()
    assert len(clock._heap) < 3_000


def test_a_call_that_raises_is_not_swallowed() -> None:
    clock = Clock(0)
    clock.callLater(1, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        clock.advance(1)


def test_what_came_due_while_a_process_stood_still_comes_afterwards_but_for_what_was_cancelled_meanwhile() -> None:
    world, seen = Clock(0), []
    clock = MortalClock(world)
    cancelled, kept = (clock.callLater(1, seen.append, name) for name in ("cancelled", "kept"))
    clock.freeze()
    world.advance(2)
    cancelled.cancel()
    assert seen == [] and kept.active()
    clock.thaw()
    world.advance(0)
    assert seen == ["kept"]
