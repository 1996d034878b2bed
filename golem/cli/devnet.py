"""`golem devnet`: a local network with its own chain, for as long as it is wanted."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import rmtree

from golem.cli.command import Call, Parser, add_settings, answers
from golem.cli.demo import PROVIDING, SETTINGS
from golem.cli.exits import Exit, UsageError
from golem.cli.local import CHAINS, EMBEDDED, REQUESTOR, LocalNetwork, Member


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    answers(parser, _devnet)
    parser.add_argument("--providers", default=2, type=int, metavar="N", help="how many (default: 2)")
    parser.add_argument("--output", default="devnet", metavar="DIR", help="the nodes' folders (default: devnet)")
    parser.add_argument("--chain", default=EMBEDDED, choices=tuple(CHAINS), help=f"default: {EMBEDDED}")
    add_settings(parser)


def _devnet(call: Call) -> int:
    if not 1 <= call.args.providers <= 50:
        raise UsageError("--providers: from 1 to 50")
    folder = Path(call.args.output).expanduser().absolute()
    if folder.exists() and any(folder.iterdir()) and not (folder / REQUESTOR).is_dir():
        raise UsageError(f"--output: {folder} holds something that is no devnet; choose another folder")
    rmtree(folder, ignore_errors=True)
    members = [Member(REQUESTOR), *(Member(f"provider-{n + 1}", PROVIDING) for n in range(call.args.providers))]
    settings = {**SETTINGS, **dict(call.args.set)}
    first = settings["provider.templates"].split(",")[-1].strip()  # echo, where nobody said otherwise
    with LocalNetwork(folder, members, settings, call.args.chain) as network:
        network.start(call.screen.note)
        requestor = network[REQUESTOR].folder
        if call.screen.is_json:
            call.screen.record({"requestor": str(requestor), "rpc": network.rpc, "contract": network.contract})
        else:
            call.screen.fields(("requestor", requestor), ("chain", network.rpc), ("contract", network.contract))
            call.screen.note(f"more play money: golem faucet ACCOUNT --rpc {network.rpc}")
            call.screen.note(f"try: golem run {first} --folder {requestor} --budget 0.1    (ctrl-c ends it all)")
        try:
            signal.pause()
        except KeyboardInterrupt:
            call.screen.note("stopping")
    return Exit.OK
