"""One field of a mapping as a function over many records at once.

A value that is missing from a record is `MISSING`, one that is there and empty is None: only the
latter may say that there is no value any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from onefold.model.mapping import Field
from onefold.standardize.faults import explain
from onefold.standardize.mapping import values
from onefold.standardize.mapping.coded import CODED, phone_reader
from onefold.standardize.mapping.values import Read, Wrong
from onefold.standardize.units import quantity_reader

Row = dict[str, Any]
Faults = dict[int, list[str]]
Column = Callable[[Sequence[Row], Faults], list[Any]]
"""The value for each record; what is wrong is noted by the record's number."""
MISSING = ...
_MOST_KNOWN = 4_000


def condition_key(text: str) -> str:
    """Where a row holds whether a condition is true of it: under a name that no record can have."""
    return f"\0?{text}"


def value_key(text: str) -> str:
    """Where a row holds what an expression gives."""
    return f"\0={text}"


def column_of(
    field: Field, where: str, zone: str = "UTC", country: str | None = None, *, moment: bool = False
) -> Column:
    """What gives the values of a field; `where` it stands is told with what is wrong.

    A `moment` is given in µs since 1970, whatever its type; `country` is that of telephone numbers.
    """
    column = taken(field)
    if field.split:
        column = _each(column, _splitter(field), where)
    steps = list(_steps(field, ZoneInfo(zone) if zone != "UTC" else UTC, country, moment=moment))
    for read in steps:
        column = _each(column, _for_lists(read) if field.split and not field.part else read, where)
    if field.default is not None:
        column = _defaulted(column, field.default)
    return _conditional(column, condition_key(field.when)) if field.when else column


def _steps(field: Field, zone: tzinfo, country: str | None, *, moment: bool) -> list[Read]:
    """What is done to each value, in order."""
    steps: list[Read] = []
    formats = (field.format,) if isinstance(field.format, str) else field.format
    formats = tuple(one for one in formats if one)
    if field.lookup:
        steps.append(_looker(field))
    decimal = field.decimal
    kind = field.type or ("number" if decimal or field.unit or field.money else None)
    if field.unit and not moment:
        number = values.number_reader(decimal, kind == "integer")
        steps.append(quantity_reader(field.unit.source, field.unit.to, number, Wrong))
    elif moment:
        steps.append(values.time_reader(formats, zone))
    elif kind in ("number", "integer"):
        steps.append(values.number_reader(decimal, kind == "integer"))
    elif kind == "time":
        steps += [values.time_reader(formats, zone), values.iso_of]
    elif kind == "date" or formats:
        steps.append(values.date_reader(formats))
    elif kind == "phone":
        steps.append(phone_reader(country))
    elif kind is not None:
        steps.append(_PLAIN[kind])
    return steps


_PLAIN: dict[str, Read] = {
    "text": values.text_of,
    "boolean": values.boolean_of,
    "list": values.list_of,
    "json": values.json_of,
    **CODED,
}


def taken(field: Field) -> Column:
    """The values as they come."""
    if field.join:
        return _joined([field_column(name) for name in field.join], field.between)
    if field.sql:
        return field_column(value_key(field.sql))
    if field.source:
        names = (field.source,) if isinstance(field.source, str) else field.source
        columns = [field_column(name) for name in names]
        return columns[0] if len(columns) == 1 else _coalesced(columns)
    constant = field.constant
    return lambda rows, _: [constant] * len(rows)


def field_column(name: str) -> Column:
    """The values of one field, without blanks around them; a blank one is empty."""
    if "." not in name or name.startswith("\0"):

        def plain(rows: Sequence[Row], _: Faults) -> list[Any]:
            return [
                (one.strip() or None) if type(one := row.get(name, MISSING)) is str else one
                for row in rows
            ]

        return plain
    steps = name.split(".")

    def deep(rows: Sequence[Row], _: Faults) -> list[Any]:
        found = [row[name] if name in row else inside(row, steps) for row in rows]
        return [(one.strip() or None) if type(one) is str else one for one in found]

    return deep


def inside(value: Any, steps: Sequence[str]) -> Any:
    """What lies at a path within objects and lists; `MISSING` where it leads nowhere.

    >>> inside({"lines": [{"sku": "A"}]}, ["lines", "0", "sku"])
    'A'
    """
    for step in steps:
        if type(value) is dict:
            value = value.get(step, MISSING)
        elif type(value) is list and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def _coalesced(columns: Sequence[Column]) -> Column:
    def coalesced(rows: Sequence[Row], faults: Faults) -> list[Any]:
        found = zip(*(column(rows, faults) for column in columns), strict=True)
        return [_first_of(some) for some in found]

    return coalesced


def _first_of(some: Sequence[Any]) -> Any:
    there = [one for one in some if one is not MISSING]
    return next((one for one in there if one is not None), None) if there else MISSING


def _joined(columns: Sequence[Column], between: str) -> Column:
    def joined(rows: Sequence[Row], faults: Faults) -> list[Any]:
        found = zip(*(column(rows, faults) for column in columns), strict=True)
        return [_together(some, between) for some in found]

    return joined


def _together(some: Sequence[Any], between: str) -> Any:
    there = [one for one in some if one is not MISSING]
    texts = [str(values.text_of(one)) for one in there if one is not None]
    return between.join(texts) or None if there else MISSING


def _each(column: Column, read: Read, where: str) -> Column:
    """Each value as it reads, each different text once."""
    known: dict[str, Any] = {}

    def each(rows: Sequence[Row], faults: Faults) -> list[Any]:
        found = column(rows, faults)
        if len(known) > _MOST_KNOWN:
            known.clear()
        for at, value in enumerate(found):
            if value is None or value is MISSING:
                continue
            if type(value) is str:
                if value in known:
                    result = known[value]
                else:
                    result = known[value] = read(value)
            else:
                result = read(value)
            if type(result) is Wrong:
                faults.setdefault(at, []).append(explain(where, result.problem, result.hint))
                result = None
            found[at] = result
        return found

    return each


def _for_lists(read: Read) -> Read:
    def of_each(value: Any) -> Any:
        if not isinstance(value, list):
            return read(value)
        found = [read(one) for one in value]
        return next((one for one in found if type(one) is Wrong), found)

    return of_each


def _splitter(field: Field) -> Read:
    sign, part = field.split, field.part

    def split(value: Any) -> Any:
        parts = [one.strip() for one in str(values.text_of(value)).split(sign)]
        if not part:
            return [one for one in parts if one] or None
        at = part - 1 if part > 0 else part
        return (parts[at] or None) if -len(parts) <= at < len(parts) else None

    return split


def _looker(field: Field) -> Read:
    table, otherwise = field.lookup, field.otherwise

    def look(value: Any) -> Any:
        found = table.get(str(values.text_of(value)), MISSING)
        if found is not MISSING:
            return found
        if otherwise is not None:
            return otherwise
        return Wrong(f"{str(value)[:60]!r} is not in the lookup", "add it, or write otherwise:")

    return look


def _defaulted(column: Column, default: Any) -> Column:
    def defaulted(rows: Sequence[Row], faults: Faults) -> list[Any]:
        found = column(rows, faults)
        return [default if one is None or one is MISSING else one for one in found]

    return defaulted


def _conditional(column: Column, key: str) -> Column:
    """Only of the records of which a condition is true; what is wrong with others is no matter."""

    def conditional(rows: Sequence[Row], faults: Faults) -> list[Any]:
        places = [at for at, row in enumerate(rows) if row.get(key) is True]
        own: Faults = {}
        found: list[Any] = [MISSING] * len(rows)
        for at, value in zip(places, column([rows[at] for at in places], own), strict=True):
            found[at] = value
        for at, reasons in own.items():
            faults.setdefault(places[at], []).extend(reasons)
        return found

    return conditional
