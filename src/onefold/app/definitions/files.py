"""Definitions as they are written: the documents of YAML files or texts, and where each stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml
from yaml.constructor import ConstructorError

from onefold.app.definitions.checks import KINDS
from onefold.app.definitions.source_checks import source_name_fault
from onefold.model.errors import Fault, NotFound

TESTS = ".test.yaml"
"""How files end that hold only tests; the definitions' own reader passes them by."""
FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C, twenty times as fast, where there is one."""
_MAX_NESTING = 64
_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


class Written(NamedTuple):
    """One definition as it stands in a file."""

    kind: str
    name: str
    body: dict[str, Any]
    where: str
    places: Mapping[str, str] = {}

    def place(self, where: str) -> str:
        """Where a fault stands whose own `where` begins with the key that it is about."""
        key = where.partition(" ")[0].partition(".")[0].partition("[")[0]
        place = self.places.get(key, self.where)
        return f"{place}: {where}" if where else place


class Reading(NamedTuple):
    """What was read: the definitions, and what could not be read as one."""

    written: list[Written]
    faults: list[Fault]


def read_definitions(directory: Path) -> Reading:
    """All definitions in the YAML files of a directory and below."""
    found = Reading([], [])
    for path in definition_files(directory):
        where = str(path.relative_to(directory))
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            found.faults.append(Fault(f"is not UTF-8: {error.reason}", where))
            continue
        found.written.extend(_documents(text, where, found.faults))
    return found


def definition_files(directory: Path) -> list[Path]:
    """The files that hold definitions, in the order in which they are read."""
    if not directory.is_dir():
        raise NotFound(f"there is no directory {directory}")
    files = sorted([*directory.rglob("*.yaml"), *directory.rglob("*.yml")])
    return [path for path in files if not path.name.endswith(TESTS)]


def read_text(text: str, where: str = "body") -> Reading:
    """The definitions in one YAML text."""
    found = Reading([], [])
    found.written.extend(_documents(text, where, found.faults))
    return found


def _documents(text: str, where: str, faults: list[Fault]) -> Iterator[Written]:
    try:
        if fault := trap(text, where):
            faults.append(fault)
            return
        found = list(composed(text))
    except yaml.YAMLError as error:
        faults.append(_not_yaml(error, where))
        return
    except RecursionError:
        faults.append(Fault("is nested too deep", where))
        return
    for node, body in found:
        if body is None:
            continue
        place = f"{where}:{node.start_mark.line + 1}"
        fault = _head_fault(body)
        if fault:
            faults.append(Fault(fault.message, place, fault.hint))
        else:
            lines = {str(key.value): f"{where}:{key.start_mark.line + 1}" for key, _ in node.value}
            body = plain({key: value for key, value in body.items() if key != "tests"})
            yield Written(body.pop("kind"), body.pop("name"), body, place, lines)


def plain(body: dict[Any, Any]) -> dict[str, Any]:
    """As it is kept and as the API gives it: dates and the like are texts."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    return found


def composed(text: str) -> Iterator[tuple[yaml.Node, Any]]:
    """The documents of a YAML text, with the places of their parts and as values."""
    for node in yaml.compose_all(text, Loader=FAST):
        yield node, _Values("").construct_document(node)


class _Values(yaml.SafeLoader):
    """Values as YAML means them; keys as they are written: `no` and `2026-01-01`, too, are texts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping whose keys are texts, each once."""
        found: dict[Any, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a key must be a text", key.start_mark)
            if key.value in found:
                raise ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            found[key.value] = self.construct_object(value, deep=deep)
        return found


def trap(text: str, where: str) -> Fault | None:
    """What would take a parser minutes or gigabytes, found before it is parsed."""
    depth = 0
    for token in yaml.scan(text, Loader=FAST):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        # A few lines of aliases to aliases stand for gigabytes.
        alias = isinstance(token, yaml.AliasToken)
        if alias or depth > _MAX_NESTING:
            reason = "aliases cannot be used here" if alias else "is nested too deep"
            return Fault(reason, f"{where}:{token.start_mark.line + 1}")
    return None


def _not_yaml(error: yaml.YAMLError, where: str) -> Fault:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return Fault(f"is not YAML: {' '.join(str(error).split())}", where)
    place = f"{where}:{mark.line + 1}"
    return Fault(f"is not YAML: {getattr(error, 'problem', None) or 'cannot be read'}", place)


QUESTIONS = ("preview", "why", "overlap", "compare", "backtest")
"""What stands below `/api/segments/` where otherwise the name of a segment does."""


def _head_fault(body: object) -> Fault | None:
    kinds = ", ".join(KINDS)
    if not isinstance(body, dict):
        return Fault("is no definition", hint="write keys such as kind, name and rule")
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        return Fault(f"kind {kind!r} is not known", hint=f"use one of {kinds}")
    return name_fault(kind, body.get("name"))


def name_fault(kind: str, name: object) -> Fault | None:
    """What is wrong with a definition's name."""
    if not isinstance(name, str) or not name.strip() or len(name) > 100 or not name.isprintable():
        return Fault("has no name", "name", "write `name:` with up to 100 characters")
    if kind == "segment" and name in QUESTIONS:
        hint = "that is where the API is asked this of any rule; choose another name"
        return Fault(f"a segment cannot be called {name!r}", "name", hint)
    return source_name_fault(name) if kind == "source" else None
