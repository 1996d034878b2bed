"""`golem peer` and `golem reputation`: whom a node knows, and what made its trust."""

from __future__ import annotations

import pytest

from golem.cli.exits import Exit
from golem.testing.face import NODE_ID, FaceServer
from golem.testing.shell import Shell

OTHER = "03" + "cd" * 32


def _fill(node: FaceServer) -> None:
    node.face.met = [
        {"node": NODE_ID, "address": "1.2.3.4:7300", "is_connected": True, "trust": {"provider": 0.876}, "owed": "5"},
        {"node": OTHER, "is_connected": False},
    ]
    node.face.standings = [{"node": NODE_ID, "role": "provider", "trust": 0.5, "is_quarantined": True}]
    node.face.stories[NODE_ID] = [
        {
            "node": NODE_ID,
            "role": "provider",
            "trust": 0.5,
            "deeds": 1,
            "made_of": [
                {
                    "source": "own",
                    "what": "wrong",
                    "good": 0.0,
                    "bad": 2.0,
                    "subtask": "7" * 32,
                    "why": "differs",
                    "task": "8" * 32,
                },
                {"source": "neighbour", "what": "says", "by": OTHER, "good": 2.0, "said_good": 9.0, "believed": 0.5},
            ],
        }
    ]


def test_peers_are_listed_with_their_sessions_and_shown_by_the_start_of_their_id(
    shell: Shell, node: FaceServer
) -> None:
    assert shell.run("peer", "list") == Exit.OK
    assert "no node was met yet" in shell.out
    _fill(node)
    assert shell.run("peer", "list") == Exit.OK
    assert [line.split() for line in shell.out.splitlines()[1:]] == [
        [NODE_ID[:10], "1.2.3.4:7300", "yes", "0.88", "0.50"],
        [OTHER[:10], "none", "no", "0.50", "0.50"],
    ]
    assert shell.run("peer", "show", NODE_ID[:6]) == Exit.OK
    assert f"node                {NODE_ID}\n" in shell.out
    assert shell.json("peer", "show", NODE_ID)["owed"] == "5"  # type: ignore[index]  # JSON


def test_a_trust_is_shown_with_what_made_it_and_the_sum_in_its_heading(shell: Shell, node: FaceServer) -> None:
    _fill(node)
    assert shell.run("reputation", "list") == Exit.OK
    assert "quarantine" in shell.out
    assert shell.run("reputation", "show", NODE_ID[:8]) == Exit.OK
    assert "own      1 deed: 0.00 good, 0.00 bad" in shell.out
    assert shell.run("reputation", "why", NODE_ID[:8]) == Exit.OK
    assert "0.500 = (2.00 + 1) / (2.00 + 2.00 + 2)" in shell.out
    assert "differs; signed: golem task evidence 88888888" in shell.out
    assert [line.split()[1:] for line in shell.out.splitlines() if line.startswith("all ")] == [["2.00", "2.00"]]
    assert f"neighbour {OTHER[:10]}" in shell.out
    assert "believed to 50%" in shell.out
    assert shell.json("reputation", "why", NODE_ID)[0]["role"] == "provider"  # type: ignore[index]  # JSON


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("peer", "show", "0"), "several nodes"),
        (("peer", "show", "09"), "golem peer list"),
        (("peer", "show", "02" + "0" * 64), "not met"),
        (("reputation", "why", OTHER), "nothing is known"),
        (("reputation", "show", "09"), "golem reputation list"),
    ],
)
def test_a_node_that_is_not_known_is_said_so_with_the_way_to_the_list(
    shell: Shell, node: FaceServer, argv: tuple[str, ...], words: str
) -> None:
    _fill(node)
    assert shell.run(*argv) == Exit.NOT_FOUND
    assert words in shell.err
