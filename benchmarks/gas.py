"""What payments cost: gas by batch size, beside a plain transfer. `python benchmarks/gas.py --json` prints one object.

Payees are random, amounts take seven bytes, as in docs/economics.md; gas does not depend on the machine.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from eth.abc import ReceiptAPI

from golem.model.ids import Address
from golem.testing.bank import ETHER, Bank, is_done
from golem.wire.account import keccak256
from golem.wire.transaction import BASE_GAS, DEPOSIT_GAS, TAKE_GAS, pay_gas

SIZES = (1, 10, 100, 500)
AMOUNT = 123_456_789_012_345
PLAIN = "0x" + "42" * 20


def payees(count: int) -> Sequence[str]:
    """Accounts that nobody has paid before."""
    return [Address("0x" + keccak256(b"payee %d of %d" % (number, count))[-20:].hex()) for number in range(count)]


def measure() -> dict[str, object]:
    """Gas of every operation, and how much the limits that nodes set leave to spare."""
    figures: dict[str, object] = {}
    bank = Bank()
    figures["plain_transfer"] = _used(bank.send_to(PLAIN, 0, b"", 1, 21_000))
    figures["deposit_first"] = _used(bank.send(0, "deposit()", value=ETHER))
    figures["deposit_again"] = deposit = _used(bank.send(0, "deposit()", value=1000 * ETHER))
    new, used, replay = {}, {}, {}
    for size in SIZES:
        accounts = payees(size)
        new[size] = _used(bank.pay(0, [(payee, AMOUNT) for payee in accounts]))
        used[size] = _used(bank.pay(0, [(payee, 2 * AMOUNT) for payee in accounts]))
        replay[size] = _used(bank.pay(0, [(payee, 2 * AMOUNT) for payee in accounts]))
    for name, totals in (("new", new), ("existing", used), ("replayed", replay)):
        figures[f"per_payment_{name}"] = {size: round(total / size) for size, total in totals.items()}
    for payer in range(3):
        bank.pay(payer, [(bank.actors[3], AMOUNT)], value=AMOUNT)
    figures["withdraw_from_1"] = _used(bank.send(3, "withdraw(address[],address)", bank.actors[:1], bank.actors[3]))
    take = _used(bank.send(3, "withdraw(address[],address)", bank.actors[1:3], bank.actors[3]))
    figures["withdraw_from_2"] = take
    figures["limit_over_used"] = {
        "deposit": round(DEPOSIT_GAS / deposit, 2),
        "withdraw_from_2": round((BASE_GAS + 2 * TAKE_GAS) / take, 2),
        **{f"pay_{size}_new": round(pay_gas(size, 0) / new[size], 2) for size in SIZES},
        **{f"pay_{size}_existing": round(pay_gas(0, size) / used[size], 2) for size in SIZES},
    }
    return figures


def _used(receipt: ReceiptAPI) -> int:
    assert is_done(receipt), "reverted"
    return int(receipt.gas_used)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    is_json = parser.parse_args().json
    figures = measure()
    if is_json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:24} {figure}")
