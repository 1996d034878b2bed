"""What a job takes of the disk is measured wherever links lead, and given back whatever rights it left on it."""

from __future__ import annotations

import os
from pathlib import Path
from shutil import rmtree

import pytest

from golem.errors import Refused
from golem.node.collect import MAX_DEPTH, MAX_FILES
from golem.node.disk import clear, is_empty, measure, show

MIB = 1 << 20


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_bytes_on_disk_are_counted_in_all_folders(out: Path) -> None:
    assert measure(out, 0) == (0, 0)
    (out / "a" / "b").mkdir(parents=True)
    for name in ("c", "a/c", "a/b/c"):
        (out / name).write_bytes(os.urandom(MIB))
    assert 3 * MIB <= measure(out, 3 * MIB).bytes < 3 * MIB + 100_000
    with pytest.raises(Refused, match="more than 2 MiB"):
        measure(out, 2 * MIB)


def test_holes_take_no_disk(out: Path) -> None:
    with (out / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert measure(out, MIB).bytes < MIB


def test_a_link_counts_for_itself_and_not_for_what_it_leads_to(out: Path, tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "file").write_bytes(os.urandom(2 * MIB))
    (out / "folder").symlink_to(tmp_path / "large")
    (out / "file").symlink_to(tmp_path / "large" / "file")
    (out / "loop").symlink_to(out)
    assert measure(out, MIB).bytes < MIB


def test_more_files_and_deeper_folders_than_a_result_may_have_are_refused_at_once(out: Path) -> None:
    deep = out
    for _ in range(MAX_DEPTH + 1):
        deep = deep / "d"
    deep.mkdir(parents=True)
    assert measure(out, MIB).bytes < MIB  # the first folder is the worker's, in which jobs have theirs
    (deep / "d").mkdir()
    with pytest.raises(Refused, match=f"more than {MAX_DEPTH} deep"):
        measure(out, MIB)
    rmtree(out / "d")
    for number in range(MAX_FILES + 1):
        (out / str(number)).touch()
    with pytest.raises(Refused, match=str(MAX_FILES)):
        measure(out, MIB)


def test_a_folder_is_empty_or_not_and_a_link_is_no_folder(out: Path) -> None:
    assert is_empty(out)
    (out / ".a").touch()
    assert not is_empty(out)
    (out / "link").symlink_to("/")
    for name in ("link", ".a", "none"):
        with pytest.raises(Refused, match="no folder"):
            is_empty(out / name)


def test_what_is_cleared_is_gone_and_what_its_links_lead_to_is_not(out: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    (out / "sub").mkdir()
    (out / "sub" / "link").symlink_to(kept)
    (tmp_path / "link").symlink_to(kept)
    (tmp_path / "file").touch()
    for path in (out, tmp_path / "link", tmp_path / "file", tmp_path / "none"):
        clear(path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "file").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, whom rights stop: that takes root")
def test_folders_without_rights_are_cleared_by_a_user_who_owns_them(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    someone = 61_999
    (out / "shut" / "sub").mkdir(parents=True)
    (out / "shut" / "sub" / "file").touch()
    (out / "link").symlink_to("shut")
    (out / "shut" / "sub").chmod(0)
    (out / "shut").chmod(0)
    for path in (out.parent, out, *out.rglob("*")):
        os.chown(path, someone, someone, follow_symlinks=False)
    monkeypatch.chdir(out.parent)  # the folders above need not let anybody in
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(someone)
        os.setuid(someone)
        try:
            clear(Path("out"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert not out.exists()


def test_what_is_shown_can_be_read_by_all_and_written_by_its_owner(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    for path in (tmp_path / "a" / "b" / "file", tmp_path / "a" / "b", tmp_path / "a"):
        path.chmod(0o700)
    show(tmp_path / "a")
    assert [oct(p.stat().st_mode & 0o7777) for p in sorted((tmp_path / "a").rglob("*"))] == ["0o755", "0o644"]
    (tmp_path / "one").touch(0o600)
    show(tmp_path / "one")
    assert (tmp_path / "one").stat().st_mode & 0o7777 == 0o644
