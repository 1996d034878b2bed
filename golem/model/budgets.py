"""What strangers may cost us: every limit on what peers send, in one table (docs/network.md, Budgets).

What passes a limit is refused, delayed or forgotten as its row says, and counted under its name where it is noticed:
`golem status --json` shows the counts of the network, `golem task explain` those of the market.
"""

from __future__ import annotations

from typing import NamedTuple


class Budget(NamedTuple):
    """`limit`: the most, of `unit`. `excess`: what becomes of what is more."""

    name: str
    limit: int
    unit: str
    excess: str


# connections
HANDSHAKES = Budget("handshakes", 32, "under way", "the oldest of the fullest network is closed")  # 3 MB with TLS
HANDSHAKES_OF_ONE = Budget("handshakes of one network", 4, "of a /24 or /48", "its oldest is closed")
DOOR = Budget("door", 4 << 10, "bytes before a channel or a line stands", "closed")  # 2x the largest TLS greeting
DOOR_S = Budget("door time", 5, "seconds for them", "closed")
HANDSHAKE_S = Budget("handshake", 10, "seconds", "closed")  # an honest one takes 50 ms, and a second on a bad line
GREETING = Budget("greeting", 4 << 10, "bytes of a frame before the proof", "closed, and a strike")
INBOUND = Budget("sessions", 64, "that others dialled", "refused")
INBOUND_OF_ONE = Budget("sessions of one network", 8, "of a /24 or /48 that it dialled", "refused")
DIALS = Budget("dials", 64, "under way", "not dialled")

# what we carry for nodes that can't be dialled
GUESTS = Budget("guests", 16, "nodes that we relay to", "refused")
CIRCUITS = Budget("circuits", 32, "connections to guests", "refused")
CIRCUITS_OF_ONE = Budget("circuits of one guest", 8, "connections", "refused")
CIRCUIT_RATE = Budget("circuit rate", 256 << 10, "bytes a second of one circuit", "reading waits")
CIRCUIT_BYTES = Budget("circuit bytes", 256 << 20, "bytes of one circuit", "closed; a new one may be had")
CIRCUIT_IDLE_S = Budget("circuit idle", 120, "seconds without a byte", "closed")
RINGS = Budget("rings", 16, "of one relay that we answer at once", "not answered")
KNOCK_S = Budget("knocks", 60, "seconds between two dials back to one peer", "not dialled")

# what comes
FRAME = Budget("frame", 5 << 18, "bytes", "closed, and a strike; nothing of it is kept")
ENVELOPE = Budget("envelope", 256, "messages", "closed, and a strike")
UNTAKEN = Budget("untaken", 4_096, "messages of one peer not on our disk yet", "reading waits")
GOSSIP = Budget("gossip", 500, "a second of one peer, 1,000 at once", "reading waits")
SIGNATURES = Budget("signatures", 250, "a second in one peer's gossip", "reading waits")
ALONG = Budget("along", 16 << 10, "bytes of content in a message that names it", "closed, and a strike")

# what goes
OUTBOX = Budget("outbox", 20_000, "messages for one peer that is away", "what is said to it is dropped")
UNWRITTEN = Budget("unwritten", 1 << 20, "bytes that one peer does not read", "gossip is forgotten, or it is closed")
STALLED_S = Budget("stalled", 30, "seconds that a peer reads nothing", "closed")

# what is kept
PARCELS = Budget("parcels", 4 << 20, "bytes that came along and were not asked for yet", "the oldest are forgotten")
RECORDS = Budget("records", 1_024, "of where others listen", "those that we are not sure of give way")
RECORDS_OF_ONE = Budget("records of one source", 128, "told by one peer", "its oldest gives way")
RECORDS_OF_ONE_NETWORK = Budget("records of one network", 2, "of a /24 or /48", "ignored")
DIAL_MS = Budget("dials of one network", 60_000, "milliseconds between two into a /24 or /48", "not dialled")
DEMANDS = Budget("demands", 20_000, "in all", "the oldest is forgotten")
CARRIED = Budget("demands of one requestor", 20, "live that we pass on, and one more a second", "not passed on")
STRAIGHT = Budget("demands of a neighbour", 200, "live that it tells us itself", "refused")
BROUGHT = Budget("news of one link", 20, "a second, 200 at once", "refused; it may come another way")
LIFE_MS = Budget("life of a demand", 3_600_000, "milliseconds", "refused")
SEEN = Budget("seen", 16_384, "ids of news", "the oldest is forgotten")
MISSING = Budget("missing", 256, "ids that one peer alone says it has", "ignored")

TABLE = tuple(value for value in list(globals().values()) if isinstance(value, Budget))
