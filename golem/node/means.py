"""What money is short of, and the way out: told before anything fails for it."""

from __future__ import annotations

from golem.core.state import NodeState
from golem.model.chain import Sighting
from golem.model.ids import Address
from golem.model.money import show_ether
from golem.node.records import money
from golem.wire.transaction import BASE_GAS, TAKE_GAS, pay_gas


def lacking(state: NodeState, seen: Sighting, account: Address) -> list[str]:
    """One line for each thing that what is there does not do for. `seen`: the chain, now."""
    _, owed, _ = money(state)
    funds, unpaid = seen.funds, sum(pair.promised > pair.paid for pair in state.ledger.owing.values())
    paying = pay_gas(0, unpaid) * seen.base_fee if unpaid else 0
    taking = (BASE_GAS + TAKE_GAS * len(state.ledger.earning)) * seen.base_fee if funds.claimable else 0
    found = [
        f"to {what} costs up to {show_ether(fee)} for gas, and the wallet has {show_ether(funds.wallet)}: "
        f"send ether to {account}"
        for fee, what in ((paying, f"pay {show_ether(owed)}"), (taking, f"take out {show_ether(funds.claimable)}"))
        if fee > funds.wallet
    ]
    if funds.free < owed and state.batch is None:
        found.append(f"the deposit is {show_ether(funds.free)}, and {show_ether(owed)} are owed: golem wallet deposit")
    return found
