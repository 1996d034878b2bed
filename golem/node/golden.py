"""What a job finds in a sandbox that holds. Each is asked when a node starts, on the machine it is to hold on."""

from __future__ import annotations

from golem.model.value import Value, evolve

UNHELD = frozenset({"host"})
"""Tiers that promise nothing."""


class Inside(Value, tag=False):
    """What `golem.guest.probe` could do. As it stands here, by default: nothing but what a job needs.

    `may_gain`: rights, by a program that gives them. `network`: interfaces but the loopback. `writes`, `reads`,
    `doors`: of those tried. `strangers`: processes that are not of the sandbox.
    """

    is_root: bool = False
    may_gain: bool = False
    is_filtered: bool = True
    capabilities: str = ""
    network: tuple[str, ...] = ()
    writes: tuple[str, ...] = ("/dev/shm", "/out", "/tmp")
    reads: tuple[str, ...] = ()
    doors: tuple[str, ...] = ()
    strangers: int = 0


GOLDEN = Inside()
WASM = evolve(GOLDEN, writes=("/out",))
"""Where programs are WebAssembly there is no place but theirs."""

IMAGES_OWN = frozenset({"/etc/passwd"})
"""What may be read in a container whose system is not this machine's."""


def leaks(tier: str, found: Inside, image: str = "") -> list[str]:
    """Where a sandbox of this tier does not hold, for people; nothing where it does, or promises nothing."""
    if image:
        found = evolve(found, reads=tuple(path for path in found.reads if path not in IMAGES_OWN))
    if tier in UNHELD:
        return []
    names, golden = Inside.__struct_fields__, WASM if tier == "wasm" else GOLDEN
    pairs = ((name, getattr(found, name), getattr(golden, name)) for name in names)
    return [f"{name} is {has!r}, not {wanted!r}" for name, has, wanted in pairs if has != wanted]
