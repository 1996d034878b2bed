"""Which chain, and how to deal with it."""

from __future__ import annotations

from golem.model.ids import Address
from golem.model.value import Value

GWEI = 10**9


class EthereumSettings(Value):
    """Which chain, and how to deal with it.

    `rpc`: URL of an Ethereum node; `witness`: of another that must agree, or empty. `contract`: PairBank's address.
    `folder`: for what is under way; it must exist. `confirmations`: a block counts with so many blocks on top.
    `poll_ms`: time between two looks. `most_gwei`: no transaction offers more for a unit of gas. `patience_s`: for so
    long one payment is seen to before whoever asked hears of it; the main chain makes ten blocks in 120 s.
    """

    rpc: str
    contract: Address
    chain_id: int
    folder: str
    confirmations: int = 2
    poll_ms: int = 2_000
    most_gwei: int = 500
    witness: str = ""
    patience_s: float = 120.0
