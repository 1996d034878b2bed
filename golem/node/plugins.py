"""What a user plugs in. Task templates are found by name without importing any; a market strategy is told by its place.

Templates are sub-packages of `apps`, and in the entry-point group `golem.apps`.

The package `apps` is asked for by name: golem does not know its apps. A template that is broken, or whose name two
packages claim, harms only those who enable it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from zope.interface import Invalid
from zope.interface.verify import verifyObject

from golem.core.strategy import FRUGAL
from golem.errors import StrategyBroken, TemplateBroken, TemplateClash, TemplateMissing
from golem.interfaces import IMarketStrategy, ITaskTemplate
from golem.model.spec import Environment
from golem.node.kinds import BY_DIGEST

APPS = "apps"
GROUP = "golem.apps"


def available() -> dict[str, str]:
    """Every template there is, as name to "module:attribute". Where two claim a name, the first in order of target."""
    return {name: targets[0] for name, targets in _claims().items()}


def load(names: Iterable[str]) -> dict[str, ITaskTemplate]:
    """Import the templates of these names and check each against ITaskTemplate.

    Raises TemplateMissing, TemplateBroken or TemplateClash at the first that can't be had.
    """
    claims = _claims()
    return {name: _load(name, claims) for name in names}


def _claims() -> dict[str, list[str]]:
    targets: dict[str, set[str]] = {}
    for module in pkgutil.iter_modules(getattr(import_module(APPS), "__path__", ())):
        if module.ispkg:
            targets.setdefault(module.name, set()).add(f"{APPS}.{module.name}:template")
    for point in entry_points(group=GROUP):
        targets.setdefault(point.name, set()).add(point.value)
    return {name: sorted(targets[name]) for name in sorted(targets)}


def _load(name: str, claims: dict[str, list[str]]) -> ITaskTemplate:
    targets = claims.get(name, [])
    if not targets:
        raise TemplateMissing(f"no template {name!r} is installed; there are: {', '.join(claims) or 'none'}")
    if len(targets) > 1:
        raise TemplateClash(f"template {name!r} is claimed by {' and by '.join(targets)}; uninstall one")
    return resolve(name, targets[0])


def resolve(name: str, target: str) -> ITaskTemplate:
    """The template at `target`, "module:attribute". Raises TemplateBroken, also where it is not called `name`."""
    try:
        template = EntryPoint(name, target, GROUP).load()
    except Exception as why:  # whatever a stranger's module raises, its user is told whose it is
        raise TemplateBroken(f"template {name!r} ({target}) does not load: {type(why).__name__}: {why}") from why
    return _checked(name, target, template)


def _checked(name: str, target: str, template: object) -> ITaskTemplate:
    try:
        verifyObject(ITaskTemplate, template)
    except Invalid as why:
        raise TemplateBroken(f"template {name!r} ({target}) is no ITaskTemplate: {why}") from why
    checked = ITaskTemplate(template)
    if checked.name != name:
        raise TemplateBroken(f"template {name!r} ({target}) says that its name is {checked.name!r}")
    if not isinstance(checked.environment, Environment):
        raise TemplateBroken(f"template {name!r} ({target}) has an environment that is no Environment")
    if (image := checked.environment.image) and not BY_DIGEST.fullmatch(image):
        raise TemplateBroken(f"template {name!r} ({target}) names its image {image!r}, which is no digest: sha256:…")
    return checked


def strategy(target: str) -> IMarketStrategy:
    """The market strategy at `target`, "module:attribute", or the standard one where that is empty.

    Raises StrategyBroken.
    """
    if not target:
        return FRUGAL
    try:
        found = EntryPoint("strategy", target, GROUP).load()
        verifyObject(IMarketStrategy, found)
    except Invalid as why:
        raise StrategyBroken(f"node.strategy: {target} is no IMarketStrategy: {why}") from why
    except Exception as why:  # whatever a stranger's module raises, its user is told whose it is
        raise StrategyBroken(f"node.strategy: {target} does not load: {type(why).__name__}: {why}") from why
    return IMarketStrategy(found)
