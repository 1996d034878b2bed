"""Whose network a place belongs to, and whether a stranger may send us there."""

from __future__ import annotations

import pytest

from golem.core.places import Width, gateway_of, home, is_relayed, may_send, prefix, width


@pytest.mark.parametrize(
    ("place", "wide"),
    (
        ("127.0.0.1:1", Width.HERE),
        ("[::1]:1", Width.HERE),
        ("[::ffff:127.0.0.1]:1", Width.HERE),
        ("localhost:1", Width.HERE),
        ("10.1.2.3:1", Width.LOCAL),
        ("192.168.0.7:1", Width.LOCAL),
        ("100.64.0.1:1", Width.LOCAL),
        ("[fd00::1]:1", Width.LOCAL),
        ("nas:1", Width.LOCAL),
        ("golem.example.org:1", Width.PUBLIC),
        ("8.8.8.8:1", Width.PUBLIC),
        ("[2a01:4f8::1]:1", Width.PUBLIC),
    ),
)
def test_a_place_tells_how_far_it_can_be_reached_from(place: str, wide: Width) -> None:
    assert width(place) is wide


def test_a_node_is_at_home_in_the_widest_network_that_its_user_named() -> None:
    assert home(("127.0.0.1:1", "")) is Width.HERE
    assert home(("192.168.0.7:1", "127.0.0.1:2")) is Width.LOCAL
    assert home(("127.0.0.1:1", "golem.example.org:1")) is Width.PUBLIC
    assert home(()) is Width.HERE


def test_one_owner_has_a_24_or_a_48_and_local_networks_have_none() -> None:
    assert prefix("8.8.8.8:1") == prefix("8.8.8.200:2") == prefix("[::ffff:8.8.8.1]:1") != prefix("8.8.9.8:1")
    assert prefix("[2a01:4f8:1:2::1]:1") == prefix("[2a01:4f8:1:3::1]:1") != prefix("[2a01:4f8:2::1]:1")
    assert prefix("192.168.0.1:1") == prefix("127.0.0.1:1") == prefix("golem.example.org:1") == ""


DECOYS = (
    "127.0.0.1:5001",
    "[::1]:5001",
    "[::ffff:127.0.0.1]:5001",
    "[::ffff:10.0.0.1]:5001",
    "localhost:5001",
    "10.0.0.1:80",
    "192.168.1.1:80",
    "100.64.0.1:80",
    "169.254.169.254:80",
    "[fe80::1]:80",
    "[fd00::1]:80",
    "0.0.0.0:80",
    "[::]:80",
    "224.0.0.1:80",
    "240.0.0.1:80",
    "router:80",
    "victim.example.org:80",
    "0x7f000001:80",
    "2130706433:80",
    "8.8.8.8:0",
    "8.8.8.8:65536",
    "8.8.8.8:http",
    "8.8.8.8",
    ":80",
    "",
)


@pytest.mark.parametrize("place", DECOYS)
def test_nobody_sends_a_public_node_behind_its_own_wall_nor_to_a_name(place: str) -> None:
    assert not may_send(Width.PUBLIC, place)


def test_a_public_node_goes_where_public_numbers_lead() -> None:
    assert may_send(Width.PUBLIC, "8.8.8.8:7300") and may_send(Width.PUBLIC, "[2a01:4f8::1]:7300")


@pytest.mark.parametrize("said", (*DECOYS, "192.168.1.1:7301/02" + "ab" * 32))
def test_whoever_says_that_its_gateway_is_behind_our_wall_is_asked_at_its_own_door_or_not_at_all(said: str) -> None:
    port = said.rpartition(":")[2]
    assert gateway_of(Width.PUBLIC, said, "8.8.8.8") in (f"8.8.8.8:{port}", "")
    assert gateway_of(Width.PUBLIC, said, "2a01:4f8::1") in (f"[2a01:4f8::1]:{port}", "")
    assert gateway_of(Width.PUBLIC, said, "127.0.0.1") == gateway_of(Width.PUBLIC, said, "") == ""


def test_a_gateway_is_where_its_node_says_if_we_may_go_there_or_where_it_speaks_from() -> None:
    assert gateway_of(Width.PUBLIC, "8.8.8.8:7301", "9.9.9.9") == "8.8.8.8:7301"
    assert gateway_of(Width.PUBLIC, "/02ab", "8.8.8.8") == "/02ab"
    assert gateway_of(Width.PUBLIC, "home.example.org:7301", "192.168.1.5") == "192.168.1.5:7301"
    assert gateway_of(Width.HERE, "127.0.0.1:7301", "127.0.0.1") == "127.0.0.1:7301"


def test_a_local_node_goes_to_local_ones_and_only_one_on_loopback_to_loopback() -> None:
    assert may_send(Width.LOCAL, "10.0.0.1:80") and may_send(Width.LOCAL, "nas:80")
    assert not may_send(Width.LOCAL, "127.0.0.1:80") and not may_send(Width.LOCAL, "localhost:80")
    assert may_send(Width.HERE, "127.0.0.1:80") and may_send(Width.HERE, "localhost:80")


def test_a_place_behind_a_relay_is_the_relay_s_in_all_but_who_answers() -> None:
    node = "02" + "ab" * 32
    behind = f"8.8.8.8:7300/{node}"
    assert is_relayed(behind) and not is_relayed("8.8.8.8:7300")
    assert prefix(behind) == prefix("8.8.8.8:7300") and width(behind) is Width.PUBLIC
    assert may_send(Width.PUBLIC, behind)
    for wrong in (f"127.0.0.1:5001/{node}", f"/{node}", "8.8.8.8:7300/", "8.8.8.8:7300/x", f"8.8.8.8:7300/{node}/x"):
        assert not may_send(Width.PUBLIC, wrong)
