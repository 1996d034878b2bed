"""What the jobs of each template are shown beside the machine's own Python: an image, cards, a folder of modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from twisted.logger import Logger

from golem.errors import ExecutorFault
from golem.interfaces import ILauncher, Room
from golem.model.spec import WASI, Environment
from golem.model.value import evolve
from golem.node.devices import Gpus

log = Logger()


class Needs(NamedTuple):
    """By an image's digest, a device's kind, a folder of this machine's; each may be empty."""

    image: str = ""
    device: str = ""
    modules: str = ""

    def __str__(self) -> str:
        words = (self.image and f"the image {self.image}", self.device and f"a device of {self.device}", self.modules)
        return " and ".join(filter(None, words))


class Outfits:
    """Knows the needs of each template. `environments`: all that its tasks may need, by template."""

    def __init__(self, environments: Mapping[str, Sequence[Environment]], launcher: ILauncher) -> None:
        self._environments = environments
        self._launcher = launcher
        self.gpus = Gpus()
        self.modules: Mapping[str, str] = {}

    def of(self, template: str, device: str) -> Needs:
        """What a template's jobs need that ask for a device; an image has its own modules."""
        known = self._environments.get(template)
        image = known[0].image if known and self._launcher.takes_images else ""
        return Needs(image, device, "" if image else self.modules.get(template, ""))

    def dress(self, room: Room, needs: Needs) -> Room:
        """Show in a room what of that there is."""
        devices = self.gpus.files if needs.device else ()
        return evolve(room, image=needs.image, devices=devices, modules=needs.modules)

    def all(self) -> list[Needs]:
        """What some environment needs; first, nothing."""
        return sorted({Needs(), *(needs for needs, _ in self._each())})

    def wanted(self, needs: Needs) -> dict[str, list[str]]:
        """The modules of each environment that this launcher may run with just these things.

        Raises ExecutorFault where there is no such device.
        """
        if needs.device and not self.gpus.files:
            raise ExecutorFault("no card is shown: there is no /dev/nvidia0, or provider.gpu is not set")
        return {
            one.name: list(one.modules)
            for its_needs, one in self._each()
            if (WASI in one.modules) == self._launcher.is_wasm and its_needs == needs
        }

    def _each(self) -> Iterator[tuple[Needs, Environment]]:
        for template, needed in self._environments.items():
            yield from ((self.of(template, one.device), one) for one in needed)

    def lament(self, environment: str, missing: Mapping[str, str], needs: Needs) -> None:
        """Tell the owner which modules are missing, why, and the way out."""
        template = next(name for name, all_ in self._environments.items() if environment in {one.name for one in all_})
        prepare = f"golem template prepare {template}, or {sys.executable} -m pip install {' '.join(missing)}"
        log.warn(
            "{name} can't be computed here: {where} has no {modules}; {way_out}",
            name=environment,
            where=needs if needs.image else "the Python that jobs see",
            modules=", ".join(f"{module} ({why})" for module, why in missing.items()),
            way_out="build it with them" if needs.image else prepare,
        )
