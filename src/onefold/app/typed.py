"""Typed columns: values inside events' and profiles' JSON that compaction writes apart.

A column's name says what it holds, so that whoever opens a file knows it without asking anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import msgspec

from onefold.segment.buckets import field_sql
from onefold.segment.metric import Field, Type, make_field

_name = msgspec.json.Decoder(tuple[str, ...]).decode
_TYPES: tuple[Type, ...] = ("text", "number", "boolean")


def column_of(field: Field) -> str:
    """The name of the column that holds a field, as it is written in SQL.

    >>> column_of(make_field("properties", ("revenue",), "number"))
    '"[""properties"",""revenue"",""number""]"'
    """
    text = msgspec.json.encode((field.root, *field.keys, field.type)).decode()
    return '"' + text.replace('"', '""') + '"'


def fields_of(columns: Iterable[str], *roots: str) -> list[Field]:
    """The fields that a file's columns hold, of these roots."""
    found = []
    for column in columns:
        if not column.startswith('["'):
            continue
        root, *keys, type_ = _name(column)
        if root in roots:
            found += [make_field(root, tuple(keys), known) for known in _TYPES if known == type_]
    return found


def reader(fields: Collection[Field]) -> Callable[[Field], str]:
    """Write how a field is read where these have columns: from its column, or else from JSON."""
    known = {(field.root, field.keys, field.type) for field in fields}

    def read(field: Field) -> str:
        typed = (field.root, field.keys, field.type) in known
        return column_of(field) if typed else field_sql(field)

    return read
