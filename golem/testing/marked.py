"""YAML whose every value knows its line, so that a mistake can be named with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import yaml

from golem.errors import ConfigError

MAX_BYTES = 1 << 20  # a scenario that people write has a few KiB
MAX_DEPTH = 12  # the deepest thing in a scenario lies four levels down
_INT, _FLOAT, _BOOL, _NULL = (f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null"))
TRUE = ("true", "yes", "on")


class Marked(NamedTuple):
    """A value, and the line that it stands on; within a mapping, the line of its key."""

    value: object
    line: int

    @property
    def items(self) -> Mapping[str, Marked]:
        """As a mapping; an empty one where it is none."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def parts(self) -> Sequence[Marked]:
        """As a list; a single value is a list of one."""
        return self.value if isinstance(self.value, list) else [self]

    @property
    def text(self) -> str:
        """As it was written."""
        return str(self.value)


def read(text: str, name: str) -> Marked:
    """Read one document. Raises ConfigError, with the line."""
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{name}: {len(text)} bytes are too many for a scenario; at most {MAX_BYTES}")
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.AliasToken):
                raise ConfigError(f"{name}:{token.start_mark.line + 1}: no aliases (*) here; write it out")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        return _marked(tree, name, 0) if tree is not None else Marked({}, 1)
    except yaml.MarkedYAMLError as why:
        line = why.problem_mark.line + 1 if why.problem_mark else 1
        raise ConfigError(f"{name}:{line}: {why.problem}") from why
    except yaml.YAMLError as why:  # characters that no YAML may hold
        raise ConfigError(f"{name}: {why}") from why


def _marked(node: yaml.Node, name: str, depth: int) -> Marked:
    line = node.start_mark.line + 1
    if depth > MAX_DEPTH:
        raise ConfigError(f"{name}:{line}: nested too deeply")
    if isinstance(node, yaml.SequenceNode):
        return Marked([_marked(item, name, depth + 1) for item in node.value], line)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Marked] = {}
        for key, value in node.value:
            at = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(f"{name}:{at}: a key is a word")
            if key.value in found:
                raise ConfigError(f"{name}:{at}: {key.value!r} stands here twice")
            found[key.value] = Marked(_marked(value, name, depth + 1).value, at)
        return Marked(found, line)
    return Marked(_scalar(node.tag, node.value), line)


def _scalar(tag: str, text: str) -> object:
    """Numbers and truths; whatever else it is, text."""
    try:
        if tag == _INT:
            return int(text.replace("_", ""))
        if tag == _FLOAT:
            return float(text.replace("_", ""))
    except ValueError:  # 0x10, 1:30: YAML's odder numbers stay text
        return text
    if tag == _BOOL:
        return text.lower() in TRUE
    return None if tag == _NULL else text
