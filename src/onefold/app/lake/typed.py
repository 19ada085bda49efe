"""Typed columns: values inside events' and profiles' JSON that compaction writes apart.

A column's name says what it holds, so that whoever opens a file knows it without asking anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from onefold.app.in_force import load_definitions
from onefold.engine import DuckEngine
from onefold.model.sql import quoted_sql
from onefold.segment.fields import field_sql
from onefold.segment.metric import Field, Type, make_field
from onefold.segment.plan import compile_plan
from onefold.segment.wanted import wanted_by
from onefold.store import SQLiteStore

_name = msgspec.json.Decoder(tuple[str, ...]).decode
MOST_COLUMNS = 200
_TYPES: tuple[Type, ...] = ("text", "number", "boolean")


def column_name(field: Field) -> str:
    """The name of the column that holds a field.

    >>> column_name(make_field("properties", ("revenue",), "number"))
    '["properties","revenue","number"]'
    """
    return msgspec.json.encode((field.root, *field.keys, field.type)).decode()


def column_of(field: Field) -> str:
    """The column that holds a field, as it is written in SQL."""
    return quoted_sql(column_name(field))


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


def typed_columns(wanted: Iterable[Field], have: Collection[Field] = ()) -> str:
    """SQL of typed columns, each after a comma: as they stand in a file, or made of the JSON."""
    return "".join(
        f", {column_of(one) if one in have else field_sql(one)} as {column_of(one)}"
        for one in wanted
    )


def typed_of(engine: DuckEngine, files: Sequence[str], *roots: str) -> list[Field]:
    """The fields that files of one layout have columns for."""
    return fields_of(engine.columns(files[0]), *roots)


def wanted_fields(store: SQLiteStore) -> list[Field]:
    """The values that shall have typed columns: what is declared, and what definitions read."""
    found: list[tuple[str, tuple[str, ...], str]] = []
    for one in store.registry.definitions():
        body = one.body
        if one.kind == "trait" and not body.get("expression"):
            found.append(("traits", tuple(one.name.split(".")), body.get("type", "")))
        elif one.kind == "property":
            found.append(("properties", tuple(body["property"].split(".")), body["type"]))
    plan = compile_plan(wanted_by(load_definitions(store)[0]))
    found += [(one.root, one.keys, one.type) for each in plan.metrics for one in each.fields]
    found += [("traits", one.path, one.type) for one in plan.columns if one.kind == "trait"]
    fields = [
        make_field(root, keys, type_)
        for root, keys, given in found
        for type_ in _TYPES
        # Dates and times are taken apart where they are read, of the text.
        if type_ == ("text" if given in ("date", "time") else given)
    ]
    return list(dict.fromkeys(fields))[:MOST_COLUMNS]
