"""Commands about money, beside those of test_commands."""

from __future__ import annotations

import pytest

from golem.cli.exits import Exit
from golem.errors import ChainFault
from golem.model.ids import NOBODY
from golem.testing.face import FaceServer
from golem.testing.shell import Shell


def test_payers_that_were_forgotten_are_found_and_the_way_to_their_money_is_named(
    shell: Shell, node: FaceServer
) -> None:
    assert shell.run("wallet", "recover") == Exit.OK
    assert "0x" + "cc" * 20 in shell.out and "0.3 ETH" in shell.out
    assert "golem wallet withdraw" in shell.err
    assert shell.json("wallet", "recover") == [{"account": "0x" + "cc" * 20, "paid": str(3 * 10**17)}]
    assert shell.run("wallet", "recover", "--since", "101") == Exit.OK
    assert "nobody" in shell.out and "withdraw" not in shell.err


@pytest.mark.parametrize("block", ["-1", "soon", str(10**12)])
def test_a_block_that_is_none_is_refused(shell: Shell, node: FaceServer, block: str) -> None:
    assert shell.run("wallet", "recover", "--since", block) == Exit.USAGE
    assert block in shell.err


ACCOUNT = "0x" + "1a" * 20
SHORT = "the wallet has 0 ETH: send ether to 0x12"


def test_the_status_shows_what_the_chain_says_now_and_what_is_short(shell: Shell, node: FaceServer) -> None:
    node.face.lacking = [SHORT]
    assert shell.run("status") == Exit.OK
    assert ["to", "withdraw", "0.3", "ETH"] in [line.split() for line in shell.out.splitlines()]
    assert f"problem: {SHORT}" in shell.out
    shown = shell.json("status")
    assert (shown["funds"]["claimable"], shown["problems"]) == (str(3 * 10**17), [SHORT])  # type: ignore[index,call-overload]  # JSON
    assert shell.run("wallet", "show") == Exit.OK
    assert f"problem: {SHORT}" in shell.out and "0.00001 ETH" in shell.out


def test_without_a_chain_the_status_shows_what_was_last_seen_and_says_so(shell: Shell, node: FaceServer) -> None:
    node.face.away = ChainFault("http://here failed")
    assert shell.run("status") == Exit.OK
    assert "problem: http://here failed; the funds are those last seen" in shell.out
    assert ["to", "withdraw", "0", "ETH"] in [line.split() for line in shell.out.splitlines()]


def test_one_account_is_shown_by_the_books_and_by_the_contract(shell: Shell, node: FaceServer) -> None:
    due = {"direction": "out", "account": ACCOUNT, "promised": str(3 * 10**17), "paid": str(10**17), "state": "due"}
    node.face.dues = [{**due, "last_tx": "0x" + "dd" * 32, "last_ms": 1_700_000_000_000, "reserved": "0"}]
    assert shell.run("payment", "show", ACCOUNT[:6]) == Exit.OK
    lines = {tuple(line.split("  ", 1)) for line in shell.out.splitlines()}
    assert {name.strip(): value.strip() for name, value in lines} == {
        "to": ACCOUNT,
        "state": "due",
        "promised": "0.3 ETH",
        "paid": "0.1 ETH",
        "by the contract": "0.1 ETH",
        "last paid": "2023-11-14 22:13:20Z",
        "transaction": "0x" + "dd" * 32,
        "open": "0.2 ETH",
    }


CHECKED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def test_earnings_go_where_the_user_says(shell: Shell, node: FaceServer) -> None:
    assert shell.run("wallet", "withdraw") == Exit.OK
    assert shell.run("wallet", "withdraw", "--to", CHECKED) == Exit.OK
    assert f"withdrew 0.3 ETH to {CHECKED.lower()}" in shell.out
    assert node.face.taken == [NOBODY, CHECKED.lower()]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--to", CHECKED.replace("5aA", "5aa")], "mistyped"),
        (["--to", "bob"], "no account"),
        (["--to", CHECKED, "--own", "1"], "not allowed with"),
    ],
)
def test_earnings_never_go_to_a_mistyped_account(shell: Shell, node: FaceServer, argv: list[str], words: str) -> None:
    assert shell.run("wallet", "withdraw", *argv) == Exit.USAGE
    assert words in shell.err
    assert not node.face.taken


def test_a_node_without_a_chain_says_that_work_is_done_for_nothing(shell: Shell, node: FaceServer) -> None:
    assert shell.run("status") == Exit.OK
    assert "for nothing" not in shell.out
    node.face.has_chain = False
    assert shell.run("status") == Exit.OK
    assert "none: work is done for nothing" in shell.out
