"""Where nodes in memory listen and serve content, and which way content takes from one to another."""

from __future__ import annotations

from collections.abc import Container

from golem.model.ids import NodeId
from golem.model.messages import Place
from golem.net.carrier import join_place, split_place
from golem.testing.keys import FixedKeyring
from golem.testing.network import MemoryNetwork

PORT = 7_000
GATEWAY_PORT = 8_000


def place(name: str) -> Place:
    """Where a node listens."""
    return join_place(name, PORT)


def gateway(name: str) -> Place:
    """Where a node serves content."""
    return join_place(name, GATEWAY_PORT)


class Ways:
    """Content is served by nodes that run and speak, over lines that carry. `silent`: nodes that say nothing."""

    def __init__(self, network: MemoryNetwork, names: tuple[str, ...], silent: Container[str]) -> None:
        self._network = network
        self._silent = silent
        self._names = {FixedKeyring(name).node_id: name for name in names}

    def way(self, here: Place, there: Place) -> Place:
        """The gateway that answers to `there` for whoever has the gateway `here`; nowhere, if none does."""
        (straight, is_relayed, node), asking = there.partition("/"), split_place(here)[0]
        host = split_place(straight)[0]
        if not is_relayed:
            return there if self._carries(asking, host) and not self._is_shut(asking, host) else ""
        guest = self._names.get(NodeId(node), "")
        hops = (asking, host, guest) if host else (asking, guest)
        is_open = self._network.is_joined(host or asking, guest)
        return gateway(guest) if is_open and all(map(self._carries, hops, hops[1:])) else ""

    def _is_shut(self, here: str, there: str) -> bool:
        return here != there and self._network.is_walled(there)

    def _carries(self, here: str, there: str) -> bool:
        network = self._network
        is_up = there not in self._silent and not network.is_frozen(there)
        return here == there or (is_up and not network.is_cut((here, there)) and not network.is_cut((there, here)))
