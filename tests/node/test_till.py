"""Money as the user sees it: estimates before, audits after."""

from __future__ import annotations

import pytest

from golem.core.job import Phase as WorkPhase
from golem.core.job import Work
from golem.core.ledger import Pair, move
from golem.core.state import NodeState, Peer
from golem.core.subtask import Subtask
from golem.errors import BadParameters
from golem.interfaces import IVerifier
from golem.model.chain import Funds, PutIn, SetAside, Sighting, Statement, Unlock, Voucher
from golem.model.ids import Address, JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Assignment
from golem.model.money import Wei
from golem.model.spec import Chunk, Job, Limits, TaskSpec
from golem.model.value import evolve
from golem.node.audit import audit
from golem.node.estimate import MOST_ASKED, START_MS, estimate
from golem.node.means import lacking
from golem.node.till import read_order
from golem.testing.keys import FixedKeyring
from golem.testing.toy import Toy
from golem.verification import Redundancy

ALICE, ME = FixedKeyring("alice"), FixedKeyring("me")
BOB = Address("0x" + "b0" * 20)
SUBTASK, TASK = SubtaskId("1" * 32), TaskId("2" * 32)
ATTEMPT = Subtask(
    subtask_id=SUBTASK,
    task_id=TASK,
    chunk=0,
    provider=FixedKeyring("bob").node_id,
    gateway="b:1",
    price=Wei(1),
    cap=Wei(90),
    output_bytes=1,
    assigned_ms=1,
    deadline_ms=2,
)
CLEAN = Statement(
    block=1,
    held=10_000,
    free=Wei(5_000),
    claimable=Wei(0),
    paid={BOB: Wei(40)},
    received={ALICE.account: Wei(0)},
)


def books() -> NodeState:
    """We owe bob 60 of 100 wei, 20 of them from before these books, and alice owes us 7."""
    state = NodeState()
    move(state.ledger, "chain", f"owed/{BOB}", 60)
    move(state.ledger, "chain", f"paid/{BOB}", 40)
    move(state.ledger, "work", f"due/{ALICE.account}", 7)
    state.ledger.owing[BOB] = Pair(promised=Wei(100), paid=Wei(40), inherited=Wei(20))
    for number, amount in enumerate((50, 30, 0)):
        subtask = SubtaskId(f"{number:032x}")
        state.subtasks[subtask] = evolve(ATTEMPT, subtask_id=subtask, amount=Wei(amount), payee=BOB)
    state.ledger.earning[ALICE.account] = Pair(promised=Wei(7))
    job = Job(job_id=JobId(SUBTASK), task_id=TASK, template="toy", program="work", params=b"{}", limits=Limits())
    state.works[SUBTASK] = Work(
        subtask_id=SUBTASK,
        requestor=ALICE.node_id,
        assignment=Assignment(subtask_id=SUBTASK, price=Wei(1), cap=Wei(9), deadline_ms=1, job=job),
        since_ms=1,
        phase=WorkPhase.ACCEPTED,
        amount=Wei(7),
        cumulative=Wei(7),
        voucher=Voucher(payer=ALICE.account, payee=ME.account, cumulative=Wei(7), due_ms=1),
    )
    state.dues[ALICE.account] = [SUBTASK]
    state.peers[NodeId(ALICE.node_id)] = Peer(address="a:1", gateway="a:2", payee=ALICE.account, is_connected=True)
    return state


def broken(state: NodeState, contract: Statement) -> list[object]:
    return [finding["law"] for finding in audit(state, contract) if not finding["holds"]]


def test_books_that_agree_keep_every_law() -> None:
    findings = audit(books(), CLEAN)
    assert [finding["law"] for finding in findings] == [f"I{n}" for n in range(1, 8)]
    assert all(finding["holds"] and finding["words"] for finding in findings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"voucher": None}, "no voucher"),
        ({"amount": Wei(8)}, "of 7 wei, after 0"),
        ({"voucher": Voucher(payer=ALICE.account, payee=ME.account, cumulative=Wei(6), due_ms=1)}, "of 6 wei, after 0"),
    ],
    ids=["none", "worth more", "of less"],
)
def test_work_without_a_voucher_that_covers_it_breaks_the_first(change: dict[str, object], words: str) -> None:
    state = books()
    state.works[SUBTASK] = evolve(state.works[SUBTASK], **change)
    (finding, *_) = audit(state, CLEAN)
    assert not finding["holds"] and words in str(finding["broken"])


@pytest.mark.parametrize(
    ("promised", "due", "words"),
    [
        (8, [SUBTASK], "newest promise is of 7"),
        (6, [SUBTASK], "newest promise is of 7"),
        (7, [], "all its work is paid"),
    ],
)
def test_what_others_owe_beside_their_promises_breaks_the_first(
    promised: int, due: list[SubtaskId], words: str
) -> None:
    state = books()
    state.ledger.earning[ALICE.account] = Pair(promised=Wei(promised))
    state.dues[ALICE.account] = due
    (finding, *_) = audit(state, CLEAN)
    assert not finding["holds"] and words in str(finding["broken"])


@pytest.mark.parametrize("promised", [99, 101])
def test_a_promise_that_is_not_what_accepted_work_is_worth_breaks_the_first(promised: int) -> None:
    state = books()
    state.ledger.owing[BOB] = evolve(state.ledger.owing[BOB], promised=Wei(promised))
    (finding, *_) = audit(state, CLEAN)
    assert not finding["holds"] and f"promised {promised - 20} wei, and its accepted work is worth 80" in str(finding)


def test_a_wei_too_much_breaks_the_second() -> None:
    assert broken(books(), evolve(CLEAN, paid={BOB: Wei(101)})) == ["I2"]
    assert broken(books(), evolve(CLEAN, paid={BOB: Wei(100), ALICE.account: Wei(1)})) == ["I2"]


def test_books_that_do_not_sum_to_zero_break_the_third() -> None:
    state = books()
    state.ledger.balances["free"] = 1
    assert broken(state, CLEAN) == ["I3"]


def test_a_deposit_that_was_taken_breaks_the_fourth_but_not_a_payment_under_way() -> None:
    assert broken(books(), evolve(CLEAN, free=Wei(59))) == ["I4"]
    assert broken(books(), evolve(CLEAN, free=Wei(0), paid={BOB: Wei(100)})) == []


def test_attempts_that_differ_and_a_contract_that_is_short_are_told() -> None:
    assert broken(books(), evolve(CLEAN, is_sound=False)) == ["I5"]
    assert broken(books(), evolve(CLEAN, held=5_001, reserved=Wei(1), claimable=Wei(1))) == ["I6"]


def test_work_that_counts_as_paid_before_the_contract_shows_it_breaks_the_last() -> None:
    state = books()
    state.works[SUBTASK] = evolve(state.works[SUBTASK], phase=WorkPhase.PAID)
    assert broken(state, CLEAN) == ["I7"]
    assert broken(state, evolve(CLEAN, received={ALICE.account: Wei(7)})) == []


class Twice(Toy):
    """Each chunk is done by two providers."""

    def verifier(self, spec: TaskSpec) -> IVerifier:
        return Redundancy()


def test_an_estimate_is_half_to_twice_of_the_guess_with_starts_and_within_the_budget() -> None:
    template = Toy()
    spec = TaskSpec(template="toy", params=b"{}", budget=Wei(10**18), max_price=Wei(3_600_000), output="/out")
    chunks = len(template.split(spec))
    guess = template.cost_ms(spec, template.split(spec)[0])
    made = estimate(template, spec)
    assert (made["chunks"], made["time_ms"], made["is_enough"]) == (chunks, chunks * guess, True)
    assert (made["least"], made["most"]) == (chunks * (guess // 2), chunks * (2 * guess + START_MS))
    twice = estimate(Twice(), spec)
    assert [twice[name] for name in ("time_ms", "least", "most")] == [
        2 * int(str(made[name])) for name in ("time_ms", "least", "most")
    ]
    tight = estimate(template, evolve(spec, budget=Wei(chunks)))
    assert (tight["least"], tight["most"], tight["is_enough"]) == (chunks, chunks, False)


class Asked(Toy):
    """Counts how often it is asked for a guess."""

    asked = 0

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        self.asked += 1
        return 70


def test_a_large_task_is_estimated_from_some_of_its_chunks() -> None:
    template = Asked(chunks=2_500)
    spec = TaskSpec(template="toy", params=b"{}", budget=Wei(10**18), max_price=Wei(3_600_000), output="/out")
    made = estimate(template, spec)
    assert (made["chunks"], made["time_ms"], made["least"]) == (2_500, 175_000, 87_500)
    assert template.asked <= MOST_ASKED


@pytest.mark.parametrize(
    ("funds", "words"),
    [
        (Funds(free=Wei(60), wallet=Wei(10**6)), []),
        (Funds(free=Wei(59), wallet=Wei(10**6)), ["golem wallet deposit"]),
        (Funds(free=Wei(60), wallet=Wei(67_499)), ["for gas, and the wallet has"]),
        (Funds(free=Wei(60), wallet=Wei(74_999), claimable=Wei(5)), ["take out"]),
    ],
    ids=["enough", "deposit", "gas to pay", "gas to withdraw"],
)
def test_what_money_is_short_of_is_said_with_the_way_out(funds: Funds, words: list[str]) -> None:
    seen = Sighting(block=1, block_ms=0, funds=funds, base_fee=Wei(1))
    found = lacking(books(), seen, ME.account)
    assert len(found) == len(words) and all(map(str.__contains__, found, words))
    assert all(ME.account in problem for problem in found if "gas" in problem)


def test_an_order_is_read_from_json() -> None:
    assert read_order(b'{"type":"PutIn","amount":"5"}') == PutIn(amount=Wei(5))
    assert read_order(b'{"type":"Unlock"}') == Unlock()
    assert read_order(b'{"type":"SetAside","payee":"%s","amount":"5"}' % BOB.encode()) == SetAside(
        payee=BOB, amount=Wei(5)
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"type":"Steal"}',
        b'{"type":"PutIn","amount":5}',
        b'{"type":"PutIn","amount":"-5"}',
        b'{"type":"PutIn","amount":"1000000000000000000000000000000"}',
        b'{"type":"SetAside","payee":"0x12","amount":"5"}',
        b'{"type":"Unlock","now":true}',
    ],
)
def test_an_order_that_does_not_fit_is_refused(data: bytes) -> None:
    with pytest.raises(BadParameters, match="does not fit"):
        read_order(data)
