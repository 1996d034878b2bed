"""`golem net`: play scenarios, replay and shrink failures, write reports, or keep a real network up."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from golem.cli.command import Call, Parser, Verbs
from golem.cli.exits import Exit, UsageError
from golem.errors import ConfigError
from golem.testing.levels import LEVELS, SIM, Level
from golem.testing.mishaps import Fault
from golem.testing.player import FAILED, PASSED, Played, play, shrunk
from golem.testing.report import html
from golem.testing.scenario import Scenario, load
from golem.testing.standing import down, up, usual

MAX_SEEDS = 10_000  # a night of small scenarios
_faults = msgspec.json.Decoder(tuple[Fault, ...])


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    up = verbs.add("up", _up, "start a local network in the background: a chain, and nodes on loopback")
    up.add_argument("scenario", nargs="?", metavar="FILE", help="whose nodes; without it, alice and two providers")
    down = verbs.add("down", _down, "end that network, and remove all of it")
    for one in (up, down):
        one.add_argument("--output", default="golem-net", metavar="DIR", help="its folder (default: golem-net)")
    run = verbs.add("run", _run, "play a scenario, once or under many seeds; stops at the first that fails")
    run.add_argument("scenario", metavar="FILE", help="a scenario, as docs/testing.md describes")
    run.add_argument("--seed", type=int, metavar="N", help="instead of the scenario's own")
    run.add_argument("--seeds", type=int, default=1, metavar="N", help="so many seeds, from that one on (default: 1)")
    run.add_argument("--report", metavar="FILE", help="write the last run as one HTML file")
    _add_level(run)
    for verb, command, words in (
        ("replay", _replay, "play a scenario again with a seed and a list of faults, as a failure printed them"),
        ("shrink", _shrink, "find the fewest faults with which a scenario still fails"),
    ):
        one = verbs.add(verb, command, words)
        one.add_argument("scenario", metavar="FILE", help="the scenario that failed")
        one.add_argument("--seed", type=int, metavar="N", help="instead of the scenario's own")
        one.add_argument("--faults", metavar="JSON", help="instead of the scenario's own")
        one.add_argument("--report", metavar="FILE", help="write the run as one HTML file")
        _add_level(one)
    report = verbs.add("report", _report, "play a scenario and write what happened as one HTML file")
    report.add_argument("scenario", metavar="FILE", help="a scenario")
    report.add_argument("--output", default="report.html", metavar="FILE", help="where to (default: report.html)")
    _add_level(report)


def _add_level(verb: Parser) -> None:
    words = "sim: simulated; local: real nodes on loopback; netns: each on a host of its own (default: sim)"
    verb.add_argument("--level", default="sim", choices=tuple(LEVELS), help=words)


def _level(call: Call) -> Level:
    return LEVELS[call.args.level]


def _up(call: Call) -> int:
    folder = Path(call.args.output).expanduser().absolute()
    scenario = load(Path(call.args.scenario)) if call.args.scenario else usual()
    network = up(folder, scenario, call.screen.note)
    folders = {node.name: str(node.folder) for node in network.nodes}
    if call.screen.is_json:
        call.screen.record({"nodes": folders, "rpc": network.rpc, "contract": network.contract})
        return Exit.OK
    call.screen.fields(*folders.items(), ("chain", network.rpc), ("contract", network.contract))
    first = shlex.quote(next(iter(folders.values())))
    call.screen.note(f"try: golem run echo --folder {first} --budget 0.1")
    call.screen.note(f"end it: golem net down --output {shlex.quote(str(folder))}")
    return Exit.OK


def _down(call: Call) -> int:
    ended = down(Path(call.args.output).expanduser().absolute())
    if call.screen.is_json:
        call.screen.record({"ended": ended})
    else:
        call.screen.say(f"{ended} processes have ended, and their files are gone")
    return Exit.OK


def _run(call: Call) -> int:
    args = call.args
    if not 1 <= args.seeds <= MAX_SEEDS:
        raise UsageError(f"--seeds: from 1 to {MAX_SEEDS}")
    scenario = _scenario(args)
    for seed in range(scenario.seed, scenario.seed + args.seeds):
        played = play(scenario._replace(seed=seed), _level(call))
        if played.outcome != PASSED:
            break
    return _tell(call, played)


def _replay(call: Call) -> int:
    return _tell(call, play(_with_faults(call.args), _level(call)))


def _shrink(call: Call) -> int:
    level = _level(call)
    return _tell(call, shrunk(play(_with_faults(call.args), level), level))


def _report(call: Call) -> int:
    call.args.report = call.args.output
    return _tell(call, play(load(Path(call.args.scenario)), _level(call)))


def _scenario(args: Namespace) -> Scenario:
    scenario = load(Path(args.scenario))
    return scenario if args.seed is None else scenario._replace(seed=args.seed)


def _with_faults(args: Namespace) -> Scenario:
    scenario = _scenario(args)
    if args.faults is None:
        return scenario
    try:
        faults = _faults.decode(args.faults)
    except msgspec.MsgspecError as why:
        raise UsageError(f"--faults: {why}") from why
    names = [member.name for member in scenario.members]
    for fault in faults:
        unknown = [name for name in fault.nodes if name not in names]
        if unknown:
            raise UsageError(f"--faults: no node {unknown[0]!r}; there are: {', '.join(names)}")
    return scenario._replace(faults=faults, lines=dict.fromkeys(faults, 0))


def again(played: Played, path: str) -> str:
    """The command that plays just this."""
    faults = msgspec.json.encode(played.scenario.faults).decode()
    level = "" if played.level == SIM.name else f" --level {played.level}"
    seed = played.scenario.seed
    return f"golem net replay {shlex.quote(path)}{level} --seed {seed} --faults {shlex.quote(faults)}"


def _tell(call: Call, played: Played) -> int:
    command = again(played, call.args.scenario)
    if call.args.report:
        _write(Path(call.args.report), html(played, command))
    if call.screen.is_json:
        call.screen.record(
            {
                "scenario": played.scenario.name,
                "level": played.level,
                "outcome": played.outcome,
                "seed": played.scenario.seed,
                "ended_ms": played.ended_ms,
                "trace": played.trace,
                "verdicts": [verdict._asdict() for verdict in played.verdicts],
                "faults": msgspec.to_builtins(played.scenario.faults),
                "again": command,
            }
        )
    else:
        rows = [(v.line or "", v.what, v.outcome, v.detail.replace("\n", "; ")) for v in played.verdicts]
        call.screen.table(("LINE", "EXPECTED", "", ""), rows, "")
        if played.outcome == FAILED:
            for line in [*(f"{v.what}: {v.detail}" for v in played.broken), *played.story.splitlines()]:
                call.screen.note(line)
            call.screen.note(f"again: {command}")
        call.screen.say(
            f"{played.scenario.name}: {played.outcome} at level {played.level}, seed {played.scenario.seed}"
        )
        if call.args.report:
            call.screen.note(f"report: {call.args.report}")
    return Exit.OK if played.outcome == PASSED else Exit.FAILED


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as why:
        raise ConfigError(f"{path}: {why}") from why
