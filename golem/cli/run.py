"""`golem run TEMPLATE [SCENE]`: have a task computed. The template's parameters become flags; the node knows them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from golem.api import Session, TaskHandle
from golem.cli.command import Call, Parser, options, pair
from golem.cli.exits import Exit, UsageError
from golem.cli.progress import Progress, cost_range, next_steps, summary
from golem.cli.screen import YELLOW
from golem.cli.words import count, money, short_task
from golem.control.client import Client
from golem.control.views import Estimate, Subtask, Template, views
from golem.errors import NotRunning, UnknownTemplate
from golem.model.money import ether

OWN = frozenset(
    {
        "folder",
        "json",
        "help",
        "budget",
        "max-price",
        "output",
        "param",
        "input",
        "tier",
        "check-share",
        "watch",
        "detach",
        "estimate",
    }
)
SCENE = "scene"  # the name under which jobs see the input that the command line names first
PARAMETER = "parameter "  # marks what a template's flag set, among argparse's own names


def add(parser: Parser, environ: Mapping[str, str], argv: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    options(parser, environ, _run)
    parser.add_argument("template", metavar="TEMPLATE", help="the kind of task: golem template list")
    parser.add_argument(SCENE, metavar="SCENE", nargs="?", help="the file or folder to work on")
    parser.add_argument("--budget", required=True, metavar="ETHER", type=_ether, help="the most the task may cost")
    parser.add_argument(
        "--max-price", metavar="ETHER", type=_ether, help="the most per hour of one slot (default: the whole budget)"
    )
    parser.add_argument("--output", metavar="DIR", help="where results go (default: NAME-output, here)")
    parser.add_argument("--param", metavar="NAME=VALUE", action="append", default=[], type=pair, help="any parameter")
    parser.add_argument("--input", metavar="NAME=PATH", action="append", default=[], type=pair, help="one more input")
    tier_help = "only providers that keep jobs apart so: sandbox, docker, docker-RUNTIME, wasm, host; may be said again"
    parser.add_argument("--tier", metavar="TIER", action="append", default=[], help=tier_help)
    share_help = "check this share of the results, or of the places in each, at least: from 0 to 1"
    parser.add_argument("--check-share", metavar="SHARE", type=float, default=0.0, help=share_help)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--watch", action="store_true", help="stay and show how it goes (the default)")
    how.add_argument("--detach", action="store_true", help="submit it and return at once")
    how.add_argument("--estimate", action="store_true", help="say what it may cost, and submit nothing")
    if argv and not argv[0].startswith("-"):
        _add_parameters(parser, argv)


def _add_parameters(parser: Parser, argv: Sequence[str]) -> None:
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--folder", default=parser.get_default("folder"))
    folder = first.parse_known_args(argv)[0].folder
    try:
        templates = {template.name: template for template in Session(Client(folder)).templates()}
    except NotRunning:
        if {"-h", "--help"} & set(argv):
            return  # the rest of the help is of use without a node
        raise
    if argv[0] not in templates:
        raise UnknownTemplate(f"no template {argv[0]!r} is enabled; there are: {', '.join(templates) or 'none'}")
    _add_flags(parser, templates[argv[0]])


def _add_flags(parser: Parser, template: Template) -> None:
    group = parser.add_argument_group(f"parameters of {template.name}", template.title.replace("%", "%%"))
    for parameter in template.parameters:
        if parameter.name not in OWN:  # what we took already can still be said by --param
            default = "required" if parameter.default is None else f"default: {parameter.default or 'none'}"
            words = f"{parameter.help} ({default})".replace("%", "%%")
            group.add_argument(f"--{parameter.name}", dest=PARAMETER + parameter.name, metavar="TEXT", help=words)


def _ether(text: str) -> str:
    try:
        ether(text)
    except ValueError as why:
        raise argparse.ArgumentTypeError(str(why)) from why
    return text


def _run(call: Call) -> int:
    args, session = call.args, Session(call.client)
    inputs: dict[str, str] = ({SCENE: args.scene} if args.scene else {}) | dict(args.input)
    missing = [path for path in inputs.values() if not Path(path).expanduser().exists()]
    if missing:
        raise UsageError(f"no such file or folder: {', '.join(missing)}")
    flags = {name.removeprefix(PARAMETER): value for name, value in vars(args).items() if name.startswith(PARAMETER)}
    params = {name: value for name, value in flags.items() if value is not None} | dict(args.param)
    guess = session.estimate(args.template, params, budget=args.budget, max_price=args.max_price)
    _tell(call, guess)
    if args.estimate:
        return Exit.OK
    task = session.submit(
        args.template,
        params,
        budget=args.budget,
        max_price=args.max_price,
        tiers=args.tier,
        check_share=args.check_share,
        resources=inputs,
        output=args.output or f"{Path(args.scene or args.template).stem}-output",
    )
    if args.detach:
        return _detach(call, task)
    call.screen.note(f"task {short_task(task.task_id)} submitted, with a budget of {money(int(ether(args.budget)))}")
    return _watch(call, task, guess)


def _tell(call: Call, guess: Estimate) -> None:
    if call.args.estimate and call.screen.is_json:
        call.screen.record(msgspec.to_builtins(guess))
    say = call.screen.say if call.args.estimate and not call.screen.is_json else call.screen.note
    say(f"estimate: {cost_range(guess)} for {count(guess.chunks, 'chunk')}, plus gas")
    if not guess.is_enough:
        call.screen.note(f"the budget of {money(int(ether(call.args.budget)))} may not be enough", YELLOW)


def _detach(call: Call, task: TaskHandle) -> int:
    if call.screen.is_json:
        call.screen.record({"task_id": task.task_id})
    else:
        call.screen.say(task.task_id)
        next_steps(call.screen, task.task_id)
    return Exit.OK


def _watch(call: Call, handle: TaskHandle, guess: Estimate) -> int:
    progress, is_first = Progress(call.screen), True
    try:
        for happening, task in handle.progress():
            progress.update(happening, task)
            if happening is None and not is_first and task.phase == "open" and task.pending and not task.running:
                progress.waits(handle.explain().reasons)
            is_first = False
    except KeyboardInterrupt:
        call.screen.note(f"task {short_task(handle.task_id)} goes on; nothing that was under way is lost")
        next_steps(call.screen, handle.task_id)
        return Exit.INTERRUPTED
    record = call.client.get(f"/tasks/{handle.task_id}")
    subtasks = call.client.get(f"/tasks/{handle.task_id}/subtasks")
    if call.screen.is_json:
        call.screen.record({"task": record, "subtasks": subtasks})
    else:
        summary(call.screen, task, views(Subtask, subtasks), progress.measured or cost_range(guess))
    return Exit.OK if task.phase == "done" else Exit.FAILED
