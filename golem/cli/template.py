"""`golem template`: list and show the kinds of task a node can have computed; begin one of your own, and try it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from golem.cli import prepare
from golem.cli.beginning import begin
from golem.cli.command import Call, Command, Parser, Verbs, pair
from golem.cli.exits import Exit
from golem.cli.screen import BOLD
from golem.control.views import Parameter, Template, views
from golem.errors import NotFound

TRIAL = "golem.testing.trial"


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    verbs.add("list", _list, "list the kinds of task, with their parameters")
    show = verbs.add("show", _show, "show one kind of task, and in JSON Schema what may be said of it")
    show.add_argument("template", metavar="TEMPLATE", help="its name")
    new = verbs.add("new", _new, "write a small template that works, to begin one of your own with")
    new.add_argument("name", metavar="NAME", help="its name, which its package has, too: letters, digits and _")
    new.add_argument("--into", metavar="DIR", help="the folder to make (default: NAME, here)")
    prepare.describe(verbs.add("prepare", prepare.command, "get the wheels that a template pins, or build its image"))
    test = verbs.add("test", _test, "try a template with a fake provider and fake cheaters: offline, without a node")
    test.add_argument("template", metavar="TEMPLATE", help="a folder with one, or the name of one that is installed")
    test.add_argument("scene", metavar="SCENE", nargs="?", help="the file or folder to work on")
    test.add_argument("--param", metavar="NAME=VALUE", action="append", default=[], type=pair, help="a parameter")
    test.add_argument("--input", metavar="NAME=PATH", action="append", default=[], type=pair, help="one more input")


def _list(call: Call) -> int:
    records = call.client.get("/templates")
    if call.screen.is_json:
        call.screen.record(records)
        return Exit.OK
    templates = views(Template, records)
    for template in templates:
        call.screen.say(f"{template.name}: {template.title}", BOLD)
        call.screen.fields(*((f"  --{p.name}", _explained(p)) for p in template.parameters))
    if not templates:
        call.screen.say("no template is enabled; name some in golem.toml: templates = [...] under [provider]")
    return Exit.OK


def _show(call: Call) -> int:
    records = call.client.get("/templates")
    templates = views(Template, records)
    found = next((one for one in templates if one.name == call.args.template), None)
    if found is None:
        known = ", ".join(one.name for one in templates) or "none"
        raise NotFound(f"no template {call.args.template!r} is enabled; there are: {known}")
    if call.screen.is_json:
        call.screen.record(found.schema)
        return Exit.OK
    call.screen.say(f"{found.name}: {found.title}", BOLD)
    speed = f"{found.speed / 100:.2f} of what the template guesses" if found.speed else "not tried"
    told = (("environment", found.environment), ("speed here", speed))
    call.screen.fields(*told, *((f"--{p.name}", _explained(p)) for p in found.parameters))
    call.screen.say(json.dumps(found.schema, indent=2))
    return Exit.OK


def _new(call: Call) -> int:
    folder = begin(call.args.name, Path(call.args.into or call.args.name).expanduser().absolute())
    if call.screen.is_json:
        call.screen.record({"folder": str(folder)})
        return Exit.OK
    call.screen.say(f"{folder}: a template that works; README.md says what is where")
    call.screen.say(f"try it: golem template test {call.args.into or call.args.name}")
    return Exit.OK


def _test(call: Call) -> int:
    command: Command = import_module(TRIAL).command  # by name, as nouns are: what tests stands above the command line
    return command(call)


def _explained(parameter: Parameter) -> str:
    default = "required" if parameter.default is None else f"default: {parameter.default}" if parameter.default else ""
    return f"{parameter.help} ({default})" if default else parameter.help
