"""What is imported is plain files and folders, whole, as they were at one time; anything else is refused by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from golem.errors import StoreFault
from golem.ipfs import importer, reader
from golem.ipfs.cid import raw_key
from golem.ipfs.importer import MAX_FOLDERS_DEEP, import_path
from golem.ipfs.intake import Intake
from golem.testing.store import Held


def test_the_order_in_which_files_were_made_does_not_matter(tmp_path: Path) -> None:
    names = ["b", "a", "Z", "é", "a.b", "a b"]
    for folder, order in (("one", names), ("two", names[::-1])):
        (tmp_path / folder).mkdir()
        for name in order:
            (tmp_path / folder / name).write_text(name)
    one, two = (import_path(str(tmp_path / folder), Held()) for folder in ("one", "two"))
    assert one == two


def test_the_deepest_folder_that_is_taken_is_taken_by_others_too(tmp_path: Path) -> None:
    deepest = tmp_path / "/".join("d" * (MAX_FOLDERS_DEEP - 1))
    deepest.mkdir(parents=True)
    (deepest / "file").write_bytes(bytes(2 << 20))
    held = Held()
    tree = import_path(str(tmp_path), held)
    intake = Intake(tree.key, tree.size, Held())
    for key, block in reader.blocks(held.read, tree.key):
        intake.take(key, block)
    assert intake.is_complete
    (deepest / "d").mkdir()
    with pytest.raises(StoreFault, match="deep"):
        import_path(str(tmp_path), Held())


@pytest.mark.parametrize("name", [b"\xff", b"a\nb", b"\x1b[2J"])
def test_a_name_that_others_would_not_take_is_refused_and_said(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).touch()
    with pytest.raises(StoreFault, match="name"):
        import_path(str(tmp_path), Held())


def test_names_that_differ_in_case_alone_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "scene").mkdir()
    (tmp_path / "scene" / "a").write_bytes(b"small")
    (tmp_path / "scene" / "A").write_bytes(b"large")
    held = Held()
    reader.write_out(held.read, import_path(str(tmp_path / "scene"), held).key, str(tmp_path / "copy"))
    assert ((tmp_path / "copy" / "a").read_bytes(), (tmp_path / "copy" / "A").read_bytes()) == (b"small", b"large")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "growing"
    file.write_bytes(b"some")

    class Meddler(Held):
        def begin(self, path: str, found: os.stat_result) -> None:
            with file.open("ab") as out:
                out.write(b"more")

    with pytest.raises(StoreFault, match="growing: changed"):
        import_path(str(tmp_path), Meddler())


def test_a_link_is_followed_where_the_user_names_it_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"data")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "real")
    assert import_path(str(tmp_path / "folder" / "link"), Held()).key == raw_key(b"data")
    with pytest.raises(StoreFault, match="folder/link: neither"):
        import_path(str(tmp_path / "folder"), Held())


def test_a_file_that_becomes_a_link_at_the_last_moment_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "folder").mkdir()
    trap = tmp_path / "folder" / "trap"
    trap.write_bytes(b"data")

    def swap(where: str, found: os.stat_result) -> None:
        if where.endswith("trap") and not trap.is_symlink():
            trap.unlink()
            trap.symlink_to(tmp_path / "secret")

    monkeypatch.setattr(importer, "_check_kind", swap)
    with pytest.raises(StoreFault, match="trap"):
        import_path(str(tmp_path / "folder"), Held())


def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreFault, match="pipe: neither"):
        import_path(str(tmp_path / "pipe"), Held())
