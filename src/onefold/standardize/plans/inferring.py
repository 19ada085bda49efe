"""A plan from what came in: a first draft that people correct, never one that is put in force unseen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}
_MOST_VALUES, _LEAST_TO_LIST, _LONGEST_VALUE = 12, 50, 40
_FORMATS = {
    "email": re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "uri": re.compile(r"https?://\S+"),
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I),
}
_MOST_FIELDS, _DEPTH = 500, 6


def infer(values: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A JSON Schema that all these objects obey: types, what is always there, formats, short lists.

    >>> infer([{"id": "a", "n": 1}, {"id": "b", "n": 2.5}, {"id": "c"}])["required"]
    ['id']
    """
    return _object(list(values), _DEPTH)


def _object(values: Sequence[Mapping[str, Any]], depth: int) -> dict[str, Any]:
    seen = Counter(name for value in values for name in value)
    names = sorted(name for name, _ in seen.most_common(_MOST_FIELDS))
    properties = {
        name: _field([value[name] for value in values if name in value], depth - 1)
        for name in names
    }
    found: dict[str, Any] = {"type": "object", "properties": properties}
    required = [
        name
        for name in names
        if seen[name] == len(values) and "null" not in _listed(properties[name])
    ]
    if required:
        found["required"] = required
    return found


def _listed(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _field(values: Sequence[Any], depth: int) -> dict[str, Any]:
    kinds = sorted({_kind(value) for value in values})
    if "integer" in kinds and "number" in kinds:
        kinds.remove("integer")
    found: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    if depth <= 0:
        return {}
    if objects := [value for value in values if isinstance(value, dict)]:
        found |= {k: v for k, v in _object(objects, depth).items() if k != "type"}
    if items := [item for value in values if isinstance(value, list) for item in value[:100]]:
        found["items"] = _field(items, depth - 1)
    if texts := [value for value in values if isinstance(value, str)]:
        found |= _text(texts, only="string" in kinds and len(kinds) == 1)
    return found


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return _TYPES.get(type(value), "object")


def _text(texts: Sequence[str], *, only: bool) -> dict[str, Any]:
    """What texts have in common: a format; or few values, each of which came often."""
    for name, pattern in _FORMATS.items():
        if all(map(pattern.fullmatch, texts)):
            return {"format": name}
    counts = Counter(texts)
    often = len(texts) >= _LEAST_TO_LIST and min(counts.values()) > 1
    if only and often and len(counts) <= _MOST_VALUES and max(map(len, counts)) <= _LONGEST_VALUE:
        return {"enum": sorted(counts)}
    return {}
