"""Which graphics processors this machine has for computing, as NVIDIA's driver shows them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from golem.model.spec import MAX_GPU_NAME, MAX_GPUS

SHARED = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")  # that programs open beside the card's own
UNNAMED = "NVIDIA"  # where a container shows the card and not the driver's /proc


class Gpus(NamedTuple):
    """`names`: of each card. `files`: the devices that a job must see to compute on them."""

    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def nvidia(root: Path = Path("/")) -> Gpus:
    """What the driver shows below `root`; nothing where there is no card, or no driver."""
    cards = sorted((root / "dev").glob("nvidia[0-9]*"))[:MAX_GPUS]
    if not cards:
        return Gpus()
    told = sorted((root / "proc/driver/nvidia/gpus").glob("*/information"))
    models = [_model(path.read_text(errors="replace")) for path in told][: len(cards)]
    names = models + [UNNAMED] * (len(cards) - len(models))
    shared = [path for path in (root / "dev" / name for name in SHARED) if path.exists()]
    return Gpus(tuple(names), tuple(map(str, (*cards, *shared))))


def _model(information: str) -> str:
    lines = (line.partition(":") for line in information.splitlines())
    return next((value.strip()[:MAX_GPU_NAME] for name, _, value in lines if name.strip() == "Model"), UNNAMED)
