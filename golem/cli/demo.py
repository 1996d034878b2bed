"""`golem demo`: the whole market on this machine: renders on several nodes, catches cheaters, pays the honest."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from golem.api import Session
from golem.cli.command import Call, Parser, answers
from golem.cli.exits import Exit, UsageError
from golem.cli.local import REQUESTOR, LocalNetwork, LocalNode, Member, wait_for
from golem.cli.progress import Progress
from golem.cli.screen import BOLD, GREEN, RED
from golem.cli.words import money, span
from golem.control.others import Standing
from golem.control.views import Payment, Subtask, Task, views
from golem.node.plugins import load

CHEATS = ("samples", "seed")  # kinds, in turn; `golem.testing.cheater` runs them
BUDGET = "0.5"  # ether, of play money
PRICE = "0.1"  # ether per hour of one slot
PAID_S = 60.0  # a batch is gathered for a second and two blocks deep within another two
SETTINGS = {
    "provider.templates": "blender,echo",
    "payment.closure": "1s",
    "payment.fee_share": "1",
    "timing.observe": "500ms",
}
PROVIDING = {"provider.enabled": "true", "provider.min_price": PRICE}
LYING = {**PROVIDING, "provider.min_price": "0.05"}  # cheating costs little: it is cheapest, and hired first


class Row(NamedTuple):
    """What one provider did, and what came of it."""

    name: str
    node: str
    accepted: int
    rejected: int
    computed_ms: int
    promised: int
    paid: int
    trust: float
    trusts_requestor: float
    why: str


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    answers(parser, _demo)
    parser.add_argument("--scene", metavar="FILE", help="a .blend file, or lake or marbles, which come along")
    parser.add_argument("--frames", default="1-4", metavar="TEXT", help="1-4;7;10-30,5 (default: 1-4)")
    parser.add_argument("--providers", default=3, type=_number, metavar="N", help="honest ones (default: 3)")
    parser.add_argument("--cheats", default=1, type=_number, metavar="N", help="cheating ones (default: 1)")
    parser.add_argument(
        "--seed", default="bound", choices=("bound", "fixed"), help="fixed: as one render would have it"
    )
    parser.add_argument("--tiles", default="1", metavar="CxR", help="tiles per frame (default: 1)")
    parser.add_argument("--resolution", default="320x180", metavar="WxH", help="default: 320x180")
    parser.add_argument("--samples", default="16", metavar="N", help="per pixel (default: 16)")
    parser.add_argument(
        "--output", default="demo-output", metavar="DIR", help="everything goes there; it is emptied first"
    )


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) > 50:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 50")
    return int(text)


def _demo(call: Call) -> int:
    args, screen = call.args, call.screen
    if args.providers < 1:
        raise UsageError("--providers: at least one honest node has to do the work")
    template = load(["blender"])["blender"]
    params = {name: getattr(args, name) for name in ("frames", "resolution", "samples", "tiles", "seed")}
    template.parse(params)  # what is wrong with it is said before a network starts for it
    scene = _scene(Path(template.programs).parent / "scenes", args.scene or "lake")
    folder = _empty(Path(args.output).expanduser().absolute())
    with LocalNetwork(folder / "nodes", _members(args.providers, args.cheats), SETTINGS) as network:
        network.start(screen.note)
        handle = Session(network[REQUESTOR].client).submit(
            "blender",
            params,
            budget=BUDGET,
            max_price=PRICE,
            resources={"scene": scene},
            output=folder / "pictures",
        )
        screen.note(
            f"task {handle.task_id[:8]}: {scene.name}, frames {args.frames}, on {len(network.nodes) - 1} providers"
        )
        progress = Progress(screen)
        for happening, task in handle.progress():
            progress.update(happening, task)
        attempts = views(Subtask, network[REQUESTOR].client.get(f"/tasks/{handle.task_id}/subtasks"))
        rows = []
        if attempts:
            _wait_for_payments(network)
            rows = [_row(network, node, attempts) for node in network.nodes[1:]]
        _show(call, task, rows, network)
    return Exit.OK if task.phase == "done" else Exit.FAILED


def _scene(scenes: Path, name: str) -> Path:
    path = scenes / f"{name}.blend" if name in {p.stem for p in scenes.glob("*.blend")} else Path(name).expanduser()
    if not path.is_file():
        raise UsageError(f"{path}: no such scene; give a .blend file, or one of: {', '.join(_shipped(scenes))}")
    return path.absolute()


def _shipped(scenes: Path) -> list[str]:
    return sorted(path.stem for path in scenes.glob("*.blend"))


def _empty(folder: Path) -> Path:
    """A folder for this run; an earlier run's is removed, anything else is left alone."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "nodes").is_dir():
        raise UsageError(f"--output: {folder} holds something that is not an earlier demo; choose another folder")
    for name in ("nodes", "pictures"):
        rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _members(providers: int, cheats: int) -> list[Member]:
    honest = [Member(f"provider-{n + 1}", PROVIDING) for n in range(providers)]
    kinds = [CHEATS[n % len(CHEATS)] for n in range(cheats)]
    lying = [Member(f"cheat-{n + 1}-{kind}", LYING, ("golem.testing.cheater", kind)) for n, kind in enumerate(kinds)]
    return [Member(REQUESTOR), *lying, *honest]


def is_settled(node: LocalNode) -> bool:
    """Whether all that a node owes or is owed is paid, as far as it knows."""
    return all(p.paid == p.promised for p in views(Payment, node.client.get("/payments")))


def _wait_for_payments(network: LocalNetwork) -> None:
    for node in network.nodes:
        wait_for(partial(is_settled, node), PAID_S, f"{node.name} to see all payments")


def _row(network: LocalNetwork, node: LocalNode, attempts: Sequence[Subtask]) -> Row:
    requestor = network[REQUESTOR]
    node_id, requestor_id = _node_id(node), _node_id(requestor)
    mine = [s for s in attempts if s.provider == node_id]
    good = [s for s in mine if s.phase == "accepted"]
    bad = [s for s in mine if s.phase == "rejected"]
    paid = views(Payment, node.client.get("/payments"))
    return Row(
        name=node.name,
        node=node_id,
        accepted=len(good),
        rejected=len(bad),
        computed_ms=sum(s.used_ms for s in mine),
        promised=sum(int(s.amount) for s in good),
        paid=sum(int(p.paid) for p in paid if p.direction == "in"),
        trust=_trust(requestor, node_id, "provider"),
        trusts_requestor=_trust(node, requestor_id, "requestor"),
        why=bad[0].reason if bad else "",
    )


def _node_id(node: LocalNode) -> str:
    status = node.status()
    return status.node_id if status else ""


def _trust(judge: LocalNode, node_id: str, role: str) -> float:
    known = views(Standing, judge.client.get("/reputation"))
    return next((s.trust for s in known if s.node == node_id and s.role == role), 0.5)


def _picture(path: str) -> str:
    """The file to look at, where there is one beside the linear one."""
    png = Path(path).with_suffix(".png")
    return str(png if png.is_file() else path)


def _show(call: Call, task: Task, rows: Sequence[Row], network: LocalNetwork) -> None:
    screen = call.screen
    if screen.is_json:
        screen.record(
            {
                "task_id": task.task_id,
                "phase": task.phase,
                "reason": task.reason,
                "pictures": sorted(map(_picture, task.results.values())),
                "contract": network.contract,
                "providers": [row._asdict() for row in rows],
            }
        )
        return
    took = span(task.finished_ms - task.submitted_ms)
    screen.say()
    screen.say(f"{task.phase} in {took}" + (f": {task.reason}" if task.reason else ""), GREEN if task.results else RED)
    for path in sorted(map(_picture, task.results.values())):
        screen.say(f"  {path}", BOLD)
    if not rows:
        return
    screen.say()
    screen.say("Who computed what, and what the contract shows as paid")
    table = [
        (r.name, r.node[:10], r.accepted, r.rejected, span(r.computed_ms), money(r.promised), money(r.paid))
        for r in rows
    ]
    screen.table(("PROVIDER", "NODE", "ACCEPTED", "REJECTED", "TIME", "EARNED", "PAID"), table, "nobody")
    caught = [row for row in rows if row.rejected]
    if caught:
        screen.say()
        screen.say("Who was caught, and why")
    for row in caught:
        screen.say(f"  {row.name}: {row.why}", RED)
    screen.say()
    screen.say("Reputation: from 0 to 1; a stranger has 0.5")
    trusts = [(r.name, f"{r.trust:.3f}", f"{r.trusts_requestor:.3f}") for r in rows]
    screen.table(("PROVIDER", "AS THE REQUESTOR SEES IT", "THE REQUESTOR, AS IT SEES HER"), trusts, "nobody")
