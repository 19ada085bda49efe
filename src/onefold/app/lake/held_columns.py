"""What of events and profiles is held in memory, and as which columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from onefold.app.lake.typed import column_name, column_of
from onefold.engine import DuckEngine
from onefold.model.sql import literal_sql, quoted_sql
from onefold.segment.aggregates import millionths_sql
from onefold.segment.metric import Aggregate, Field, FieldType, make_field
from onefold.segment.plan import Plan
from onefold.segment.trait_sql import is_moment, trait_field

_WIDTHS: dict[FieldType, int] = {"text": 40, "number": 9, "boolean": 2}
"""Bytes of a value, roughly; of the texts of profiles only their numbers are held."""
_ID, _SHORT, _TIME, _MILLIONTHS, _NUMBER = 9, 5, 9, 9, 2
_LONG = 9e12
"""The millionths of smaller numbers fit into 64 bits."""
_SQL: dict[FieldType, str] = {"text": "varchar", "number": "double", "boolean": "boolean"}
_MOST_VALUES, _SOME = 1_000, 20_000
_SIMPLE: tuple[Aggregate, ...] = ("count", "sum", "avg", "min", "max", "days")
"""These need of an event its name, its time and the fields that the rule names."""


def events_of(plan: Plan) -> dict[str, tuple[Field, ...]] | None:
    """The events that a plan counts, by name, with their fields; None if it needs more of some."""
    metrics = {one.id: one for one in plan.metrics}
    found: dict[str, tuple[Field, ...]] = {}
    for column in plan.columns:
        if column.kind != "window":
            continue
        metric = metrics[column.metric]
        plain = all(one.type in _WIDTHS and one.root != "traits" for one in metric.fields)
        if len(column.metrics) > 1 or column.aggregate not in _SIMPLE or not plain:
            return None
        if metric.many or not metric.event:
            return None
        known = found.get(metric.event, ())
        found[metric.event] = tuple(dict.fromkeys([*known, *metric.fields]))
    return found or None


def traits_of(plan: Plan) -> list[Field]:
    """The traits that a plan reads."""
    fields = [trait_field(one, text=is_moment(one)) for one in plan.columns if one.kind == "trait"]
    return [make_field(one.root, one.keys, one.type) for one in fields]


def event_width(fields: Sequence[Field]) -> int:
    """About so many bytes takes an event with these fields."""
    millionths = _MILLIONTHS * len(numbers_of(fields))
    return _SHORT + _TIME + millionths + sum(_WIDTHS[one.type] for one in fields)


def profile_width(traits: Iterable[Field]) -> int:
    """About so many bytes takes a profile with these traits."""
    return (
        _ID + _SHORT + sum(_NUMBER if one.type == "text" else _WIDTHS[one.type] for one in traits)
    )


def millionths_column(field: Field) -> str:
    """The column that holds what of a number is added up, as it is written in SQL."""
    return quoted_sql(f"{column_name(field)} millionths")


def millionths_columns(fields: Iterable[Field], long: Mapping[Field, bool] | None = None) -> str:
    """The columns of what of numbers is added up, each after a comma, made of these."""
    return "".join(
        f", {millionths_sql(column_of(one), 'HUGEINT' if not long or long[one] else 'BIGINT')}"
        f" as {millionths_column(one)}"
        for one in numbers_of(fields)
    )


def is_long(engine: DuckEngine, rows: str, field: Field) -> bool:
    """Do the millionths of some number not fit into 64 bits?"""
    query = f"select count(*) from {rows} where abs({column_of(field)}) >= {_LONG}"
    return bool(engine.rows("held", query, {})[0][0])


def numbers_of(fields: Iterable[Field]) -> list[Field]:
    """Those that are numbers: what of them is added up is held too."""
    return [one for one in fields if one.type == "number"]


def held_columns(fields: Iterable[Field], have: Iterable[Field]) -> str:
    """The columns of fields as they are held, each after a comma; null where there is none."""
    known = set(have)
    columns = [(column_of(one), _SQL[one.type], one) for one in fields]
    columns += [(millionths_column(one), "bigint", one) for one in numbers_of(fields)]
    return "".join(
        f", {column}" if one in known else f", null::{type_} as {column}"
        for column, type_, one in columns
    )


def narrow(engine: DuckEngine, rows: str, field: Field) -> str:
    """Write the column of a trait as it is held: texts by number. Empty where they are too many."""
    column = column_of(field)
    if field.type != "text":
        return column
    some = f"(select {column} from ({rows}) limit {_SOME})"
    for source in (some, f"({rows})"):
        query = f"select distinct {column} from {source} where {column} is not null"
        found = [
            str(one) for (one,) in engine.rows("held", f"{query} limit {_MOST_VALUES + 1}", {})
        ]
        if len(found) > _MOST_VALUES:
            return ""
    if not found:
        return column
    # In the order in which texts are compared: so the numbers are.
    listed = ", ".join(literal_sql(one) for one in sorted(found, key=str.encode))
    return f"cast({column} as enum({listed})) as {column}"
