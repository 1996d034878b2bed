"""Commands about money, beside those of test_commands."""

from __future__ import annotations

import pytest

from golem.cli.exits import Exit
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
