"""Each limit on what strangers may cost us holds, and what passes it is counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest
from twisted.internet.testing import StringTransport

from golem.core import provider
from golem.errors import Refused
from golem.model import budgets
from golem.model.budgets import TABLE, Budget
from golem.model.ids import NodeId, TaskId, derive
from golem.model.messages import Message, PeerList, PeerRecord, Prune, Withdrawal
from golem.net.handshakes import Handshakes
from golem.net.identity import Identity
from golem.net.intake import GOSSIP_BURST, SIGNATURE_COST, Intake, cost
from golem.net.network import Network
from golem.net.peer import PeerProtocol
from golem.net.sessions import Sessions
from golem.net.writer import Writer
from golem.node.mail import Mail
from golem.testing.clock import Clock
from golem.testing.hearer import MemoryHearer
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.testing.network import MemoryNetwork

ROOT = Path(__file__).parents[2]
OWN = FixedKeyring("own").node_id
PROOFS = {
    budgets.HANDSHAKES: ("net/test_tls.py", "test_a_crowd_that_never_shakes_hands_keeps_nobody_out"),
    budgets.HANDSHAKES_OF_ONE: ("net/test_budgets.py", "test_of_one_network_few_shake_hands_at_once"),
    budgets.DOOR: ("net/test_doors.py", "test_who_says_what_is_not_said_at_a_door_is_gone_at_once"),
    budgets.DOOR_S: ("net/test_doors.py", "test_a_door_is_open_for_five_seconds"),
    budgets.HANDSHAKE_S: ("net/test_tls.py", "test_who_does_not_shake_hands_is_sent_away_after_ten_seconds"),
    budgets.GREETING: ("net/test_tls.py", "test_a_gigabyte_announced_is_refused_before_any_of_it_is_kept"),
    budgets.INBOUND: ("net/test_parts.py", "test_a_node_has_room_for_so_many_that_dial_it"),
    budgets.INBOUND_OF_ONE: ("net/test_budgets.py", "test_of_one_network_few_have_sessions_that_they_dialled"),
    budgets.DIALS: ("net/test_parts.py", "test_so_many_are_dialled_at_once_and_no_more"),
    budgets.GUESTS: ("net/test_relay.py", "test_so_many_guests_and_no_more"),
    budgets.CIRCUITS: ("net/test_doors.py", "test_of_all_guests_together_so_many_circuits_are_carried"),
    budgets.CIRCUITS_OF_ONE: (
        "net/test_relay.py",
        "test_who_calls_is_turned_away_where_there_is_no_guest_or_no_room",
    ),
    budgets.CIRCUIT_RATE: (
        "net/test_doors.py",
        "test_a_circuit_carries_what_came_early_and_no_faster_than_its_rate",
    ),
    budgets.CIRCUIT_BYTES: ("net/test_doors.py", "test_a_circuit_ends_when_it_has_carried_its_share"),
    budgets.CIRCUIT_IDLE_S: ("net/test_doors.py", "test_a_circuit_ends_when_nothing_is_said"),
    budgets.RINGS: ("net/test_relay.py", "test_a_relay_that_rings_and_rings_is_not_answered_beyond_a_few"),
    budgets.KNOCK_S: ("net/test_relay.py", "test_a_dial_back_goes_to_the_asking_peer_itself_and_seldom"),
    budgets.FRAME: ("wire/test_frame.py", "test_a_frame_that_is_too_large_is_refused_at_its_fourth_byte"),
    budgets.ENVELOPE: (
        "wire/test_envelope.py",
        "test_a_body_that_is_no_list_of_messages_is_refused_before_anything_is_built",
    ),
    budgets.UNTAKEN: (
        "net/test_parts.py",
        "test_reading_stops_where_the_disk_is_behind_and_goes_on_when_half_is_written",
    ),
    budgets.GOSSIP: ("net/test_network.py", "test_gossip_in_a_rush_is_heard_no_faster_than_it_is_worth"),
    budgets.SIGNATURES: ("net/test_budgets.py", "test_gossip_that_must_be_checked_is_heard_more_slowly"),
    budgets.ALONG: ("wire/test_bounds.py", "test_a_message_brings_so_much_content_along_and_no_more"),
    budgets.OUTBOX: ("net/test_budgets.py", "test_what_waits_for_a_peer_that_is_away_is_bounded"),
    budgets.UNWRITTEN: ("net/test_budgets.py", "test_gossip_for_a_slow_peer_is_bounded_and_the_oldest_goes"),
    budgets.STALLED_S: ("net/test_budgets.py", "test_a_peer_that_reads_nothing_is_given_up"),
    budgets.PARCELS: ("ipfs/test_parcels.py", "test_the_oldest_give_way"),
    budgets.RECORDS: ("core/test_near.py", "test_the_memory_is_bounded_and_keeps_what_is_sure"),
    budgets.RECORDS_OF_ONE: ("core/test_near.py", "test_one_liar_fills_its_own_share_of_the_memory_alone"),
    budgets.RECORDS_OF_ONE_NETWORK: (
        "core/test_near.py",
        "test_of_one_network_two_are_remembered_and_who_speaks_for_itself_comes_before_rumours",
    ),
    budgets.DIAL_MS: ("core/test_near.py", "test_ten_thousand_records_of_one_victim_are_one_dial_a_minute"),
    budgets.DEMANDS: ("core/test_providing.py", "test_demands_are_bounded_and_the_oldest_goes_first"),
    budgets.CARRIED: (
        "core/test_tree.py",
        "test_of_one_requestor_so_many_demands_are_carried_and_more_are_kept_by_those_it_tells_itself",
    ),
    budgets.STRAIGHT: ("core/test_tree.py", "test_of_a_neighbour_s_own_demands_so_many_are_kept"),
    budgets.BROUGHT: (
        "core/test_tree.py",
        "test_one_neighbour_brings_so_much_and_no_more_whoever_the_authors_are",
    ),
    budgets.LIFE_MS: ("core/test_tree.py", "test_what_is_past_its_time_or_wants_to_live_too_long_is_not_passed_on"),
    budgets.SEEN: ("core/test_tree.py", "test_memory_of_news_is_bounded"),
    budgets.MISSING: ("core/test_tree.py", "test_one_liar_does_not_fill_what_is_waited_for"),
}


@pytest.mark.parametrize("budget", TABLE, ids=lambda budget: budget.name)
def test_every_limit_has_a_test_and_stands_in_the_manual(budget: Budget) -> None:
    file, name = PROOFS[budget]
    assert f"def {name}(" in (ROOT / "tests" / file).read_text(), f"{name} is not in tests/{file}"
    manual = (ROOT / "docs" / "network.md").read_text()
    assert f"| {budget.name} | {budget.limit:,} {budget.unit} | {budget.excess} |" in manual


@pytest.mark.parametrize(
    ("file", "name"),
    (
        ("core/test_income.py", "test_a_newcomer_may_owe_a_tenth_and_more_by_twice_what_it_has_paid"),
        ("core/test_strategy.py", "test_newcomers_come_first_in_one_ranking_of_seven_and_share_these_alike"),
        ("ipfs/test_fetch.py", "test_one_byte_more_than_agreed_ends_it_and_no_other_source_is_asked"),
        ("ipfs/test_fetch.py", "test_content_past_the_quota_is_refused_and_leaves_no_trace"),
        ("wire/test_bounds.py", "test_every_field_of_every_frame_and_message_has_a_bound"),
        ("hostile/test_bombs.py", "test_a_decode_bomb_is_refused_and_takes_no_memory"),
    ),
)
def test_what_follows_from_a_deal_has_its_test_too(file: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / "tests" / file).read_text()
    assert f"`{name}`" in (ROOT / "docs" / "network.md").read_text()


def test_no_limit_has_two_names() -> None:
    names = [budget.name for budget in TABLE]
    assert len(set(names)) == len(names) == len(PROOFS)
    assert all(re.fullmatch("[a-z ]+", name) for name in names)
    assert budgets.DEMANDS.limit == provider.MAX_DEMANDS


class Tap:
    """A transport as far as reading goes."""

    is_open = True

    def pauseProducing(self) -> None:
        self.is_open = False

    def resumeProducing(self) -> None:
        self.is_open = True

    def stopProducing(self) -> None:
        raise AssertionError("nobody stops it")


class Stub:
    """A connection as far as limits go."""

    def __init__(self, host: str, name: str = "") -> None:
        self.host, self.dialled, self.opened_at, self.hello = host, "", 0.0, object()
        self.node_id = NodeId("02" + derive(name or host) * 2)


def stubs(*hosts: str) -> Sequence[PeerProtocol]:
    return [cast("PeerProtocol", Stub(host, f"{host} {number}")) for number, host in enumerate(hosts)]


def test_of_one_network_few_shake_hands_at_once() -> None:
    handshakes = Handshakes()
    most = budgets.HANDSHAKES_OF_ONE.limit
    crowd = stubs(*(f"8.8.8.{number}" for number in range(most + 1)))
    assert [handshakes.begin(peer) for peer in crowd[:most]] == [None] * most
    assert handshakes.begin(crowd[most]) == (crowd[0], budgets.HANDSHAKES_OF_ONE)
    handshakes.end(crowd[0])
    assert handshakes.begin(stubs("8.8.9.1")[0]) is None, "another network is not hindered"
    assert [handshakes.begin(peer) for peer in stubs(*["127.0.0.1"] * 10)] == [None] * 10, "nor is a local one"


def test_who_is_alone_in_its_network_is_not_closed_for_a_crowd() -> None:
    handshakes = Handshakes()
    (honest,) = stubs("9.9.9.9")
    handshakes.begin(honest)
    crowd = stubs(*(f"8.8.{number // 4}.{number % 4}" for number in range(budgets.HANDSHAKES.limit)))
    closed = [handshakes.begin(peer) for peer in crowd]
    assert closed[:-1] == [None] * (len(crowd) - 1)
    assert closed[-1] == (crowd[0], budgets.HANDSHAKES)
    for peer in (honest, *crowd):
        handshakes.end(peer)
    assert len(handshakes) == 0


def test_of_one_network_few_have_sessions_that_they_dialled() -> None:
    sessions = Sessions(OWN)
    for peer in stubs(*(f"8.8.8.{number}" for number in range(budgets.INBOUND_OF_ONE.limit))):
        sessions.agree(peer, 0.0)
        sessions.opened(peer)
    with pytest.raises(Refused, match="your network"):
        sessions.agree(stubs("8.8.8.200")[0], 0.0)
    sessions.agree(stubs("8.8.9.1")[0], 0.0)


def record(number: int) -> PeerRecord:
    return PeerRecord(node=NodeId("02" + derive(number) * 2), address=f"n{number}:1", at_ms=1)


def test_gossip_that_must_be_checked_is_heard_more_slowly() -> None:
    clock, tap = Clock(), Tap()
    refused: Counter[str] = Counter()
    reading = Intake(clock, tap, refused)  # type: ignore[arg-type]  # a provider in all but the declaration
    told = PeerList(peers=tuple(record(number) for number in range(16)))
    heard = 0
    while tap.is_open:
        reading.said(0, cost(told))
        heard += 1
    assert heard == GOSSIP_BURST // (1 + 16 * SIGNATURE_COST) + 1
    assert refused == {budgets.GOSSIP.name: 1}
    reading.stop()


@pytest.mark.parametrize(
    ("message", "worth"),
    ((Prune(), 1), (Withdrawal(task_id=TaskId("a" * 32)), 1 + SIGNATURE_COST), (PeerList(peers=(record(1),)), 3)),
)
def test_gossip_costs_what_it_takes_to_check(message: Message, worth: int) -> None:
    assert cost(message) == worth


def test_what_waits_for_a_peer_that_is_away_is_bounded() -> None:
    mail = Mail()
    numbers = [mail.push(OWN, Prune()) for _ in range(budgets.OUTBOX.limit + 1)]
    assert numbers[-2:] == [budgets.OUTBOX.limit, 0]


def test_gossip_for_a_slow_peer_is_bounded_and_the_oldest_goes() -> None:
    writing = Writer(StringTransport(), Clock(), lambda why: None)
    for number in range(20):
        writing.gossip(bytes([number]) * 100_000)
    assert [message[0] for message in writing._gossip] == list(range(10, 20))
    writing.stop()


def test_a_peer_that_reads_nothing_is_given_up() -> None:
    clock, reasons = Clock(), list[str]()
    writing = Writer(StringTransport(), clock, reasons.append)
    writing.pauseProducing()
    clock.advance(budgets.STALLED_S.limit - 0.1)
    assert not reasons
    clock.advance(0.2)
    assert reasons == ["it read nothing for 30 s"]


def test_what_is_refused_is_counted_by_its_reason() -> None:
    clock = Clock()
    net = MemoryNetwork("7", clock)
    identity = Identity(FixedKeyring("alice"), "devnet", "alice:7300", "", lambda: ":8080", lambda: "epoch")
    network = Network(net.carrier("alice"), clock, identity, MemoryHearer(), SeededEntropy("alice"))
    network.startService()
    for number in range(budgets.DIALS.limit + 3):
        network.dial(f"n{number}:1")
    assert network.refused == {budgets.DIALS.name: 3}
