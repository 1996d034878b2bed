"""A scenario: who is there, what happens, what goes wrong, and what must hold. Read from YAML; every mistake is named
with its line, all at once.

    nodes: {alice: {role: requestor}, bob: {role: provider, count: 2}}
    steps:
      - submit: {as: job, node: alice, template: echo, count: 10}
    faults:
      - {kill: bob-1, at: 3s, for: 10s}
    expect:
      - {eventually: job.phase == done, within: 5m}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from golem.errors import ConfigError
from golem.model.money import WEI_PER_ETHER
from golem.testing.adversaries import ADVERSARIES
from golem.testing.conditions import Condition, Expectation, parse
from golem.testing.marked import Marked, read
from golem.testing.mishaps import KINDS, Fault

MAX_NODES = 1_000  # what one process simulates
WITHIN_MS = 600_000  # where an expectation names no limit
LIMIT_MS = 24 * 3_600_000
UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
ROLES = ("requestor", "provider")
REACHES = ("open", "hidden")
KEYS = ("network", "nodes", "steps", "faults", "expect", "invariants")
NODE_KEYS = ("role", "count", "slots", "price", "takes", "behave", "reach")
T = TypeVar("T")
_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h)")


class Member(NamedTuple):
    """A node. `price`: wei per hour, or 0 for the usual. `behave`: the name of an adversary, or nothing.

    `is_hidden`: nobody can dial it. `line`: its place in the file.
    """

    name: str
    provides: bool
    slots: int = 1
    price: int = 0
    takes_s: float = 1.0
    behave: str = ""
    is_hidden: bool = False
    line: int = 0


class Step(NamedTuple):
    """One thing that happens after another: exactly one of its parts says which.

    `submit`: a task's name in the scenario; then `node`, `template` and `params` say more.
    """

    submit: str = ""
    node: str = ""
    template: str = ""
    params: Mapping[str, object] = {}
    wait_ms: int = 0
    until: Condition | None = None
    within_ms: int = WITHIN_MS


class Scenario(NamedTuple):
    """All of it. `is_quiet`: whether books are compared at the end, once all tasks are over and paid."""

    name: str
    seed: int
    members: tuple[Member, ...]
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
    lines: Mapping[Fault, int]
    expect: tuple[Expectation, ...]
    is_quiet: bool


def load(path: Path) -> Scenario:
    """Read a file. Raises ConfigError, with every mistake and its line."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as why:
        raise ConfigError(f"{path}: {why}") from why
    return parse_text(text, path.name)


def parse_text(text: str, name: str) -> Scenario:
    """Read a scenario. Raises ConfigError."""
    return _Reader(name).scenario(read(text, name))


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._mistakes: list[tuple[int, str]] = []
        self._members: dict[str, Member] = {}
        self._tasks: dict[str, int] = {}
        self._lines: dict[Fault, int] = {}

    def scenario(self, root: Marked) -> Scenario:
        """The whole."""
        self._keys(root, KEYS)
        top = root.items
        network = top.get("network", Marked({}, 1))
        self._keys(network, ("seed",))
        for name, given in top.get("nodes", Marked({}, 1)).items.items():
            self._member(name, given)
        if not self._members:
            self._wrong(top["nodes"].line if "nodes" in top else 1, "nodes: name one at least")
        steps = self._each(top, "steps", self._step)
        faults: list[Fault] = self._each(top, "faults", self._fault)
        expect = self._each(top, "expect", self._expectation)
        scenario = Scenario(
            name=self._name,
            seed=self._int(network, "seed", 1, 0),
            members=tuple(self._members.values()),
            steps=tuple(steps),
            faults=tuple(sorted(faults, key=_at_ms)),
            lines=self._lines,
            expect=tuple(expect),
            is_quiet=self._choice(root, "invariants", ("all", "cheap"), "all") == "all",
        )
        if self._mistakes:
            raise ConfigError("\n".join(f"{self._name}:{line}: {what}" for line, what in sorted(self._mistakes)))
        return scenario

    # parts

    def _member(self, name: str, given: Marked) -> None:
        self._keys(given, NODE_KEYS)
        count = self._int(given, "count", 1, 1)
        member = Member(
            name=name,
            provides=self._choice(given, "role", ROLES, "provider") == "provider",
            slots=self._int(given, "slots", 1, 1),
            price=self._ether(given, "price"),
            takes_s=self._ms(given, "takes", 1_000) / 1000,
            behave=self._choice(given, "behave", ("", *ADVERSARIES), ""),
            is_hidden=self._choice(given, "reach", REACHES, "open") == "hidden",
            line=given.line,
        )
        if member.is_hidden and not self._members:
            self._wrong(given.items["reach"].line, "the first node, whom all others dial first, can't be hidden")
        if len(self._members) + count > MAX_NODES:
            self._wrong(given.line, f"more than {MAX_NODES} nodes")
            return
        for number in range(1, count + 1):
            own = f"{name}-{number}" if "count" in given.items else name
            if own in self._members:
                self._wrong(given.line, f"{own} is there already")
            self._members[own] = member._replace(name=own)

    def _step(self, given: Marked) -> Step | None:
        kind = self._kind(given, ("submit", "wait", "until"), "step")
        if kind == "submit":
            return self._submit(given.items["submit"])
        if kind == "wait":
            self._keys(given, ("wait",))
            return Step(wait_ms=self._ms(given, "wait", 0))
        if kind == "until":
            self._keys(given, ("until", "within"))
            until = self._condition(given.items["until"])
            return Step(until=until, within_ms=self._ms(given, "within", WITHIN_MS)) if until else None
        return None

    def _submit(self, given: Marked) -> Step | None:
        fields = given.items
        missing = [key for key in ("as", "node", "template") if key not in fields]
        if missing:
            self._wrong(given.line, f"submit wants {', '.join(missing)}")
            return None
        task, node = fields["as"].text, fields["node"]
        if task in self._tasks or task in self._members:
            self._wrong(fields["as"].line, f"{task} is the name of something already")
        self._tasks[task] = given.line
        self._node(node)
        params = {key: value.value for key, value in fields.items() if key not in ("as", "node", "template")}
        return Step(submit=task, node=node.text, template=fields["template"].text, params=params)

    def _fault(self, given: Marked) -> Fault | None:
        kind = self._kind(given, tuple(KINDS), "fault")
        if not kind:
            return None
        target, known = given.items[kind], {field.name for field in msgspec.structs.fields(KINDS[kind])}
        record: dict[str, object] = {"type": KINDS[kind].__name__, "at_ms": 0, **self._targets(target, known)}
        for key, value in given.items.items():
            if f"{key}_ms" in known:
                record[f"{key}_ms"] = self._ms(given, key, 0)
            elif key in known:
                record[key] = value.value
            elif key != kind:
                more = sorted(name.removesuffix("_ms") for name in known - {"node", "one", "other", "side"})
                self._wrong(value.line, f"{kind} has no {key!r}; it has: {', '.join(more)}")
        try:
            fault: Fault = msgspec.convert(record, KINDS[kind])
        except msgspec.ValidationError as why:
            self._wrong(given.line, f"{kind}: {why}")
            return None
        self._lines[fault] = given.line
        return fault

    def _targets(self, target: Marked, known: set[str]) -> dict[str, object]:
        """Whom a fault concerns, by the fields that it has for them."""
        if not known & {"node", "one", "side"}:
            return {}
        nodes = [node.text for node in target.parts]
        for node in target.parts:
            self._node(Marked(node.value, target.line))
        if "side" in known:
            return {"side": nodes}
        wanted = ("one", "other") if "one" in known else ("node",)
        if len(nodes) != len(wanted):
            self._wrong(target.line, f"this fault concerns {len(wanted)} of the nodes, and here are {len(nodes)}")
        return dict(zip(wanted, nodes, strict=False))

    def _expectation(self, given: Marked) -> Expectation | None:
        kind = self._kind(given, ("eventually", "always", "never", "leads_to"), "expectation")
        if not kind:
            return None
        self._keys(given, (kind, "within"))
        parts = given.items[kind].parts
        conditions = [self._condition(Marked(part.value, given.items[kind].line)) for part in parts]
        if len(parts) != (2 if kind == "leads_to" else 1):
            self._wrong(given.line, f"{kind} wants {'two conditions' if kind == 'leads_to' else 'one condition'}")
        found = tuple(condition for condition in conditions if condition)
        return Expectation(kind, found, self._ms(given, "within", WITHIN_MS), given.line) if found else None

    def _condition(self, given: Marked) -> Condition | None:
        try:
            return parse(given.text, self._tasks, self._members)
        except ValueError as why:
            self._wrong(given.line, str(why))
            return None

    # words

    def _wrong(self, line: int, what: str) -> None:
        self._mistakes.append((line, what))

    def _keys(self, given: Marked, known: tuple[str, ...]) -> None:
        if not isinstance(given.value, dict):
            self._wrong(given.line, f"here stands {given.text!r}, and keys should: {', '.join(known)}")
        for key, value in given.items.items():
            if key not in known:
                self._wrong(value.line, f"no key {key!r} here; there are: {', '.join(known)}")

    def _each(self, top: Mapping[str, Marked], key: str, read_one: Callable[[Marked], T | None]) -> list[T]:
        given = top.get(key)
        if given is None or given.value is None:
            return []
        return [one for part in given.parts if (one := read_one(part)) is not None]

    def _kind(self, given: Marked, kinds: tuple[str, ...], what: str) -> str:
        found = [key for key in given.items if key in kinds]
        if len(found) == 1:
            return found[0]
        named = ", ".join(given.items) or given.text
        self._wrong(given.line, f"no {what} {named!r}; there are: {', '.join(kinds)}")
        return ""

    def _node(self, given: Marked) -> None:
        if given.text not in self._members:
            self._wrong(given.line, f"no node {given.text!r}; there are: {', '.join(self._members)}")

    def _choice(self, given: Marked, key: str, choices: tuple[str, ...], usual: str) -> str:
        found = given.items.get(key)
        if found is not None and found.value not in choices:
            self._wrong(found.line, f"{key} is {found.text!r}; it can be: {', '.join(filter(None, choices))}")
        return found.text if found is not None else usual

    def _int(self, given: Marked, key: str, usual: int, least: int) -> int:
        found = given.items.get(key)
        if found is None:
            return usual
        if not isinstance(found.value, int) or isinstance(found.value, bool) or found.value < least:
            self._wrong(found.line, f"{key} is {found.text!r}; it is a whole number from {least} on")
            return usual
        return found.value

    def _ether(self, given: Marked, key: str) -> int:
        found = given.items.get(key)
        if found is None:
            return 0
        if not isinstance(found.value, int | float) or not 0 <= found.value <= MAX_NODES:
            self._wrong(found.line, f"{key} is {found.text!r}; it is in ether per hour")
            return 0
        return int(found.value * WEI_PER_ETHER)

    def _ms(self, given: Marked, key: str, usual_ms: int) -> int:
        found = given.items.get(key)
        if found is None:
            return usual_ms
        shape = _DURATION.fullmatch(found.text)
        length_ms = int(float(shape[1]) * UNITS_MS[shape[2]]) if shape else LIMIT_MS + 1
        if abs(length_ms) > LIMIT_MS or (length_ms < 0 and key != "by"):
            self._wrong(found.line, f"{key} is {found.text!r}; write a time such as 300ms, 5s, 2m or 1h")
            return usual_ms
        return length_ms


def _at_ms(fault: Fault) -> int:
    return fault.at_ms
