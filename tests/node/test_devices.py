"""What a machine has beside processors, by a folder that stands for its root."""

from __future__ import annotations

from pathlib import Path

from golem.model.spec import MAX_GPUS
from golem.node.devices import Gpus, nvidia


def machine(root: Path, *cards: str, shared: tuple[str, ...] = ("nvidiactl", "nvidia-uvm")) -> Path:
    """A machine with these cards; of those without a name the driver's /proc says nothing."""
    (root / "dev").mkdir()
    for name in (*(f"nvidia{number}" for number in range(len(cards))), *shared):
        (root / "dev" / name).touch()
    for number, name in enumerate(cards):
        if name:
            told = root / "proc/driver/nvidia/gpus" / f"0000:{number:02x}:00.0" / "information"
            told.parent.mkdir(parents=True)
            told.write_text(f"Model: \t\t {name}\nIRQ:   \t\t 0\nDevice Minor: \t {number}\n")
    return root


def test_cards_are_named_by_their_driver_and_found_with_what_they_share(tmp_path: Path) -> None:
    found = nvidia(machine(tmp_path, "NVIDIA H200", "NVIDIA L4"))
    assert found.names == ("NVIDIA H200", "NVIDIA L4")
    assert found.files == tuple(f"{tmp_path}/dev/{name}" for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"))


def test_a_card_that_a_container_shows_without_its_driver_has_no_name_of_its_own(tmp_path: Path) -> None:
    assert nvidia(machine(tmp_path, "")).names == ("NVIDIA",)


def test_a_driver_without_a_card_is_nothing(tmp_path: Path) -> None:
    assert nvidia(machine(tmp_path)) == Gpus() == nvidia(tmp_path / "nowhere")


def test_what_a_driver_says_is_bounded(tmp_path: Path) -> None:
    found = nvidia(machine(tmp_path, *["x" * 1000] * (MAX_GPUS + 5)))
    assert found.names == ("x" * 64,) * MAX_GPUS
    assert len(found.files) == MAX_GPUS + 2
