"""Reading a value inside an event's JSON as a type, in SQL."""

from __future__ import annotations

import sys

from onefold.model.sql import literal_sql
from onefold.segment.metric import Field, FieldType, Type

LARGEST_NUMBER = "1e18"
"""Numbers that are added up or compared as an extreme are smaller than this in size."""


_KINDS: dict[FieldType, str] = {
    "list": "ARRAY",
    "numbers": "ARRAY",
    "objects": "ARRAY",
    "object": "OBJECT",
}


def field_sql(field: Field) -> str:
    """Read a value inside an event's JSON as a type; what cannot be read as it is absent."""
    path = path_sql(field.keys)
    kind = _KINDS.get(field.type)
    found = f"json_extract_string({field.root}, {path})"
    if kind is None:
        return read_sql(found, field.type)
    if kind == "ARRAY":
        read = "json_extract" if field.type == "objects" else "json_extract_string"
        found = f"{read}(json_extract({field.root}, {path}), '$[*]')"
        if field.type == "numbers":
            found = f"list_transform({found}, lambda v: {read_sql('v', 'number')})"
        found = f"list_filter({found}, lambda v: v IS NOT NULL)"
    return f"CASE json_type({field.root}, {path}) WHEN '{kind}' THEN {found} END"


def element_sql(element: str, keys: tuple[str, ...], wanted: Type) -> str:
    """Read an element of a list, or what is inside it, as a type."""
    text = f"json_extract_string({element}, {path_sql(keys)})" if keys else element
    return read_sql(text, wanted)


def path_sql(keys: tuple[str, ...]) -> str:
    """Write a way into JSON."""
    return literal_sql(_path(keys))


def _path(keys: tuple[str, ...]) -> str:
    """A way into JSON; names that would mean something in a path are written as a pointer."""
    if all(key and not set(key) & set('"\\*') for key in keys):
        return "$" + "".join(f'."{key}"' for key in keys)
    return json_pointer(*keys)


def json_pointer(*keys: str) -> str:
    """A way into JSON as a pointer, whatever letters the names are of."""
    return "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)


def read_sql(text: str, wanted: FieldType) -> str:
    """Read a text as a type; what cannot be read as it is absent."""
    if wanted == "number":
        number = f"try_cast({text} AS DOUBLE)"
        # DuckDB takes `+-7` for a number, and nothing else does.
        finite = f"abs({number}) <= {sys.float_info.max!r} AND NOT contains({text}, '+-')"
        return f"CASE WHEN {finite} THEN {number} END"
    if wanted == "boolean":
        return f"CASE lower({text}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"
    return text
