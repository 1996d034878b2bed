"""What is built holds what it should, and `twistd golem` is found however it was installed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from shutil import copytree, ignore_patterns
from venv import EnvBuilder
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from golem.cli.beginning import begin

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LEFT_BEHIND = ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "demo-output", "dropin.cache")
BESIDE = ("tests", "docs", "benchmarks", "contracts", "newsfragments", "scripts")
WANTS = {"desktop.py": ("keyring",), "wasm_worker.py": ("wasm",)}  # extras that a module names to whoever lacks them
# their image brings what they import
IN_SANDBOX = ("apps/*/job/*.py", "apps/*/scenes/*.py", "golem/cli/sample/job/*.py")


def run(*command: str | Path, cwd: Path) -> str:
    """What a command printed; fails with it where it failed."""
    quiet = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=quiet, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def requirements(*extras: str) -> set[str]:
    """The distributions that an installation with these extras asks for, by name."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def third_parties(file: Path) -> Iterator[str]:
    """The packages that a file imports and that are neither Python's nor ours."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        yield from {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"golem", "apps"}


def test_what_is_imported_is_asked_for() -> None:
    """Nothing works only because another package brought it along."""
    known = packages_distributions()
    inside = {file for pattern in IN_SANDBOX for file in ROOT.glob(pattern)}
    missing = []
    for file in {*(ROOT / "golem").rglob("*.py"), *(ROOT / "apps").rglob("*.py")} - inside:
        asked = requirements("testing") if "testing" in file.parts else requirements(*WANTS.get(file.name, ()))
        for name in third_parties(file):
            if not {canonicalize_name(owner) for owner in known.get(name, [])} & asked:
                missing.append(f"{file.relative_to(ROOT)}: {name}")
    assert not missing, missing


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources: building leaves things behind."""
    return Path(copytree(ROOT, tmp_path_factory.mktemp("source") / "golem", ignore=LEFT_BEHIND))


@pytest.fixture(scope="module")
def dist(tree: Path) -> Path:
    """The folder with a wheel and an sdist."""
    pytest.importorskip("build", reason="pip install 'golem[dev]'")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tree / "dist", tree, cwd=tree)
    return tree / "dist"


def environment(folder: Path) -> Path:
    """Its Python: an empty environment that sees what is installed for this one, golem itself excepted."""
    EnvBuilder(with_pip=False, symlinks=True).create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    for installed in (Path(path) for path in sys.path if path.endswith("site-packages")):
        for entry in installed.iterdir():
            is_golem = "golem" in entry.name.lower() or entry.name in {"apps", "__pycache__"}
            if not is_golem and not (site / entry.name).exists():
                (site / entry.name).symlink_to(entry)
    return folder / "bin" / "python"


INSTALL = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation")
TWISTD = ("-c", "from twisted.scripts.twistd import run; run()", "--help")


@pytest.mark.integration
def test_a_wheel_holds_what_runs_and_nothing_else(tree: Path, dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    names = set(ZipFile(wheel).namelist())
    assert names >= {
        "golem/py.typed",
        "golem/guest/worker.py",
        "twisted/plugins/golem_node.py",
        "apps/blender/Dockerfile",
        "apps/blender/job/render.py",
        "apps/blender/scenes/lake.blend",
    }
    packaged = {name for name in names if ".dist-info/" not in name}
    ours = {file for package in ("golem", "apps") for file in (tree / package).rglob("*") if file.is_file()}
    plain = {file.relative_to(tree).as_posix() for file in ours if "__pycache__" not in file.parts}
    assert packaged == plain | {"twisted/plugins/golem_node.py"}


@pytest.mark.integration
def test_an_sdist_holds_tests_and_docs(tree: Path, dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    beside = {file for folder in BESIDE for file in (tree / folder).rglob("*") if file.is_file()}
    wanted = {file.relative_to(tree).as_posix() for file in beside if "__pycache__" not in file.parts}
    assert names >= wanted | {"setup.py", "tox.ini", "LICENSE", "README.md", "CHANGELOG.md", "Makefile"}
    assert "tests/house/test_packaging.py" in wanted
    assert not [name for name in names if name.endswith((".pyc", "dropin.cache"))]


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_twistd_finds_a_node(kind: str, tree: Path, dist: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env")
    what = ("-e", tree) if kind == "editable" else dist.glob("*.whl")
    run(python, *INSTALL, *what, cwd=tmp_path)
    listed = [line.split()[0] for line in run(python, *TWISTD, cwd=tmp_path).splitlines() if line.strip()]
    assert "golem" in listed
    assert "usage: golem" in run(python.parent / "golem", "--help", cwd=tmp_path)
    where = run(python, "-c", "import golem, apps; print(golem.__file__, apps.__file__)", cwd=tmp_path)
    assert where.count(str(tree if kind == "editable" else tmp_path)) == 2


@pytest.mark.integration
def test_a_template_that_was_begun_is_found_once_it_is_installed(tmp_path: Path) -> None:
    begin("mine", tmp_path / "mine")
    python = environment(tmp_path / "env")
    run(python, *INSTALL, "-e", tmp_path / "mine", cwd=tmp_path)
    lists = f"import sys; sys.path.append({str(ROOT)!r}); from golem.node.plugins import load; print(*load(['mine']))"
    assert run(python, "-c", lists, cwd=tmp_path).split() == ["mine"]
