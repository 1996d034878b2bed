"""`golem init`: make a node's folder, with its keys and its configuration. Nothing that is there is overwritten."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from getpass import getpass
from pathlib import Path

from golem.adapters.entropy import OsEntropy
from golem.adapters.keyring import FileKeyring
from golem.cli.command import Call, Parser, add_settings, options
from golem.cli.exits import Exit
from golem.errors import ConfigError, KeyFault
from golem.node.config import FILE, Config, first
from golem.node.plugins import available
from golem.wire.toil import asked


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    options(parser, environ, _init)
    parser.add_argument("where", metavar="FOLDER", nargs="?", help="the folder to make (default: that of --folder)")
    parser.add_argument("--provider", action="store_true", help="compute for others, too")
    add_settings(parser)


def _init(call: Call) -> int:
    folder = Path(call.args.where or call.folder).expanduser().absolute()
    if (folder / FILE).exists():
        raise ConfigError(f"{folder} holds a node already; choose another folder, or edit {folder / FILE}")
    standard = {"provider.templates": ",".join(available()), "provider.enabled": str(call.args.provider)}
    config = first(str(folder), standard | dict(call.args.set))
    password = _password(call.environ)
    if bits := asked(config.node.network):
        call.screen.note(f"{config.node.network} asks for {bits} bits of toil: drawing keys until a node id shows them")
    keyring = _make(config, folder, password)
    if call.screen.is_json:
        call.screen.record({"folder": str(folder), "node_id": keyring.node_id, "account": keyring.account})
        return Exit.OK
    call.screen.fields(("folder", folder), ("node", keyring.node_id), ("account", keyring.account))
    call.screen.note("keep the password: without it the keys, and what they earn, are lost")
    call.screen.note(f"next: golem node start --folder {folder}")
    return Exit.OK


def _make(config: Config, folder: Path, password: str) -> FileKeyring:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keyring = FileKeyring.create(config.key_folder, password, OsEntropy(), bits=asked(config.node.network))
        with (folder / FILE).open("x") as file:
            file.write(config.to_toml())
    except OSError as why:
        raise ConfigError(f"{folder} can't be made: {why}") from why
    return keyring


def _password(environ: Mapping[str, str]) -> str:
    if "GOLEM_PASSWORD" in environ:
        return environ["GOLEM_PASSWORD"]
    if not sys.stdin.isatty():
        raise KeyFault("no password for the keys: set GOLEM_PASSWORD, or run golem init in a terminal")
    password = getpass("password for the new keys: ")
    if password != getpass("once more: "):
        raise KeyFault("the passwords differ; nothing was made")
    return password
