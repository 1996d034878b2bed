"""What the jobs of each template are shown beside the machine's own Python: an image, cards, a folder of modules."""

from __future__ import annotations

import sys
from collections.abc import Mapping
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
    """Knows the needs of each template. `environments`: by template."""

    def __init__(self, environments: Mapping[str, Environment], launcher: ILauncher) -> None:
        self._environments = environments
        self._launcher = launcher
        self.gpus = Gpus()
        self.modules: Mapping[str, str] = {}

    def of(self, template: str) -> Needs:
        """What a template's jobs need; nothing for one that is not known. An image has its own modules."""
        environment = self._environments.get(template)
        if environment is None:
            return Needs()
        image = environment.image if self._launcher.takes_images else ""
        return Needs(image, environment.device, "" if image else self.modules.get(template, ""))

    def dress(self, room: Room, needs: Needs) -> Room:
        """Show all that in a room. Raises ExecutorFault where there is no such device."""
        if needs.device and not self.gpus.files:
            raise ExecutorFault("no card is seen: there is no /dev/nvidia0")
        devices = self.gpus.files if needs.device else ()
        return evolve(room, image=needs.image, devices=devices, modules=needs.modules)

    def all(self) -> list[Needs]:
        """What some template needs; first, nothing."""
        return sorted({Needs(), *map(self.of, self._environments)})

    def wanted(self, needs: Needs) -> dict[str, list[str]]:
        """The modules of each environment that this launcher may run with just these things."""
        return {
            environment.name: list(environment.modules)
            for template, environment in self._environments.items()
            if (WASI in environment.modules) == self._launcher.is_wasm and self.of(template) == needs
        }

    def lament(self, environment: str, missing: Mapping[str, str], needs: Needs) -> None:
        """Tell the owner which modules are missing, why, and the way out."""
        template = next(template for template, one in self._environments.items() if one.name == environment)
        prepare = f"golem template prepare {template}, or {sys.executable} -m pip install {' '.join(missing)}"
        log.warn(
            "{name} can't be computed here: {where} has no {modules}; {way_out}",
            name=environment,
            where=needs if needs.image else "the Python that jobs see",
            modules=", ".join(f"{module} ({why})" for module, why in missing.items()),
            way_out="build it with them" if needs.image else prepare,
        )
