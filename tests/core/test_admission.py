"""Those who work at a task, and nobody else, can open its content: they know its ticket."""

from __future__ import annotations

from golem.model import events as e
from golem.model.effects import Admit
from golem.model.ids import Ticket, derive, ticket
from golem.model.messages import Assignment
from golem.model.value import evolve
from golem.testing.solo import Solo
from tests.core.providing import DONE, TASK, assignment, demand, provider_near
from tests.core.requesting import at_work

GIVEN = Ticket(b"t" * 32)


def _restarted(me: Solo) -> list[Admit]:
    return [effect for effect in me.post(me.turn().started) if isinstance(effect, Admit)]


def _hired() -> Solo:
    me = provider_near()
    me.hear("alice", demand())
    me.hear("alice", evolve(assignment(), ticket=GIVEN))
    return me


def test_every_provider_of_a_task_gets_its_one_ticket_and_the_requestor_serves_by_it() -> None:
    me = at_work("bob", "carol")
    tickets = {me.state.boards[TASK].task.ticket}
    assert {message.ticket for message in me.said(Assignment)} <= tickets
    assert len(tickets.pop()) == 32


def test_a_ticket_can_not_be_told_from_what_is_public() -> None:
    other = TASK[:-1] + "0"
    made = {ticket(task, salt) for task in (TASK, type(TASK)(other)) for salt in (b"a" * 16, b"b" * 16)}
    assert len(made) == 4


def test_a_provider_serves_by_the_ticket_it_was_given() -> None:
    me = _hired()
    assert me.one(Admit) == Admit(task_id=TASK, ticket=GIVEN)


def test_after_a_restart_the_same_is_served_as_before() -> None:
    me = at_work("bob")
    (admit,) = _restarted(me)
    assert admit == Admit(task_id=TASK, ticket=me.state.boards[TASK].task.ticket)
    provider = _hired()
    assert _restarted(provider) == [Admit(task_id=TASK, ticket=GIVEN)]
    provider.post(e.Executed(key=derive("s", 0), outcome=DONE))
    assert _restarted(provider) == [Admit(task_id=TASK, ticket=GIVEN)]


def test_what_is_over_is_not_served_again() -> None:
    me = at_work("bob")
    me.post(e.TaskCancelled(task_id=TASK))
    assert _restarted(me) == []
    provider = _hired()
    provider.post(e.Failed(key=derive("s", 0), fault="ExecutorFault", detail="it broke"))
    assert _restarted(provider) == []
