"""`golem template list`: the kinds of task a node can have computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.cli.command import Call, Parser, Verbs
from golem.cli.exits import Exit
from golem.cli.screen import BOLD
from golem.control.views import Parameter, Template, views


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    Verbs(parser, environ).add("list", _list, "list the kinds of task, with their parameters")


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


def _explained(parameter: Parameter) -> str:
    default = "required" if parameter.default is None else f"default: {parameter.default}" if parameter.default else ""
    return f"{parameter.help} ({default})" if default else parameter.help
