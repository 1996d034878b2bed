"""What a place tells of itself: whose network it belongs to, and whether a stranger may send us there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from golem.model.messages import Place

_NODE = re.compile("0[23][0-9a-f]{64}")
V4_PREFIX, V6_PREFIX = 24, 48  # what one household or one rented server has; more of them cost money
REMEMBERED = 4_096  # places that were looked into lately: the same ones are asked for again and again


class Width(IntEnum):
    """How far a place can be reached from."""

    HERE = 0
    LOCAL = 1
    PUBLIC = 2


def is_relayed(place: Place) -> bool:
    """Whether it names a node behind its relay: "host:port/node". The rest of such a place is the relay's."""
    return "/" in place


def host_of(place: Place) -> str:
    """The host of "host:port", without the brackets of IPv6."""
    return place.partition("/")[0].rpartition(":")[0].removeprefix("[").removesuffix("]")


def _number(host: str) -> IPv4Address | IPv6Address | None:
    try:
        number = ip_address(host)
    except ValueError:
        return None
    mapped = number.ipv4_mapped if isinstance(number, IPv6Address) else None
    return mapped or number


@lru_cache(REMEMBERED)
def prefix(place: Place) -> str:
    """The part of a public address that one owner has; nothing for names and for addresses of a local network."""
    number = _number(host_of(place))
    if number is None or not number.is_global:
        return ""
    width = V4_PREFIX if isinstance(number, IPv4Address) else V6_PREFIX
    return f"{int(number) >> (number.max_prefixlen - width):x}/{width}"


@lru_cache(REMEMBERED)
def width(place: Place) -> Width:
    """How far it can be reached from; a name without a dot means something in a local network alone."""
    host = host_of(place)
    number = _number(host)
    if number is None:
        return Width.HERE if host == "localhost" else Width.PUBLIC if "." in host else Width.LOCAL
    if number.is_loopback:
        return Width.HERE
    return Width.PUBLIC if number.is_global else Width.LOCAL


def home(places: Iterable[Place]) -> Width:
    """How far the network reaches that a node takes part in, by all the places that its user named."""
    return max((width(place) for place in places if place), default=Width.HERE)


def gateway_of(own: Width, said: Place, host: str) -> Place:
    """Where a node that speaks to us from `host` serves content: nowhere, if we may not go there.

    That is where it says, or else at that port of `host`: what answers us there is its own, or its neighbour's.
    """
    if said.startswith("/") or may_send(own, said):
        return said
    there = f"[{host}]:{said.rpartition(':')[2]}" if ":" in host else f"{host}:{said.rpartition(':')[2]}"
    is_ours = not host or is_relayed(said) or width(there) is Width.HERE
    return there if not is_ours and may_send(width(there), there) else ""


def may_send(own: Width, place: Place) -> bool:
    """Whether a node goes where others say: never from a wider network into a narrower one.

    Otherwise anybody could have us knock at doors behind our own wall. What a name means is up to its owner from one
    moment to the next, so a public node goes where names lead only if its own user named them.
    """
    straight, relay, node = place.partition("/")
    host, _, port = straight.rpartition(":")
    number = _number(host_of(place))
    if relay and not _NODE.fullmatch(node):
        return False
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        return False
    if number is None:
        return own is not Width.PUBLIC and width(place) >= own
    if number.is_unspecified or number.is_multicast or number.is_reserved or number.is_link_local:
        return False
    return width(place) >= own
