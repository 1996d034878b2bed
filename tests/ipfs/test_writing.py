"""Content is written where it is wanted and nowhere else, whatever somebody else does to the folder meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from golem.errors import StoreFault
from golem.ipfs import reader
from golem.ipfs.cid import Key, is_raw
from golem.ipfs.importer import import_path
from golem.testing.store import Held


class Scene:
    """A folder with a folder in it, imported, and a place outside that nothing may reach."""

    def __init__(self, folder: Path) -> None:
        (folder / "scene" / "deep").mkdir(parents=True)
        (folder / "scene" / "deep" / "file").write_bytes(b"inside")
        self.outside = folder / "outside"
        self.outside.mkdir()
        self.into = folder / "copy"
        self.draft = folder / ".copy.part"
        self.held = Held()
        self.root = import_path(str(folder / "scene"), self.held).key

    def write(self, meddle: Callable[[], None]) -> None:
        """Write it out; `meddle` is done just before its one file is."""

        def read(key: Key) -> bytes:
            if is_raw(key):
                meddle()
            return self.held.read(key)

        reader.write_out(read, self.root, str(self.into))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_folder_that_becomes_a_link_while_it_is_written_leads_nowhere(scene: Scene) -> None:
    def swap() -> None:
        (scene.draft / "deep").rename(scene.draft / "was")
        (scene.draft / "deep").symlink_to(scene.outside)

    scene.write(swap)
    assert not list(scene.outside.iterdir())
    assert (scene.into / "was" / "file").read_bytes() == b"inside"


@pytest.mark.parametrize("target", ["", "file"])
def test_a_link_where_a_file_should_be_is_refused_and_nothing_is_left(scene: Scene, target: str) -> None:
    with pytest.raises(StoreFault, match="exists"):
        scene.write(lambda: (scene.draft / "deep" / "file").symlink_to(scene.outside / target))
    assert not list(scene.outside.iterdir())
    assert not os.path.lexists(scene.draft) and not scene.into.exists()


def test_what_a_crash_left_is_in_the_way_once(scene: Scene) -> None:
    scene.draft.symlink_to(scene.outside)
    with pytest.raises(StoreFault, match="exists"):
        scene.write(lambda: None)
    scene.write(lambda: None)
    assert not list(scene.outside.iterdir())
    assert (scene.into / "deep" / "file").read_bytes() == b"inside"


def test_modes_are_the_same_whatever_the_umask(scene: Scene) -> None:
    before = os.umask(0o077)
    try:
        scene.write(lambda: None)
    finally:
        os.umask(before)
    paths = (scene.into, scene.into / "deep", scene.into / "deep" / "file")
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o755, 0o755, 0o644]
