"""What payments cost: gas per payment by batch size, beside other ways to pay. Gas does not depend on the machine.

`existing`, `new`: to payees paid before, and never before. `peers`: the same of a plain transfer, a token's transfer,
a bank of the 2016 style and a batch with closure time (benchmarks/peers.vy). `operations`: all else that costs gas.
Payees are random, amounts take seven bytes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import vyper
from eth.abc import ReceiptAPI

from golem.model.ids import Address
from golem.testing.bank import ETHER, Bank, is_done
from golem.wire.account import keccak256

SIZES = (1, 10, 50, 100, 500)
AMOUNT = 123_456_789_012_345
PLAIN = "0x" + "42" * 20
PEERS = Path(__file__).with_name("peers.vy")


def payees(count: int) -> Sequence[str]:
    """Accounts that nobody has paid before."""
    return [Address("0x" + keccak256(b"payee %d of %d" % (number, count))[-20:].hex()) for number in range(count)]


Batch = Callable[[Sequence[str], int], ReceiptAPI]
"""Bring what each payee was ever paid to so many times AMOUNT."""


def by_size(pay: Batch) -> dict[str, dict[str, int]]:
    """Gas per payment, to payees new and known."""
    figures: dict[str, dict[str, int]] = {"new": {}, "existing": {}}
    for size in SIZES:
        accounts = payees(size)
        for times, kind in enumerate(figures, 1):
            figures[kind][str(size)] = round(_used(pay(accounts, times)) / size)
    return figures


def pair_bank() -> dict[str, dict[str, int]]:
    """Ours."""
    bank = Bank()
    bank.send(0, "deposit()", value=1000 * ETHER)
    return by_size(lambda accounts, times: bank.pay(0, [(payee, times * AMOUNT) for payee in accounts]))


def peers() -> dict[str, object]:
    """The others."""
    code = vyper.compile_code(PEERS.read_text(), output_formats=["bytecode_runtime"])["bytecode_runtime"]

    def bank() -> Bank:
        made = Bank(bytes.fromhex(code.removeprefix("0x")))
        made.send(0, "deposit()", value=1000 * ETHER)
        return made

    old, later, token = bank(), bank(), bank()
    transfers = [_used(token.send(0, "transfer(address,uint256)", payees(1)[0], AMOUNT)) for _ in range(2)]
    closure = 1_700_000_000
    return {
        "plain_transfer": _used(token.send_to(PLAIN, 0, b"", 1, 21_000)),
        "erc20_transfer": dict(zip(("new", "existing"), transfers, strict=True)),
        "bank_2016": by_size(lambda accounts, _: old.send(0, "bank_2016(bytes32[])", words(accounts))),
        "closure_time": by_size(
            lambda accounts, _: later.send(0, "closure_time(bytes32[],uint64)", words(accounts), closure)
        ),
    }


def words(accounts: Sequence[str]) -> list[bytes]:
    """AMOUNT for each."""
    return [(AMOUNT << 160 | int(payee, 16)).to_bytes(32, "big") for payee in accounts]


def operations() -> dict[str, int]:
    """What is done once in a while."""
    bank = Bank()
    a, b, c, d = bank.actors
    figures = {"deposit_first": _used(bank.send(0, "deposit()", value=ETHER))}
    figures["deposit_again"] = _used(bank.send(0, "deposit()", value=ETHER))
    figures["reserve_new_pair"] = _used(bank.send(0, "reserve(address,uint256)", b, 10**6))
    figures["reserve_again"] = _used(bank.send(0, "reserve(address,uint256)", b, 10**6))
    overdue = bank.now - 1
    figures["claim_overdue"] = _used(bank.claim(1, 0, AMOUNT, overdue, 0))
    figures["claim_replayed"] = _used(bank.claim(1, 0, AMOUNT, overdue, 0))
    for payer in range(3):
        bank.pay(payer, [(d, AMOUNT)], value=AMOUNT)
    take = "withdraw(address[],address)"
    figures["withdraw_from_1"] = _used(bank.send(3, take, [a], d))
    figures["withdraw_from_2"] = _used(bank.send(3, take, [b, c], d))
    figures["withdraw_own"] = _used(bank.send(0, "withdraw_own(uint256)", AMOUNT))
    figures["push_1_to_known_account"] = _used(bank.push(0, [(b, AMOUNT)], 1))
    pushed = bank.push(0, [(payee, AMOUNT) for payee in payees(100)], 2)
    figures["push_each_of_100_to_new_accounts"] = round(_used(pushed) / 100)
    known = [(payee, AMOUNT) for payee in payees(100)]
    bank.pay(0, known)
    figures["replayed_each_of_100"] = round(_used(bank.pay(0, known)) / 100)
    return figures


def _used(receipt: ReceiptAPI) -> int:
    assert is_done(receipt), "reverted"
    return int(receipt.gas_used)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object is printed in any case")
    parser.parse_args()
    ours = pair_bank()
    print(json.dumps({"existing": ours["existing"], "new": ours["new"], "peers": peers(), "operations": operations()}))
