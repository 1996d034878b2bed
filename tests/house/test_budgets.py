"""The budgets of docs/architecture.md, over golem/ and apps/. Complexity is ruff's, cycles are import-linter's."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from golem.model.effects import Effect

ROOT = Path(__file__).parents[2]
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_STATEMENTS = 30
MAX_ARGUMENTS = 6  # self not counted
MAX_METHODS = 20
MAX_OWN_IMPORTS = 12
MAX_EFFECTS = 20  # more, and decisions have leaked into the shell
COMPOSITION_ROOT = "golem/node/build.py"  # names every part there is
UNTYPED = {"golem/wire/codec.py", "golem/core/machine.py"}  # what they handle is of any type
NO_NAMES = {
    "utils",
    "util",
    "common",
    "helpers",
    "helper",
    "manager",
    "managers",
    "misc",
}  # say nothing about what is in them
OWN = ("golem", "apps")
IGNORE = re.compile(r"#\s*type:\s*ignore")
IGNORE_WITH_REASON = re.compile(r"#\s*type:\s*ignore\[[a-z, -]+\]\s+#\s*\S+")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """One file. `path`: from the root, with slashes."""

    path: str
    source: str

    @property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.source)

    def at(self, node: ast.AST | int, what: str) -> str:
        """A finding, as editors understand it."""
        return f"{self.path}:{node if isinstance(node, int) else getattr(node, 'lineno', 1)}: {what}"


def modules() -> list[Module]:
    """All of the project's own."""
    files = sorted(file for package in OWN for file in (ROOT / package).rglob("*.py"))
    return [Module(file.relative_to(ROOT).as_posix(), file.read_text()) for file in files]


def functions(module: Module) -> Iterator[tuple[Function, bool]]:
    """Every function, and whether it is a method."""
    for parent in ast.walk(module.tree):
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, Function):
                yield node, isinstance(parent, ast.ClassDef)


def own_imports(node: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import of a module of ours in `node`, and the module's name."""
    for found in ast.walk(node):
        if isinstance(found, ast.Import):
            yield from ((found, name.name) for name in found.names if name.name.split(".")[0] in OWN)
        elif isinstance(found, ast.ImportFrom) and (found.level or (found.module or "").split(".")[0] in OWN):
            package = ROOT / (found.module or "").replace(".", "/")
            inner = {name.name for name in found.names if (package / f"{name.name}.py").exists()}
            yield from ((found, f"{found.module}.{name}") for name in sorted(inner))
            if len(inner) < len(found.names):
                yield found, f"{'.' * found.level}{found.module or ''}"


def module_lines(module: Module) -> Iterator[str]:
    lines = len(module.source.splitlines())
    if lines > MAX_MODULE_LINES:
        yield module.at(lines, f"{lines} lines, at most {MAX_MODULE_LINES}")


def function_lines(module: Module) -> Iterator[str]:
    for function, _ in functions(module):
        lines = (function.end_lineno or 0) - function.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            yield module.at(function, f"{function.name} has {lines} lines, at most {MAX_FUNCTION_LINES}")


def statements(module: Module) -> Iterator[str]:
    for function, _ in functions(module):
        count = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1
        count -= ast.get_docstring(function) is not None
        if count > MAX_STATEMENTS:
            yield module.at(function, f"{function.name} has {count} statements, at most {MAX_STATEMENTS}")


def arguments(module: Module) -> Iterator[str]:
    for function, is_method in functions(module):
        given = function.args
        names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        count = len(names) - (is_method and names[:1] in (["self"], ["cls"], ["mcls"]))
        if count > MAX_ARGUMENTS:
            yield module.at(function, f"{function.name} has {count} arguments, at most {MAX_ARGUMENTS}")


def methods(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            count = sum(isinstance(child, Function) for child in node.body)
            if count > MAX_METHODS:
                yield module.at(node, f"{node.name} has {count} methods, at most {MAX_METHODS}")


def imports(module: Module) -> Iterator[str]:
    names = {name for _, name in own_imports(module.tree)}
    if len(names) > MAX_OWN_IMPORTS and module.path != COMPOSITION_ROOT:
        yield module.at(
            1, f"imports {len(names)} modules of ours, at most {MAX_OWN_IMPORTS}: {', '.join(sorted(names))}"
        )


def hidden_imports(module: Module) -> Iterator[str]:
    for function, _ in functions(module):
        yield from (module.at(node, f"imports {name} inside a function") for node, name in own_imports(function))


def anything(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if name == "Any" and module.path not in UNTYPED:
            yield module.at(node, "Any says nothing; name the type, or object")


def ignores(module: Module) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(module.source).readline):
        if (
            token.type == tokenize.COMMENT
            and IGNORE.search(token.string)
            and not IGNORE_WITH_REASON.search(token.string)
        ):
            yield module.at(token.start[0], "type: ignore wants a code and a reason: `# type: ignore[code]  # why`")


def names(module: Module) -> Iterator[str]:
    for part in sorted(set(Path(module.path).with_suffix("").parts) & NO_NAMES):
        yield module.at(1, f"{part} says nothing about what is in it")


Budget = Callable[[Module], Iterator[str]]
BUDGETS: list[Budget] = [
    module_lines,
    function_lines,
    statements,
    arguments,
    methods,
    imports,
    hidden_imports,
    anything,
    ignores,
    names,
]


def body(line: str, times: int) -> str:
    """A function of `times` statements."""
    return "def f():\n" + f"    {line}\n" * times


def method_class(times: int) -> str:
    """A class of so many methods."""
    return "class C:\n" + "".join(f"    def m{index}(self): ...\n" for index in range(times))


def import_lines(times: int) -> str:
    """So many imports of ours."""
    return "".join(f"from golem.model.m{index} import a, b\n" for index in range(times))


SIX = "a, b, *, c, d, e, f"
PLANTED: list[tuple[Budget, str, str]] = [  # what is at the limit, and what is past it
    (module_lines, "x = 1\n" * 400, "x = 1\n" * 401),
    (function_lines, "def f():\n  x = [\n" + "1,\n" * 37 + "  ]\n", "def f():\n  x = [\n" + "1,\n" * 38 + "  ]\n"),
    (statements, body("x = 1", 30), body("x = 1", 31)),
    (statements, body("'docstring'", 1) + "    x = 1\n" * 30, "async " + body("if x: y = 1", 16)),
    (arguments, f"class C:\n    def m(self, {SIX}): ...", f"class C:\n    def m(self, {SIX}, g): ...",),
    (arguments, f"def f({SIX}): ...", f"def f(self, {SIX}): ..."),
    (methods, method_class(20), method_class(21)),
    (imports, import_lines(12), import_lines(13)),
    (imports, "from golem.model.ids import a\n" * 13, import_lines(12) + "import apps.echo\n"),
    (imports, "from golem.model import a\n" + import_lines(11), "from golem.model import ids, a\n" + import_lines(11)),
    (hidden_imports, "def f():\n    import json\n", "async def f():\n    if x:\n        from golem import api\n"),
    (anything, "x: object\n# Any\n", "x: list[Any]\n"),
    (anything, "x: 'list[int]'\n", "x: typing.Any\n"),
    (ignores, "x = 1  # type: ignore[misc]  # mypy 1234\n", "x = 1  # type: ignore\n"),
    (ignores, "s = '# type: ignore'\n", "x = 1  # type: ignore[misc]\n"),
]  # fmt: skip


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.__name__)
def test_the_house_keeps_its_budget(budget: Budget) -> None:
    findings = [finding for module in modules() for finding in budget(module)]
    assert not findings, "\n" + "\n".join(findings)


@pytest.mark.parametrize(("budget", "good", "bad"), PLANTED, ids=lambda part: getattr(part, "__name__", ""))
def test_what_is_past_a_budget_is_found_and_what_is_at_it_is_not(budget: Budget, good: str, bad: str) -> None:
    assert list(budget(Module("golem/x.py", good))) == []
    assert [finding.split(":")[0] for finding in budget(Module("golem/x.py", bad))] == ["golem/x.py"]


def test_a_finding_names_file_and_line() -> None:
    assert next(anything(Module("golem/x.py", "\n\nx: Any\n"))).startswith("golem/x.py:3: ")


def test_a_name_that_says_nothing_is_found() -> None:
    assert list(names(Module("golem/node/utils.py", ""))) and list(names(Module("apps/common/__init__.py", "")))
    assert not list(names(Module("golem/node/units.py", "")))


def test_the_exceptions_are_those_that_have_a_reason() -> None:
    assert not list(imports(Module(COMPOSITION_ROOT, import_lines(13))))
    assert not any(list(anything(Module(path, "x: Any\n"))) for path in UNTYPED)


def test_effects_are_few() -> None:
    assert 0 < len(get_args(Effect)) <= MAX_EFFECTS


def test_every_file_of_the_house_is_looked_at() -> None:
    assert {"golem/core/node.py", "apps/__init__.py", "golem/guest/worker.py"} <= {module.path for module in modules()}
