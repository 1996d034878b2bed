"""What it costs to be somebody: a node id whose hash begins with zero bits, found by drawing one key after another.

A network's name says how many it asks for: "open.16bits" for sixteen, and a name that does not end so for none. The id
is its own proof, so wherever one is heard (in a hello, a record, a demand, a rating) it is checked by a single hash.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256

from golem.errors import Cheap
from golem.model.ids import NodeId

_ASKING = re.compile(r".+\.([0-9]{1,2})bits")
HASH_BITS = 256
MOST_BITS = 24  # a quarter of an hour of drawing


@lru_cache(maxsize=8)
def asked(network: str) -> int:
    """How many bits the nodes of a network show."""
    found = _ASKING.fullmatch(network)
    return int(found[1]) if found else 0


def shown(node: NodeId) -> int:
    """How many bits an id shows."""
    return HASH_BITS - int.from_bytes(sha256(b"golem toil 1" + bytes.fromhex(node)).digest()).bit_length()


def check(network: str, node: NodeId) -> None:
    """Raise Cheap where an id took less to make than its network asks."""
    bits = asked(network)
    if bits and shown(node) < bits:
        raise Cheap(f"node {node} shows {shown(node)} bits of toil; network {network!r} asks for {bits}")
