"""Templates are found by name, a strategy by its place; one that is broken harms only those who enable it."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import pytest

from golem.core.strategy import FRUGAL
from golem.errors import StrategyBroken, TemplateBroken, TemplateClash, TemplateMissing
from golem.node import plugins

_GOOD = """
from zope.interface import implementer
from golem.interfaces import ITaskTemplate
from golem.model.spec import Environment

@implementer(ITaskTemplate)
class Good:
    name = {name!r}
    title = programs = ""
    environment = Environment(name="python-3")
    parameters = ()
    def parse(self, params): ...
    def split(self, spec): ...
    def job(self, spec, chunk, subtask, provider): ...
    def merges(self, spec): ...
    def merge(self, spec, merge, deliveries): ...
    def verifier(self, spec): ...
    def cost_ms(self, spec, chunk): ...

template = Good()
"""
_fresh = count()


class Site:
    """A folder on the path, with a package of apps under a name never used before, and installed packages."""

    def __init__(self, folder: Path, apps: str) -> None:
        self.folder, self.apps = folder, apps
        self.app("", "")

    def app(self, name: str, source: str) -> None:
        """Drop an app into the package."""
        (self.folder / self.apps / name).mkdir()
        (self.folder / self.apps / name / "__init__.py").write_text(source)

    def install(self, package: str, *lines: str) -> None:
        """Install a third party's package that claims templates by entry points."""
        info = self.folder / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("\n".join(["[golem.apps]", *lines]))
        (self.folder / f"{package}.py").write_text(_GOOD.format(name="mandel"))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An empty one."""
    monkeypatch.setattr(plugins, "APPS", f"apps_{next(_fresh)}")
    monkeypatch.syspath_prepend(tmp_path)
    return Site(tmp_path, plugins.APPS)


def test_apps_and_entry_points_are_found_without_importing_any(site: Site) -> None:
    site.app("tiny", "raise AssertionError('imported')")
    site.install("mandel_maker", "mandel = mandel_maker:template")
    assert plugins.available() == {"mandel": "mandel_maker:template", "tiny": f"{site.apps}.tiny:template"}
    assert f"{site.apps}.tiny" not in sys.modules


def test_only_what_is_enabled_is_imported(site: Site) -> None:
    site.app("good", _GOOD.format(name="good"))
    site.app("broken", "1 / 0")
    site.install("mandel_builder", "mandel = mandel_builder:template")
    assert [t.name for t in plugins.load(["good", "mandel"]).values()] == ["good", "mandel"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import no_such_module_here", "no_such_module_here"),
        ("", "has no attribute 'template'"),
        ("template = object()", "is no ITaskTemplate"),
        (_GOOD.format(name="mine").replace("split(self, spec)", "split(self)"), "is no ITaskTemplate"),
        (_GOOD.format(name="other"), "its name is 'other'"),
        (_GOOD.format(name="mine").replace("Environment(name", "dict(name"), "no Environment"),
        (_GOOD.format(name="mine").replace('3")', '3", image="mine:latest")'), "'mine:latest', which is no digest"),
    ],
)
def test_a_broken_template_is_named_with_where_and_why(site: Site, source: str, why: str) -> None:
    site.app("mine", source)
    with pytest.raises(TemplateBroken) as caught:
        plugins.load(["mine"])
    assert f"'mine' ({site.apps}.mine:template)" in str(caught.value)
    assert why in str(caught.value)


def test_a_missing_template_is_answered_with_those_there_are(site: Site) -> None:
    site.app("blender", "")
    with pytest.raises(TemplateMissing, match=r"'blendr'.*there are: blender"):
        plugins.load(["blendr"])


def test_two_claims_to_one_name_are_a_clash_for_those_who_enable_it(site: Site) -> None:
    site.app("good", _GOOD.format(name="good"))
    site.app("mandel", "")
    site.install("mandel_rival", "mandel = mandel_rival:template")
    assert "good" in plugins.load(["good"])
    with pytest.raises(TemplateClash, match=f"{site.apps}.mandel:template and by mandel_rival:template"):
        plugins.load(["mandel"])


def test_without_a_strategy_of_its_own_a_node_has_the_standard_one() -> None:
    assert plugins.strategy("") is FRUGAL
    assert plugins.strategy("golem.core.strategy:FRUGAL") is FRUGAL


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("golem.core.no_such:x", "does not load: ModuleNotFoundError"),
        ("golem.core.strategy:NOTHING", "does not load: AttributeError"),
        ("golem.core.strategy:TRIALS", "is no IMarketStrategy"),
        ("golem.core.strategy:Frugal", "is no IMarketStrategy"),
    ],
)
def test_a_broken_strategy_is_named_with_where_and_why(target: str, why: str) -> None:
    with pytest.raises(StrategyBroken) as caught:
        plugins.strategy(target)
    assert str(caught.value).startswith(f"node.strategy: {target} ") and why in str(caught.value)
