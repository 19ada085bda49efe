"""Typed columns: values inside events' and profiles' JSON that compaction writes apart.

A column's name says what it holds, so that whoever opens a file knows it without asking anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec
import pyarrow.parquet as pq

from onefold.model.errors import InvalidInput
from onefold.segment.buckets import field_sql
from onefold.segment.metric import Field, Type, make_field
from onefold.segment.rule import Rule, parse_rule
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
    return '"' + column_name(field).replace('"', '""') + '"'


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


def typed_of(files: Sequence[str], *roots: str) -> list[Field]:
    """The fields that files of one layout have columns for."""
    return fields_of(pq.read_schema(files[0]).names, *roots)


def wanted_fields(store: SQLiteStore) -> list[Field]:
    """The values that shall have typed columns: what is declared, and what rules in force read."""
    found: list[Field] = []
    for one in store.registry.definitions():
        body = one.body
        for type_ in _TYPES:
            if body.get("type") == type_ and one.kind == "trait" and not body.get("expression"):
                found.append(make_field("traits", tuple(one.name.split(".")), type_))
            if body.get("type") == type_ and one.kind == "property":
                found.append(make_field("properties", tuple(body["property"].split(".")), type_))
        if one.kind == "segment" and (rule := _parsed(body.get("rule"))):
            found += _read_by(rule)
    return list({column_of(field): field for field in found}.values())[:MOST_COLUMNS]


def _parsed(text: object) -> Rule | None:
    try:
        return parse_rule(str(text or ""))
    except InvalidInput:
        return None


def _read_by(rule: Rule) -> list[Field]:
    events = [field for metric in rule.metrics for field in metric.fields]
    traits = [
        make_field("traits", column.path, column.type)
        for column in rule.columns
        if column.kind == "trait"
    ]
    return events + traits
