"""The `golem` command: one clear answer, one clear error, one exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from golem.cli.exits import Exit
from golem.cli.main import NOUNS
from golem.control.watcher import KEEP_ALIVE_S
from golem.errors import ConfigError, Fault, NotEnoughFunds
from golem.model.chain import Order, PutIn, Reclaim, Release, SetAside, TakeBack, Unlock
from golem.model.ids import Address
from golem.model.money import Wei
from golem.testing.face import NODE_ID, FaceServer
from golem.testing.shell import Shell

EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe"


def _task(node: FaceServer, task_id: str, **changes: object) -> None:
    node.face.records[task_id] = {
        "task_id": task_id,
        "template": "echo",
        "phase": "open",
        "submitted_ms": 1_700_000_000_000,
        "chunks": 4,
        "accepted": 3,
        "running": 1,
        "budget": str(10**17),
        "spent": str(12345678901234567),
        **changes,
    }


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_help_names_every_noun_and_every_exit_code(shell: Shell, argv: list[str]) -> None:
    assert shell.run(*argv) == Exit.OK
    lines = [line.split()[:1] for line in shell.out.splitlines()]
    assert all([noun] in lines for noun in NOUNS)
    assert all(f"{code.value:>3}  " in shell.out for code in Exit)


@pytest.mark.parametrize(
    "argv",
    [
        ["tsak"],
        ["task"],
        ["task", "shwo"],
        ["task", "show"],
        ["status", "--jsn"],
        ["run"],
        ["run", "echo", "--budget", "much"],
    ],
)
def test_a_command_that_makes_no_sense_ends_in_one_line_and_code_2(shell: Shell, argv: list[str]) -> None:
    assert shell.run(*argv) == Exit.USAGE
    assert shell.err.startswith("error: ")
    assert shell.err.count("\n") == 1
    assert "--help" in shell.err


@pytest.mark.parametrize(
    "argv",
    [
        ["status"],
        ["run", "echo", "--budget", "1"],
        ["task", "list"],
        ["wallet", "show"],
        ["payment", "list"],
        ["payment", "audit"],
        ["reputation", "list"],
        ["peer", "list"],
        ["template", "list"],
    ],
)
def test_without_a_node_every_command_says_how_to_start_one(shell: Shell, tmp_path: Path, argv: list[str]) -> None:
    shell.environ["GOLEM_FOLDER"] = str(tmp_path)
    assert shell.run(*argv) == Exit.NOT_RUNNING
    assert "golem node start" in shell.err
    assert "golem init" in shell.err
    assert "golem demo" in shell.err


@pytest.mark.parametrize(("option", "value"), [("--frames", "abc"), ("--resolution", "0x0"), ("--scene", "none.blend")])
def test_a_demo_that_makes_no_sense_starts_nothing(shell: Shell, tmp_path: Path, option: str, value: str) -> None:
    assert shell.run("demo", "--output", str(tmp_path / "demo"), option, value) == Exit.USAGE
    assert shell.err.startswith("error: ") and (value in shell.err or "resolution" in shell.err)
    assert not (tmp_path / "demo").exists()


def test_status_fits_one_screen(shell: Shell) -> None:
    assert shell.run("status") == Exit.OK
    assert "deposit      2 ETH\n" in shell.out
    assert "provides     echo, in sandbox; 1 of 4 slots busy\n" in shell.out
    assert len(shell.out.splitlines()) <= 24  # a terminal's lines


def test_json_is_what_the_node_says_with_nothing_rounded(shell: Shell, node: FaceServer) -> None:
    _task(node, "a1" * 16)
    assert shell.json("task", "list")[0]["spent"] == "12345678901234567"  # type: ignore[index]  # JSON
    assert shell.json("status")["node_id"] == NODE_ID  # type: ignore[index]  # JSON


def test_tasks_are_listed_aligned_and_found_by_the_start_of_their_ids(shell: Shell, node: FaceServer) -> None:
    _task(node, "a1" * 16)
    _task(node, "a2" * 16, phase="done", accepted=4)
    assert shell.run("task", "list") == Exit.OK
    header, first, second = shell.out.splitlines()
    assert header.index("CHUNKS") == first.index("3/4") == second.index("4/4")
    assert "0.0123457 ETH" in first
    assert shell.run("task", "show", "a2") == Exit.OK
    assert "a2" * 16 in shell.out
    assert shell.run("task", "show", "a") == Exit.NOT_FOUND
    assert "several tasks" in shell.err
    assert shell.run("task", "show", "b") == Exit.NOT_FOUND
    assert "no task" in shell.err


def test_a_task_is_shown_with_who_computed_what(shell: Shell, node: FaceServer) -> None:
    _task(node, "a1" * 16, phase="failed", reason="the budget is spent", finished_ms=1_700_000_012_300)
    node.face.attempts["a1" * 16] = [
        {
            "subtask_id": "1",
            "chunk": 0,
            "label": "frame 1",
            "phase": "accepted",
            "provider": "03" + "cc" * 32,
            "used_ms": 900,
        },
        {
            "subtask_id": "2",
            "chunk": 1,
            "label": "frame 2",
            "phase": "rejected",
            "provider": NODE_ID,
            "reason": "crop 2 differs",
        },
    ]
    assert shell.run("task", "show", "a1") == Exit.OK
    assert "failed: the budget is spent" in shell.out
    assert "12.3 s" in shell.out
    assert "crop 2 differs" in shell.out
    assert len(shell.json("task", "show", "a1")["subtasks"]) == 2  # type: ignore[index]  # JSON; as above


def test_explain_counts_the_reasons_of_a_task_and_of_the_node(shell: Shell, node: FaceServer) -> None:
    _task(node, "a1" * 16)
    node.face.reasons["a1" * 16] = [{"reason": "no free slot", "count": 2, "by": "providers"}]
    assert shell.run("task", "explain", "a1") == Exit.OK
    assert shell.out.startswith("open: of 2 chunks 0 accepted, 0 in verification, 0 computing, 2 waiting\n")
    assert "2 chunks (one, two): of 0 known nodes" in shell.out
    assert ["2", "no", "free", "slot", "providers"] in [line.split() for line in shell.out.splitlines()]
    lost = {"task_id": "c3" * 16, "requestor": NODE_ID, "asked": "5", "price": "4"}
    node.face.prospect = {"slots": 1, "offers": 3, "taken": 1, "waiting": 1, "lost": [lost], "advice": ["be cheaper"]}
    assert shell.run("node", "explain") == Exit.OK
    assert "of 3 offers made 1 led to work, 1 wait for an answer, 1 came to nothing" in shell.out
    assert "advice: be cheaper" in shell.out
    assert shell.json("node", "explain")["lost"] == [lost]  # type: ignore[index]  # JSON
    assert shell.json("task", "explain", "a1")["waiting"] == 2  # type: ignore[index]  # JSON


def test_a_task_is_cancelled(shell: Shell, node: FaceServer) -> None:
    _task(node, "a1" * 16)
    assert shell.run("task", "cancel", "a1") == Exit.OK
    assert node.face.records["a1" * 16]["phase"] == "cancelled"


ACCOUNT = "0x" + "1A" * 20


def test_payments_show_who_owes_whom(shell: Shell, node: FaceServer) -> None:
    due = {"direction": "out", "account": ACCOUNT.lower(), "promised": str(3 * 10**17), "paid": str(10**17)}
    node.face.dues = [{**due, "state": "sending"}, {**due, "direction": "in", "account": "0x" + "22" * 20}]
    assert shell.run("payment", "list") == Exit.OK
    assert shell.out.splitlines()[1].split()[-2:] == ["0.2", "ETH"]
    assert shell.run("payment", "show", "0x1a") == Exit.OK
    assert "sending" in shell.out and "0x22" not in shell.out
    assert len(shell.json("payment", "show", "0x2")) == 1  # type: ignore[arg-type]  # a list
    for start, words in (("0x", "several"), ("0x3", "nothing was ever promised")):
        assert shell.run("payment", "show", start) == Exit.NOT_FOUND
        assert words in shell.err


def test_an_audit_fails_where_a_law_is_broken(shell: Shell, node: FaceServer) -> None:
    node.face.findings = [{"law": "I2", "words": "nothing is paid twice", "holds": True}]
    assert shell.run("payment", "audit") == Exit.OK
    node.face.findings.append({"law": "I3", "words": "sums", "holds": False, "broken": ["1 wei too much"]})
    assert shell.run("payment", "audit") == Exit.FAILED
    assert "BROKEN" in shell.out and "1 wei too much" in shell.out
    assert shell.run("payment", "audit", "--json") == Exit.FAILED
    assert len(json.loads(shell.out)) == 2


def test_the_wallet_shows_what_there_is_and_withdraws(shell: Shell, node: FaceServer) -> None:
    assert shell.run("wallet", "show") == Exit.OK
    assert "0.05 ETH" in shell.out
    assert shell.run("wallet", "withdraw") == Exit.OK
    assert "withdrew 0.3 ETH" in shell.out
    assert shell.json("wallet", "withdraw")["amount"] == str(3 * 10**17)  # type: ignore[index,call-overload]  # an object


@pytest.mark.parametrize(
    ("argv", "order"),
    [
        (["deposit", "0.5"], PutIn(amount=Wei(5 * 10**17))),
        (["withdraw", "--own", "0.5"], TakeBack(amount=Wei(5 * 10**17))),
        (["reserve", ACCOUNT, "0.5"], SetAside(payee=Address(ACCOUNT.lower()), amount=Wei(5 * 10**17))),
        (["reclaim", ACCOUNT], Reclaim(payee=Address(ACCOUNT.lower()))),
        (["unlock"], Unlock()),
        (
            ["release", ACCOUNT, f"1700000000:{'ab' * 65}"],
            Release(payee=Address(ACCOUNT.lower()), until_s=1_700_000_000, signature=b"\xab" * 65),
        ),
    ],
    ids=lambda case: case[0] if isinstance(case, list) else "",
)
def test_the_deposit_is_moved_as_the_user_says(shell: Shell, node: FaceServer, argv: list[str], order: Order) -> None:
    assert shell.run("wallet", *argv) == Exit.OK
    assert node.face.orders == [order]
    assert "transaction 0xdd" in shell.out
    node.face.refusal = NotEnoughFunds("the deposit has 3 wei")
    assert shell.run("wallet", *argv) == Exit.REFUSED
    assert "3 wei" in shell.err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["deposit", "much"], "not an amount"),
        (["deposit", "0"], "moves nothing"),
        (["deposit", "1.0000000000000000001"], "not an amount"),
        (["withdraw", "--own", "1e9"], "not an amount"),
        (["reserve", "0x12", "1"], "no account"),
        (["reclaim", "bob"], "no account"),
        (["release", ACCOUNT, "please"], "no consent"),
    ],
)
def test_what_makes_no_sense_never_reaches_the_node(
    shell: Shell, node: FaceServer, argv: list[str], words: str
) -> None:
    assert shell.run("wallet", *argv) == Exit.USAGE
    assert words in shell.err
    assert not node.face.orders


def test_a_providers_consent_is_one_word_to_hand_over(shell: Shell, node: FaceServer) -> None:
    assert shell.run("wallet", "consent", ACCOUNT) == Exit.OK
    assert shell.out == f"1700000000:{'ab' * 65}\n"
    assert "0.1 ETH" in shell.err


def test_a_faucet_that_is_none_is_named(shell: Shell) -> None:
    for rpc in ("http://127.0.0.1:1", "ftp://x"):
        assert shell.run("faucet", ACCOUNT, "--rpc", rpc) != Exit.OK
        assert rpc in shell.err
    assert shell.run("faucet", ACCOUNT, "--rpc", "http://127.0.0.1:1", "--amount", "x") == Exit.USAGE


def test_reputation_and_templates_are_listed(shell: Shell, node: FaceServer) -> None:
    node.face.standings = [{"node": NODE_ID, "role": "provider", "trust": 0.876, "deeds": 12}]
    assert shell.run("reputation", "list") == Exit.OK
    assert shell.out.splitlines()[1].split() == [NODE_ID[:10], "provider", "0.88", "12", "0.00", "0.00"]
    assert shell.run("template", "list") == Exit.OK
    assert "--text   what to say (required)" in shell.out
    assert "--times  how often (default: 3)" in shell.out


def test_what_strangers_write_cannot_reach_the_terminal(shell: Shell, node: FaceServer) -> None:
    _task(node, "a1" * 16, reason=EVIL)
    node.face.attempts["a1" * 16] = [
        {"subtask_id": "1", "phase": "rejected", "provider": EVIL, "reason": EVIL, "label": EVIL}
    ]
    node.face.reasons["a1" * 16] = [{"reason": EVIL, "by": EVIL}]
    for argv in (["task", "list"], ["task", "show", "a1"], ["task", "explain", "a1"], ["task", "show", "a1", "--json"]):
        assert shell.run(*argv) == Exit.OK
        assert not {"\x1b", "\x07", "\u202e"} & set(shell.out + shell.err)
        assert argv[-1] != "--json" or json.loads(shell.out)["task"]["reason"] == EVIL


def test_colours_are_for_terminals_that_want_them(shell: Shell) -> None:
    shell.run("template", "list", is_terminal=True)
    assert "\x1b[1mecho" in shell.out
    shell.run("template", "list")
    assert "\x1b" not in shell.out
    shell.environ["NO_COLOR"] = "1"
    shell.run("template", "list", is_terminal=True)
    assert "\x1b" not in shell.out


@pytest.mark.parametrize(
    ("refusal", "exit_code"),
    [(NotEnoughFunds("the deposit has 3 wei"), Exit.REFUSED), (Fault("the chain is away"), Exit.FAILED)],
)
def test_what_the_node_refuses_is_one_line_and_its_own_code(
    shell: Shell, node: FaceServer, refusal: Fault, exit_code: Exit
) -> None:
    node.face.refusal = refusal
    assert shell.run("run", "echo", "--text", "hi", "--budget", "1") == exit_code
    assert shell.err.splitlines()[1:] == [f"error: {refusal}"], "after the estimate"


def test_errors_of_several_lines_are_indented(shell: Shell, node: FaceServer) -> None:
    node.face.refusal = ConfigError("one\ntwo")
    shell.run("run", "echo", "--text", "hi", "--budget", "1")
    assert shell.err.endswith("\nerror: one\n  two\n")


def test_the_command_starts_quickly_and_imports_no_twisted() -> None:
    """What it imports is checked, not the time it takes: a busy machine is no bug."""
    script = "import sys; import golem.cli.main, golem.cli.run, golem.cli.task; "
    script += "print([m for m in sys.modules if m.split('.')[0] in %r])"
    heavy = ("twisted", "web3", "zope", "coincurve", "docker", "asyncio")
    done = subprocess.run(
        [sys.executable, "-c", script % (heavy,)], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.strip() == "[]"


def test_logs_are_shown_line_by_line_with_nothing_a_terminal_would_obey(shell: Shell, node: FaceServer) -> None:
    task = "a1" * 16
    _task(node, task)
    node.face.said[task] = [{"subtask_id": "b2" * 16, "log": f"one\n{EVIL}\n", "percent": 40}]
    assert shell.run("task", "logs", "a1") == Exit.OK
    assert shell.out.splitlines()[0] == "b2b2b2b2  one"
    assert "\x1b" not in shell.out and "\u202e" not in shell.out
    assert shell.json("task", "logs", task)[0]["percent"] == 40  # type: ignore[index]  # JSON


def test_logs_are_followed_until_the_task_is_over(shell: Shell, node: FaceServer) -> None:
    task = "a1" * 16
    _task(node, task)
    node.face.said[task] = [{"subtask_id": "b2" * 16, "log": "before\n"}]

    def go_on(number: int) -> None:
        if not node.face.listeners:
            node.reactor.callLater(0.01, go_on, number)
        elif number:
            node.face.tell(f"log/{task}", "log", subtask="b2" * 16, percent=50, log=f"line {number}\n")
            node.reactor.callLater(0.01, go_on, number - 1)
        else:
            _task(node, task, phase="done")
            node.clock.advance(KEEP_ALIVE_S)

    node.do(go_on, 3)
    assert shell.run("task", "logs", "a1", "--follow") == Exit.OK
    said = [line.split("  ")[1] for line in shell.out.splitlines()]
    assert said[0] == "before" and said[-2:] == ["line 2", "line 1"]


def test_a_provider_sees_what_it_computes_and_its_logs(shell: Shell, node: FaceServer) -> None:
    assert shell.run("task", "jobs") == Exit.OK
    assert "golem node explain" in shell.out
    node.face.running = [
        {"subtask_id": "b2" * 16, "task_id": "c3" * 16, "template": "echo", "requestor": NODE_ID, "percent": 7}
    ]
    node.face.said["c3" * 16] = [{"subtask_id": "b2" * 16, "log": "hot\n"}]
    assert shell.run("task", "jobs") == Exit.OK
    assert "c3c3c3c3" in shell.out and "7 %" in shell.out
    assert shell.run("task", "logs", "c3") == Exit.OK
    assert "b2b2b2b2  hot" in shell.out
    assert shell.run("task", "logs", "d4") == Exit.NOT_FOUND


def test_a_command_whose_extra_is_not_installed_names_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NOUNS, "net", ("no_such_library", "needs what is not there"))
    assert shell.run("net", "run", "x.yaml") == Exit.CONFIG
    assert "golem net needs no_such_library, which is not installed: pip install 'golem[testing]'" in shell.err
