"""Results are copied out as plain files, or refused by name; nothing in them leads anywhere else."""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from subprocess import Popen

import pytest

from golem.errors import Refused
from golem.node.collect import MAX_DEPTH, MAX_FILES, collect

LIMIT = 1 << 20


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_plain_files_and_folders_come_over_with_plain_modes(out: Path, tmp_path: Path) -> None:
    (out / "sub" / "empty").mkdir(parents=True)
    (out / "sub" / "a.png").write_bytes(b"x" * 3000)
    (out / "sub" / "a.png").chmod(0o6755)
    (out / "b").touch()
    assert collect(out, tmp_path / "safe", LIMIT) == 4
    found = sorted(str(p.relative_to(tmp_path / "safe")) for p in (tmp_path / "safe").rglob("*"))
    assert found == ["b", "sub", "sub/a.png", "sub/empty"]
    assert (tmp_path / "safe" / "sub" / "a.png").read_bytes() == b"x" * 3000
    assert (tmp_path / "safe" / "sub" / "a.png").stat().st_mode & 0o7111 == 0


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))


def _device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("devices can't be made here: not proven")


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: path.symlink_to("/etc/hostname"), "link"),
        (lambda path: path.symlink_to("/etc"), "link"),
        (lambda path: path.symlink_to("nowhere"), "link"),
        (lambda path: path.symlink_to("."), "link"),
        (os.mkfifo, "pipe"),
        (_socket, "socket"),
        (_device, "device"),
    ],
    ids=["link to a file", "link to a folder", "loose link", "link to itself", "pipe", "socket", "device"],
)
def test_what_is_no_plain_file_is_refused_by_what_it_is(
    make: Callable[[Path], None], kind: str, out: Path, tmp_path: Path
) -> None:
    make(out / "odd")
    with pytest.raises(Refused, match=f"'odd', which is a {kind}, neither a plain file nor a folder"):
        collect(out, tmp_path / "safe", LIMIT)


@pytest.mark.parametrize("name", [b"a\nb", b"\x1b[31m", b"\xff", b" ", b".hidden", b"-rf", b"a" * 200, "é".encode()])
def test_names_that_trip_others_up_are_refused_printably(name: bytes, out: Path, tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(out) + b"/" + name)).touch()
    with pytest.raises(Refused, match="named") as refused:
        collect(out, tmp_path / "safe", LIMIT)
    assert str(refused.value).isprintable()
    str(refused.value).encode()


def test_as_deep_as_the_limit_is_taken_and_deeper_is_not(out: Path, tmp_path: Path) -> None:
    (out / "/".join("d" * MAX_DEPTH)).mkdir(parents=True)
    assert collect(out, tmp_path / "safe", LIMIT) == MAX_DEPTH
    (out / "/".join("d" * (MAX_DEPTH + 1))).mkdir()
    with pytest.raises(Refused, match="deep"):
        collect(out, tmp_path / "other", LIMIT)


def test_as_large_as_the_limit_is_taken_and_larger_is_not(out: Path, tmp_path: Path) -> None:
    (out / "a").write_bytes(b"x" * (LIMIT - 1))
    (out / "b").write_bytes(b"x")
    assert collect(out, tmp_path / "safe", LIMIT) == 2
    (out / "c").write_bytes(b"x")
    with pytest.raises(Refused, match=f"{LIMIT} bytes, with c"):
        collect(out, tmp_path / "other", LIMIT)


def test_a_sparse_giant_is_refused_before_it_is_read(out: Path, tmp_path: Path) -> None:
    with (out / "giant").open("wb") as giant:
        giant.truncate(1 << 40)
    with pytest.raises(Refused, match="giant"):
        collect(out, tmp_path / "safe", LIMIT)
    assert not (tmp_path / "safe" / "giant").exists()


def test_too_many_files_are_refused(out: Path, tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        (out / str(number)).mkdir()
    with pytest.raises(Refused, match=f"{MAX_FILES} files"):
        collect(out, tmp_path / "safe", LIMIT)


def test_a_folder_that_is_none_is_refused(out: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(out)
    (tmp_path / "file").touch()
    for name in ("link", "file", "nowhere"):
        with pytest.raises(Refused, match="no folder"):
            collect(tmp_path / name, tmp_path / "safe", LIMIT)


SWAP = """
import os, sys
os.chdir(sys.argv[1])
while True:
    os.rename("out/sub", "aside")
    os.rename("link", "out/sub")
    os.rename("out/sub", "link")
    os.rename("aside", "out/sub")
"""


def test_a_folder_that_turns_into_a_link_meanwhile_leads_nowhere(out: Path, tmp_path: Path) -> None:
    for folder, said in ((tmp_path / "secret", "canary"), (out / "sub", "mine")):
        folder.mkdir()
        (folder / "key").write_text(said)
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    swapping = Popen([sys.executable, "-c", SWAP, str(tmp_path)])
    refused = tries = 0
    safe = tmp_path / "safe"
    try:
        while tries < 300 or (not refused and tries < 20_000):
            tries += 1
            try:
                collect(out, safe, LIMIT)
            except Refused:
                refused += 1
            if (safe / "sub" / "key").exists():
                assert (safe / "sub" / "key").read_text() == "mine"
            rmtree(safe)
    finally:
        swapping.kill()
        swapping.wait()
    assert refused
