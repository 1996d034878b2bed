"""`golem template prepare`: what a template's jobs need beside the machine's own Python, or an image with all of it."""

from __future__ import annotations

import os
from pathlib import Path
from shutil import copy, copytree
from tempfile import TemporaryDirectory

from golem.adapters.docker import build
from golem.cli.command import Call, Parser
from golem.cli.exits import Exit
from golem.cli.progress import bar
from golem.cli.screen import BOLD, Screen
from golem.cli.wheels import prepare
from golem.errors import ConfigError, ExecutorFault, Refused
from golem.interfaces import ITaskTemplate
from golem.node.config import FILE
from golem.node.modules import FOLDER, PINS, PYTHON, pins
from golem.node.plugins import load

DOCKERFILE = "Dockerfile"
IMAGE_PYTHON = "3.11"  # Debian bookworm's, with which the Dockerfiles begin
STEP = 10  # percent from one line in a log file to the next


def describe(parser: Parser) -> None:
    """Its options."""
    parser.add_argument("template", metavar="TEMPLATE", help="its name")
    parser.add_argument("--image", action="store_true", help="build the image of its Dockerfile, too")
    parser.add_argument("--base", metavar="IMAGE", default="", help="what the image begins with, where no registry is")


def command(call: Call) -> int:
    """See `golem.cli.command.Command`."""
    if not (call.folder / FILE).is_file():
        raise ConfigError(f"{call.folder} is no node's folder; make one: golem init --folder {call.folder}")
    template = load([call.args.template])[call.args.template]
    if not pins(template):
        raise Refused(f"nothing to prepare: {template.name} pins no wheels ({PINS} beside its programs)")
    python = IMAGE_PYTHON if call.args.image else PYTHON
    folder = prepare(template, call.folder, _Display(call.screen).told, python)
    found = {"template": template.name, "wheels": list(pins(template)), "modules": str(folder)}
    if call.args.image:
        found["image"] = _image(template, folder, call)
    if call.screen.is_json:
        call.screen.record(found)
        return Exit.OK
    call.screen.fields(("template", template.name), ("wheels", ", ".join(pins(template))), ("modules", folder))
    if call.args.image:
        call.screen.say(f'images = ["{template.name}={found["image"]}"]', BOLD)
        call.screen.note(f"say so in {FILE}, under [provider]; it is tried when the node starts")
    else:
        call.screen.note("jobs find them, and the node tries them, when it starts again")
    return Exit.OK


class _Display:
    """A bar on a terminal, a line now and then in a log file."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._shown = ("", 0)

    def told(self, what: str, percent: int) -> None:
        """See `golem.cli.wheels.Told`."""
        if not self._screen.is_live and self._shown != (what, percent // STEP):
            self._screen.note(f"{what}: {percent} %")
        self._shown = (what, percent // STEP)
        self._screen.live(f"{bar(percent, 100)} {what}: {percent} %")


def _image(template: ITaskTemplate, modules: Path, call: Call) -> str:
    """Build it where the folder of modules is, so that nothing is copied."""
    recipe = Path(template.programs).parent / DOCKERFILE
    if not recipe.is_file():
        raise Refused(f"{template.name} has no {DOCKERFILE}")
    with TemporaryDirectory(dir=call.folder / FOLDER) as context:
        copy(recipe, context)
        copytree(modules, Path(context, "site"), copy_function=os.link)
        try:
            return build(context, f"golem-{template.name}", call.args.base, call.screen.note)
        except ExecutorFault as why:
            way_out = (
                "" if call.args.base else "\nwithout a registry, make a base and name it by --base: docs/computer.md"
            )
            raise ExecutorFault(f"{why}{way_out}") from why
