"""The records of the control API that tell of other nodes; see `golem.control.views`."""

from __future__ import annotations

from golem.control.views import Amount, Record


class Known(Record):
    """A node that something is known of."""

    node: str


class Standing(Known):
    """What we know of a node in one role. `trust`: from 0 to 1; a stranger has 0.5. `deeds`: how many of our own.

    `good`, `bad`: what those came to; `heard_good`, `heard_bad`: what `neighbours` said, as far as it counts;
    `network`: the mean of all raters, which counts for `network_weight` deeds.
    """

    role: str = ""
    trust: float = 0.5
    deeds: int = 0
    good: float = 0.0
    bad: float = 0.0
    heard_good: float = 0.0
    heard_bad: float = 0.0
    neighbours: int = 0
    network: float = 0.0
    network_weight: float = 0.0
    is_quarantined: bool = False


class Ground(Record):
    """One thing that made a trust: it counts `good` for and `bad` against. `source`: own, neighbour or network.

    Of a deed: `subtask`, what was at `stake` in wei, `why`, the `result`'s cid, its `voucher` for it, and the `task`
    that keeps the signed verdict against it. Of a neighbour: who it is, what it said, how far it is `believed`, and the
    most it may count, its `limit`.
    """

    source: str
    what: str = ""
    good: float = 0.0
    bad: float = 0.0
    at_ms: int = 0
    stake: Amount = "0"
    subtask: str = ""
    why: str = ""
    result: str = ""
    voucher: str = ""
    task: str = ""
    by: str = ""
    said_good: float = 0.0
    said_bad: float = 0.0
    believed: float = 0.0
    limit: float = 0.0


class Story(Standing):
    """A standing, and all that made it: `trust` is (good + 1) / (good + bad + 2) of `made_of` together."""

    made_of: tuple[Ground, ...] = ()


class Speed(Record):
    """How fast a provider says it is, and how fast its verified work was, in percent of the guess; 0: unknown."""

    claimed: int = 0
    measured: int = 0


class Peer(Known):
    """A node we have met. `trust`: by role. `speeds`: by template. `owed`: by us; `due`: to us.

    `computes_for_us`, `computed_here`: subtasks, now. `believed`: how far its word on others is.
    """

    address: str = ""
    gateway: str = ""
    account: str = ""
    is_connected: bool = False
    trust: dict[str, float] = {}
    speeds: dict[str, Speed] = {}
    owed: Amount = "0"
    due: Amount = "0"
    computes_for_us: int = 0
    computed_here: int = 0
    believed: float = 0.0
    neighbours_word_of: int = 0
