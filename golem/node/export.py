"""Writes results into the user's folder: first beside, then in place, so that no half file has a whole one's name."""

from __future__ import annotations

from pathlib import Path
from shutil import move, rmtree

from golem.errors import Fault
from golem.interfaces import IResourceStore
from golem.model.effects import Export


class Exporter:
    """Takes merged results out of the store."""

    def __init__(self, store: IResourceStore) -> None:
        self._store = store

    async def __call__(self, export: Export) -> str:
        """Write the files of a result into `export.folder`; says where the first of them is. Raises Fault."""
        folder = Path(export.folder)
        part = folder / f".part-{export.name}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            rmtree(part, ignore_errors=True)
            await self._store.materialise(export.cid, str(part))
            return _settle(part, folder)
        except OSError as why:
            raise Fault(f"results can't be written to {folder}: {why}") from why


def _settle(part: Path, folder: Path) -> str:
    names = sorted(path.name for path in part.iterdir())
    for name in names:
        target = folder / name
        if target.is_dir() and not target.is_symlink():
            rmtree(target)
        move(part / name, target)
    part.rmdir()
    return str(folder / names[0]) if names else str(folder)
