"""What every command is made of: a parser, the options that all share, and what it is called with."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol

from golem.api import DEFAULT_FOLDER
from golem.cli.exits import MEANING, UsageError
from golem.cli.screen import Screen
from golem.control.client import Client
from golem.control.others import Known
from golem.control.views import Task, views
from golem.errors import NotFound

FULL_ID = 32  # hex digits of a task's id
FULL_NODE = 66  # of a node's

EXIT_CODES = "exit codes:\n" + "\n".join(f"  {exit_code.value:>3}  {text}" for exit_code, text in MEANING.items())


class Call(NamedTuple):
    """A command as it was called."""

    args: argparse.Namespace
    screen: Screen
    environ: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """The node's folder."""
        return Path(self.args.folder).expanduser().absolute()

    @property
    def client(self) -> Client:
        """The node that runs there."""
        return Client(self.folder)


Command = Callable[[Call], int]
"""Does it, and says how to exit."""


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes end in one line and the way to the help. `has_verbs`: whether `Verbs` were added."""

    has_verbs = False

    def __init__(self, prog: str, description: str = "", epilog: str | None = None) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, once."""
        raise UsageError(f"{message}; see {self.prog} --help")


class Noun(Protocol):
    """A module of this package: one noun of the command line."""

    def add(self, parser: Parser, environ: Mapping[str, str], argv: Sequence[str]) -> None:
        """Describe its options. `argv`: what follows the noun, for one whose options depend on it."""


def options(parser: Parser, environ: Mapping[str, str], command: Command) -> None:
    """Add what all commands about a node share, and say what this one does."""
    folder = environ.get("GOLEM_FOLDER", DEFAULT_FOLDER)
    parser.add_argument("--folder", default=folder, metavar="DIR", help=f"the node's folder (GOLEM_FOLDER; {folder})")
    answers(parser, command)


def answers(parser: Parser, command: Command) -> None:
    """Add what every command understands, and say what this one does."""
    parser.add_argument("--json", action="store_true", help="answer with one JSON value, for scripts")
    parser.set_defaults(command=command)


def add_settings(parser: Parser) -> None:
    """Add `--set provider.slots=4`, for what golem.toml would say."""
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=pair,
        help="say what golem.toml would: provider.slots=4",
    )


def pair(text: str) -> tuple[str, str]:
    """Read NAME=VALUE; a type for argparse."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


class Verbs:
    """The verbs of a noun, as in `golem task list`."""

    def __init__(self, parser: Parser, environ: Mapping[str, str]) -> None:
        self._environ = environ
        parser.has_verbs = True
        self._verbs = parser.add_subparsers(metavar="VERB", required=True)

    def add(self, name: str, command: Command, words: str) -> Parser:
        """Add one, with the options that all share."""
        parser = self._verbs.add_parser(name, help=words, description=words.capitalize() + ".")
        options(parser, self._environ, command)
        return parser


def find_node(client: Client, path: str, start: str) -> str:
    """The whole id of the node listed at `path` whose id starts so. Raises NotFound, also where several do."""
    if len(start) >= FULL_NODE:
        return start
    found = sorted({node.node for node in views(Known, client.get(path)) if node.node.startswith(start)})
    if len(found) != 1:
        raise NotFound(
            f"{'several nodes' if found else 'no node'} with an id that starts with {start!r}; "
            f"see: golem {'peer' if path == '/peers' else 'reputation'} list"
        )
    return found[0]


def find_task(client: Client, start: str) -> str:
    """The whole id of the task whose id starts so. Raises NotFound, also where there are several."""
    if len(start) >= FULL_ID:
        return start
    found = [task.task_id for task in views(Task, client.get("/tasks")) if task.task_id.startswith(start)]
    if len(found) != 1:
        raise NotFound(
            f"{'several tasks' if found else 'no task'} with an id that starts with {start!r}; see: golem task list"
        )
    return found[0]
