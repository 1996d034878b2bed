"""Asks a template: where it raises, the fault is named, and no more ends than its own task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from golem.errors import BadParameters, TemplateFailed, UnknownTemplate
from golem.interfaces import ITaskTemplate

MAX_WHY = 300  # characters of a template's failure that are kept


@contextmanager
def asking(template: str, what: str) -> Iterator[None]:
    """What a template raises inside becomes TemplateFailed. BadParameters, by which it says no, stays."""
    try:
        yield
    except BadParameters:
        raise
    except Exception as why:
        raise TemplateFailed(f"the template {template} failed in {what}: {why!r}"[:MAX_WHY]) from why


def enabled(templates: Mapping[str, ITaskTemplate], name: str) -> ITaskTemplate:
    """The template of a name. Raises UnknownTemplate."""
    if name not in templates:
        raise UnknownTemplate(f"no template {name!r} is enabled; there are: {', '.join(sorted(templates))}")
    return templates[name]
