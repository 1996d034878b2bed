"""What a key of the configuration may hold: how it is read, from TOML or from text, and written back.

A reader takes what TOML gave, or the text of a flag or an environment variable, and raises ValueError saying how to
write it. A writer gives TOML that is read as the same value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from golem.model.money import ether, show_ether
from golem.node import hours, units
from golem.wire.toil import MOST_BITS, asked

MAX_PORT = 65_535
MAX_PLACE = 120  # characters, as golem.model.messages.Place
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,118}", re.ASCII)
_NODE = re.compile(r"0[23][0-9a-f]{64}", re.ASCII)
_OBJECT = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}:[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
BY_DIGEST = re.compile(r"(?:[a-z0-9][a-z0-9._/:-]{0,200}@)?sha256:[0-9a-f]{64}", re.ASCII)
_ACCOUNT = re.compile(r"0x[0-9a-f]{40}", re.ASCII)


class Kind(NamedTuple):
    """One kind of value."""

    read: Callable[[object], object]
    write: Callable[[object], str]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text, in quotes")
    return value


def _quote(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _name(value: object) -> str:
    text = _text(value)
    if not _NAME.fullmatch(text):
        raise ValueError("must be a name: letters, digits, '.', '_' and '-'")
    return text


def _network(value: object) -> str:
    name = _name(value)
    if asked(name) > MOST_BITS:
        raise ValueError(f"must end in {MOST_BITS}bits at most: no machine makes an id for more in a reasonable time")
    return name


def _flag(value: object) -> bool:
    known = {"true": True, "false": False}
    text = str(value).lower()
    if text not in known:
        raise ValueError("must be true or false")
    return known[text]


def count(least: int, most: int) -> Kind:
    """A whole number within limits."""

    def read(value: object) -> int:
        number = int(value) if isinstance(value, str) and value.isdecimal() else value
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return number

    return Kind(read, str)


def _share(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise ValueError("must be a number from 0 to 1")
    return number


def choice(*known: str) -> Kind:
    """One of a few words."""

    def read(value: object) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return str(value)

    return Kind(read, _quote)


def split_place(text: str) -> tuple[str, int]:
    """Take "host:port" apart; an IPv6 host loses its brackets. Raises ValueError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > MAX_PORT or len(text) > MAX_PLACE:
        raise ValueError(f'must be "host:port", with a port up to {MAX_PORT}')
    return host.removeprefix("[").removesuffix("]"), int(port)


def _place(value: object) -> str:
    text = _text(value)
    split_place(text)
    return text


def _account(value: object) -> str:
    text = _text(value).lower()
    if not _ACCOUNT.fullmatch(text):
        raise ValueError("must be an address: 0x and 40 hex digits")
    return text


def _node(value: object) -> str:
    text = _text(value).lower()
    if not _NODE.fullmatch(text):
        raise ValueError("must be a node's id: 66 hex digits, as golem status shows it")
    return text


def _image(value: object) -> str:
    text = _text(value)
    template, equals, image = text.partition("=")
    if not equals or not _NAME.fullmatch(template) or not BY_DIGEST.fullmatch(image):
        raise ValueError('must be like "blender=sha256:…": a template, and an image by its digest')
    return text


def _object(value: object) -> str:
    text = _text(value)
    if not _OBJECT.fullmatch(text):
        raise ValueError('must be "module:attribute", of a module on the Python path')
    return text


def _hours(value: object) -> str:
    text = _text(value).lower()
    hours.span(text)
    return text


def _password(value: object) -> str:
    text = _text(value)
    scheme, _, rest = text.partition(":")
    is_place = (scheme == "fd" and rest.isdecimal()) or (scheme == "file" and rest)
    if text not in ("env", "prompt", "keyring") and not is_place:
        raise ValueError(
            'must be "env" (GOLEM_PASSWORD), "prompt", "keyring", "fd:3" or "file:/path"; never the password itself'
        )
    return text


def _or_empty(read: Callable[[object], str]) -> Callable[[object], str]:
    return lambda value: read(value) if value else ""


def _many(read: Callable[[object], str]) -> Kind:
    def read_all(value: object) -> tuple[str, ...]:
        items = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        if not isinstance(items, list):
            raise ValueError('must be a list, like ["a", "b"] (in the environment: a,b)')
        return tuple(read(item) for item in items)

    def write_all(value: object) -> str:
        return f"[{', '.join(_quote(item) for item in value)}]" if isinstance(value, tuple) else "[]"

    return Kind(read_all, write_all)


TEXT = Kind(_text, _quote)
NAME = Kind(_name, _quote)
NETWORK = Kind(_network, _quote)
OPTIONAL_NAME = Kind(_or_empty(_name), _quote)
NAMES = _many(_name)
NODES = _many(_node)
IMAGES = _many(_image)
HOURS = _many(_hours)
FLAG = Kind(_flag, lambda value: str(value).lower())
SHARE = Kind(_share, str)
DURATION = Kind(lambda value: units.duration(str(value)), lambda ms: _quote(units.show_duration(int(str(ms)))))
SIZE = Kind(lambda value: units.size(str(value)), lambda amount: _quote(units.show_size(int(str(amount)))))
ETHER = Kind(lambda value: ether(str(value)), lambda wei: _quote(show_ether(int(str(wei))).removesuffix(" ETH")))
PLACE = Kind(_place, _quote)
OPTIONAL_PLACE = Kind(_or_empty(_place), _quote)
PLACES = _many(_place)
OPTIONAL_OBJECT = Kind(_or_empty(_object), _quote)
ACCOUNT = Kind(_or_empty(_account), _quote)
PASSWORD = Kind(_password, _quote)
