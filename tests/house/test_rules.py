"""The standing rules of docs/security.md, as far as syntax shows; and that ruff and import-linter see the rest."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Rule = Callable[[ast.AST], bool]

PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "jsonpickle", "marshal", "shelve", "joblib"}
UNBOUNDED = {f"{name}.{call}" for name in ("zlib", "gzip", "bz2", "lzma") for call in ("decompress", "open")}
SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "create_subprocess_shell"}
MONEY = ("golem/model/money.py", "golem/model/chain.py", "golem/core/ledger.py", "golem/core/settlement.py")


def called(node: ast.AST) -> str:
    """What a call calls, as written; otherwise nothing."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports from."""
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    return [node.module or "."] if isinstance(node, ast.ImportFrom) and not node.level else []


def makes_objects_of_bytes(node: ast.AST) -> bool:
    return any(name.split(".")[0] in PICKLES for name in imported(node)) or called(node).endswith("yaml.load")


def unpacks_archives(node: ast.AST) -> bool:
    return called(node).split(".")[-1] in {"extractall", "unpack_archive"}


def asks_a_shell(node: ast.AST) -> bool:
    shell = isinstance(node, ast.keyword) and node.arg == "shell" and ast.unparse(node.value) != "False"
    return shell or any(called(node).endswith(name) for name in SHELLS)


def runs_text(node: ast.AST) -> bool:
    return called(node) in {"eval", "exec", "compile", "builtins.eval", "builtins.exec"}


def inflates_without_a_limit(node: ast.AST) -> bool:
    return called(node) in UNBOUNDED


def swallows_everything(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    broad = node.type is None or ast.unparse(node.type) == "BaseException"
    return broad and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))


def makes_sql_of_values(node: ast.AST) -> bool:
    """Text put together from anything but constants, which are named in capitals."""
    if called(node).split(".")[-1] not in {"execute", "executemany", "executescript"}:
        return False
    sql = node.args[0] if isinstance(node, ast.Call) and node.args else None
    if not isinstance(sql, ast.JoinedStr | ast.BinOp | ast.Call):
        return False
    return any(isinstance(part, ast.Name) and not part.id.isupper() for part in ast.walk(sql)) or isinstance(
        sql, ast.Call
    )


def loses_wei(node: ast.AST) -> bool:
    """Floats hold 53 bits of a sum; money is whole wei."""
    number = isinstance(node, ast.Constant) and isinstance(node.value, float)
    division = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
    return number or division or (isinstance(node, ast.Name) and node.id == "float")


def is_not_in_the_sandbox(node: ast.AST) -> bool:
    """A sandbox holds Python's own library; what a template's image adds is for its programs alone."""
    return any(name.split(".")[0] not in sys.stdlib_module_names for name in imported(node))


def reaches_out_of_the_sandbox(node: ast.AST) -> bool:
    return any(name.split(".")[0] in {"golem", "apps"} for name in imported(node))


RULES: list[tuple[Rule, tuple[str, ...], str, tuple[str, ...]]] = [  # rule, where, what is fine, what is not
    (
        makes_objects_of_bytes,
        ("golem/**/*.py", "apps/**/*.py"),
        "import json\nyaml.safe_load(x)",
        ("import pickle", "from marshal import loads", "import dill.source", "yaml.load(x)"),
    ),
    (
        unpacks_archives,
        ("golem/**/*.py", "apps/**/*.py"),
        "archive.extract(x)",
        ("tar.extractall(p)", "shutil.unpack_archive(p)"),
    ),
    (
        asks_a_shell,
        ("golem/**/*.py", "apps/**/*.py"),
        "run(x, shell=False)",
        ("run(x, shell=True)", "run(x, shell=y)", "os.system(x)", "os.popen(x)"),
    ),
    (
        runs_text,
        ("golem/**/*.py", "apps/**/*.py"),
        "re.compile(x)\nnode.exec(x)",
        ("eval(x)", "exec(x)", "compile(x, '', 'exec')"),
    ),
    (
        inflates_without_a_limit,
        ("golem/**/*.py", "apps/**/*.py"),
        "zlib.decompressobj().decompress(x, 9)",
        ("zlib.decompress(x)", "gzip.open(x)"),
    ),
    (
        swallows_everything,
        ("golem/**/*.py", "apps/**/*.py"),
        "try: x\nexcept BaseException:\n    y\n    raise",
        ("try: x\nexcept:\n    pass", "try: x\nexcept BaseException as why:\n    log(why)"),
    ),
    (
        makes_sql_of_values,
        ("golem/**/*.py", "apps/**/*.py"),
        "db.execute('select ?', (x,))\ndb.executescript(f'PRAGMA x; {_SCHEMA}')",
        (
            "db.execute(f'select {x.y}')",
            "db.execute('select %s' % x)",
            "db.execute('select ' + x)",
            "db.executemany('{}'.format(x), y)",
        ),
    ),
    (loses_wei, MONEY, "x // 2\ny: int = 3", ("x / 2", "x /= 2", "y = 0.5", "y = float(x)")),
    (is_not_in_the_sandbox, ("golem/guest/**/*.py",), "import json", ("import golem.wire", "from attrs import define")),
    (
        reaches_out_of_the_sandbox,
        ("apps/*/job/*.py", "golem/cli/sample/job/*.py", "golem/guest/**/*.py"),
        "import numpy\nif TYPE_CHECKING:\n    import apps.echo",
        ("if TYPE_CHECKING:\n    x\nelse:\n    import apps.echo", "from golem.model import ids", "import apps.echo"),
    ),
]


class WithoutTypes(ast.NodeTransformer):
    """Leaves out what only type checkers read."""

    def visit_If(self, node: ast.If) -> ast.If:
        """The rest of an `if TYPE_CHECKING`."""
        if ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
        self.generic_visit(node)
        return node


def breaches(rule: Rule, source: str) -> Iterator[int]:
    """The lines where a rule is broken."""
    return (getattr(node, "lineno", 0) for node in ast.walk(WithoutTypes().visit(ast.parse(source))) if rule(node))


@pytest.mark.parametrize(("rule", "where"), [row[:2] for row in RULES], ids=lambda part: getattr(part, "__name__", ""))
def test_nothing_in_the_house(rule: Rule, where: tuple[str, ...]) -> None:
    files = sorted({file for pattern in where for file in ROOT.glob(pattern)})
    assert files, f"the rule is for {where}, and nothing is there"
    found = [f"{file.relative_to(ROOT)}:{line}" for file in files for line in breaches(rule, file.read_text())]
    assert not found, f"{rule.__name__.replace('_', ' ')}: {', '.join(found)}"


@pytest.mark.parametrize(
    ("rule", "bad"),
    [(rule, bad) for rule, _, _, bads in RULES for bad in bads],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_what_breaks_a_rule_is_found(rule: Rule, bad: str) -> None:
    assert list(breaches(rule, bad))


@pytest.mark.parametrize(
    ("rule", "good"), [(row[0], row[2]) for row in RULES], ids=lambda part: getattr(part, "__name__", "")
)
def test_what_keeps_a_rule_is_not_found(rule: Rule, good: str) -> None:
    assert not list(breaches(rule, good))


# What ruff and import-linter look for, planted for them to find.

PLANTED_IMPORTS = {
    "golem/model/ids.py": "import golem.wire.codec",
    "golem/core/machine.py": "import os, golem.core.job",
    "golem/errors.py": "import apps.echo",
    "golem/adapters/entropy.py": "import golem.adapters.journal, docker, golem.guest",
    "golem/extra.py": "",
    "apps/echo/template.py": "import golem.wire.codec, apps.blender",
}
BANNED = (
    "from twisted.internet import reactor",
    "from twisted.internet.defer import inlineCallbacks",
    "import time\ntime.time()",
    "from time import time",
    "import datetime\ndatetime.datetime.now(datetime.UTC)",
    "import random",
    "from random import choice",
    "import uuid",
    "import secrets",
    "import os\nos.urandom(3)",
    "from unittest.mock import Mock",
    "from unittest import mock",
    "import pickle",
)
needs_tools = pytest.mark.skipif(
    not find_spec("ruff") or not find_spec("importlinter"), reason="pip install 'golem[dev]'"
)


def lint_imports(root: Path) -> list[str]:
    """Each contract that is not kept, by name, and what was said about it."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"]
    said = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=60)
    assert "Contracts: " in said.stdout, said.stdout + said.stderr
    return re.findall(r"^(.*) BROKEN", said.stdout, re.MULTILINE) if said.returncode else []


@needs_tools
def test_who_may_import_whom() -> None:
    assert lint_imports(ROOT) == []


@needs_tools
def test_every_contract_about_imports_can_break(tmp_path: Path) -> None:
    for package in ("golem", "apps"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "scenes"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, line in PLANTED_IMPORTS.items():
        with (tmp_path / name).open("a") as file:
            file.write(f"\n{line}\n")
    contracts = re.findall(r'contracts]]\nname = "(.*)"', (ROOT / "pyproject.toml").read_text())
    assert lint_imports(tmp_path) == contracts


def ruff(source: str, name: str) -> str:
    """What ruff says of a file of ours."""
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--stdin-filename", name, "-"]
    return subprocess.run(command, cwd=ROOT, input=source, capture_output=True, text=True, timeout=20).stdout


@needs_tools
@pytest.mark.parametrize("source", BANNED)
def test_ruff_bans(source: str) -> None:
    assert "TID251" in ruff(source, "golem/node/x.py") and "TID251" in ruff(source, "apps/echo/template.py")
