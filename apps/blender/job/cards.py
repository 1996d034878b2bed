"""Chooses what Cycles computes on: the machine's cards, or its processors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

KINDS = ("OPTIX", "CUDA")  # ways to compute on a card, the best first: by OptiX, its own hardware traces rays


class NoCard(RuntimeError):
    """A card is needed, and Cycles finds none that it can compute on."""


class Device(Protocol):
    """A card or a processor, as Cycles lists it."""

    type: str
    use: bool


class Preferences(Protocol):
    """Those of Cycles."""

    compute_device_type: str
    devices: Sequence[Device]

    def get_devices_for_type(self, compute_device_type: str) -> Sequence[Device]:
        """The devices of one kind, and with them the processors."""


def choose(wanted: str, preferences: Preferences) -> str:
    """What Cycles calls it. `wanted`: `cpu`, `gpu`, or `auto` for cards where there are any. Raises NoCard.

    Cycles by itself would fall back to processors without a word.
    """
    if wanted == "cpu":
        return "CPU"
    for kind in KINDS:
        if any(device.type == kind for device in preferences.get_devices_for_type(kind)):
            preferences.compute_device_type = kind
            for device in preferences.devices:
                device.use = device.type == kind
            return "GPU"
    if wanted == "gpu":
        raise NoCard("Cycles finds no card here, by OptiX or by CUDA: can jobs open it, and is there a driver for it?")
    return "CPU"
