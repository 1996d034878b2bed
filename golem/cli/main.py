"""The `golem` command: finds the noun in a table, imports that one module, runs it, says what went wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TextIO

from golem import __version__
from golem.cli.command import EXIT_CODES, Call, Command, Noun, Parser
from golem.cli.exits import Exit, UsageError, code
from golem.cli.screen import Screen
from golem.errors import ConfigError, GolemError

NOUNS = {
    "demo": ("golem.cli.demo", "render a scene on a network of nodes on this machine, cheaters included"),
    "init": ("golem.cli.init", "make a node's folder: keys and golem.toml"),
    "node": ("golem.cli.node", "run a node"),
    "status": ("golem.cli.status", "show a node at a glance"),
    "doctor": ("golem.cli.doctor", "say what is wrong with a node, and which limits it met"),
    "run": ("golem.cli.run", "have a task computed"),
    "task": ("golem.cli.task", "list, show, cancel tasks; explain why one waits"),
    "resource": ("golem.cli.resource", "files by their content id: put in, take out, keep, let go of"),
    "evidence": ("golem.cli.evidence", "show, save and repeat verdicts against results"),
    "template": ("golem.cli.template", "list the kinds of task and their parameters"),
    "payment": ("golem.cli.payment", "show what is paid and owed; compare all books"),
    "wallet": ("golem.cli.wallet", "show what this node has; deposit, withdraw, reserve"),
    "peer": ("golem.cli.peer", "list and show the nodes that this one has met"),
    "reputation": ("golem.cli.reputation", "show what is known of other nodes, and why"),
    "net": ("golem.testing.net_command", "play scenarios on a network of nodes, with faults; report what held"),
    "devnet": ("golem.cli.devnet", "run a local network with its own chain"),
    "faucet": ("golem.cli.faucet", "have play money from a development chain"),
}
"""By noun: its module, and a line for the help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the console script's entry point. Returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    return run(words, sys.stdout, sys.stderr, os.environ)


def run(argv: Sequence[str], out: TextIO, err: TextIO, environ: Mapping[str, str]) -> int:
    """Run one command with these streams and this environment. Returns the exit code; raises nothing."""
    screen = Screen(out, err, environ, is_json="--json" in argv)
    try:
        return _run(argv, screen, environ)
    except GolemError as why:
        screen.error(str(why))
        return code(why)
    except SystemExit as done:  # argparse has shown some help
        return int(done.code or Exit.OK)
    except BrokenPipeError:  # whoever reads us has seen enough
        return Exit.OK
    except KeyboardInterrupt:
        screen.note("interrupted")
        return Exit.INTERRUPTED


def _run(argv: Sequence[str], screen: Screen, environ: Mapping[str, str]) -> int:
    if not argv or argv[0] in {"-h", "--help"}:
        for line in _help().splitlines():
            screen.say(line)
        return Exit.OK
    if argv[0] == "--version":
        screen.say(f"golem {__version__}")
        return Exit.OK
    if argv[0] not in NOUNS:
        raise UsageError(f"there is no {argv[0]!r}; there are: {', '.join(NOUNS)} (see golem --help)")
    path, words = NOUNS[argv[0]]
    parser = Parser(f"golem {argv[0]}", words.capitalize() + ".", EXIT_CODES)
    noun = _load(argv[0], path)
    noun.add(parser, environ, argv[1:])
    parse = parser.parse_args if parser.has_verbs else parser.parse_intermixed_args  # options may stand anywhere
    args = parse(argv[1:])
    command: Command = args.command
    return command(Call(args, screen, environ))


def _load(name: str, path: str) -> Noun:
    try:
        noun: Noun = import_module(path)
    except ModuleNotFoundError as why:
        if (why.name or "golem").startswith("golem"):
            raise
        raise ConfigError(
            f"golem {name} needs {why.name}, which is not installed: pip install 'golem[testing]'"
        ) from why
    return noun


def _help() -> str:
    nouns = "\n".join(f"  {noun:<11} {words}" for noun, (_, words) in NOUNS.items())
    return (
        "golem: a market where computers rent each other computing time\n\n"
        f"usage: golem NOUN [VERB] [OPTIONS]\n\n{nouns}\n\n"
        "golem NOUN --help says more. Every command takes --json, and those about a node --folder DIR.\n\n"
        f"first steps:\n  golem demo\n\n{EXIT_CODES}"
    )


if __name__ == "__main__":
    sys.exit(main())
