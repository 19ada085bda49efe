"""Everybody's traits, read by the engine as `onefold.segment.reading` reads one profile's.

A date or time is taken apart in steps, each a query over the one before, because the offsets of a
time zone make a long expression that should name a column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from onefold.model.sql import literal_sql
from onefold.segment.clock import clock_value
from onefold.segment.metric import Column, Field
from onefold.segment.reading import MOMENT
from onefold.segment.zone import DAY, Zone

_PLACES = {"hour": 12, "minute": 15, "second": 18}
_SECONDS = {"hour": 3_600, "minute": 60, "second": 1}


def traits_query(
    columns: Sequence[Column],
    now: int,
    zone: Zone,
    profiles: str,
    read: Callable[[Field], str],
    key: str = "profile",
) -> str:
    """Write the query for the columns that are no windows: `(profile, …)` in their order.

    `read` writes how a value inside the traits is read, in the relation `profiles`. Where a
    profile has another `key`, that comes after it.
    """
    wanted = [column for column in columns if column.kind != "window"]
    values = [
        f"{_clock(column, now, zone)} AS {column.name}"
        if column.kind == "clock"
        else f"{read(trait_field(column, text=is_moment(column)))} AS {text_name(column)}"
        for column in wanted
    ]
    keys = list(dict.fromkeys(["profile", key]))
    query = f"SELECT {', '.join([*keys, *values])} FROM {profiles}"
    return moments_query(query, wanted, zone, keys)


def is_moment(column: Column) -> bool:
    """Is it a text in the data that is read as a date or a time?"""
    return column.kind != "clock" and column.type in ("date", "time")


def text_name(column: Column) -> str:
    """What a column is called where its dates and times are still texts."""
    return f"{column.name}_t" if is_moment(column) else column.name


def moments_query(
    query: str, wanted: Sequence[Column], zone: Zone, keys: Sequence[str] = ("profile",)
) -> str:
    """Write the query that reads the dates and times of another: `(profile, …)` in their order.

    The other one has them as texts, under the names that `text_name` gives, and the same `keys`.
    """
    moments = [each for each in wanted if is_moment(each)]
    if not moments:
        return query
    apart = [part for column in moments for part in _apart(column.name)]
    joined = [_joined(column.name) for column in moments]
    last = [_last(column, zone) if column in moments else column.name for column in wanted]
    return (
        f"SELECT {', '.join([*keys, *last])} FROM "
        f"(SELECT *, {', '.join(joined)} FROM (SELECT *, {', '.join(apart)} FROM ({query})))"
    )


def trait_field(column: Column, *, text: bool = False) -> Field:
    """The value in a profile's traits that a column reads."""
    return Field(column.name, "traits", column.path, "text" if text else column.type)


def _clock(column: Column, now: int, zone: Zone) -> str:
    value = clock_value(column.path, now, zone)
    return f"CAST({'NULL' if value is None else value} AS BIGINT)"


def _apart(name: str) -> list[str]:
    """The day of a text, its time of day, and its offset; NULL where it has none, or a wrong one."""
    text = f"{name}_t"
    whole = f"regexp_matches({text}, {literal_sql(f'^({MOMENT})' + chr(92) + 'z')})"
    day = f"date_diff('day', DATE '1970-01-01', try_cast(left({text}, 10) AS DATE))"
    parts = {
        part: f"try_cast(substring({text}, {place}, 2) AS BIGINT)"
        for part, place in _PLACES.items()
    }
    # The seconds may be left out; then an offset may stand in their place.
    parts["second"] = f"CASE WHEN substring({text}, 17, 1) = ':' THEN {parts['second']} ELSE 0 END"
    fits = f"{parts['hour']} < 24 AND {parts['minute']} < 60 AND {parts['second']} < 60"
    fraction = f"regexp_extract({text}, '^.{{19}}[.,]([0-9]+)', 1)"
    micros = f"CAST(try_cast(left({fraction} || '000000', 6) AS BIGINT) AS BIGINT)"
    seconds = " + ".join(f"({parts[part]}) * {_SECONDS[part]}" for part in parts)
    clock = (
        f"CASE WHEN length({text}) = 10 THEN 0 "
        f"WHEN {fits} THEN ({seconds}) * 1000000 + {micros} END"
    )
    offset = f"regexp_extract({text}, '^.{{16}}.*[+-]([0-9]{{2}}:?[0-9]{{2}})$', 1)"
    minutes = f"try_cast(left({offset}, 2) AS BIGINT) * 60 + try_cast(right({offset}, 2) AS BIGINT)"
    sign = (
        f"CASE WHEN regexp_matches({text}, '^.{{16}}.*-[0-9]{{2}}:?[0-9]{{2}}$') THEN -1 ELSE 1 END"
    )
    zone = (
        f"CASE WHEN right({text}, 1) = 'Z' THEN 0 "
        f"WHEN length({offset}) > 0 THEN ({minutes}) * {sign} * 60000000 END"
    )
    return [
        f"CASE WHEN {whole} AND left({text}, 4) <> '0000' THEN {day} END AS {name}_d",
        f"{clock} AS {name}_c",
        f"{zone} AS {name}_o",
    ]


def _joined(name: str) -> str:
    return f"{name}_d * {DAY} + {name}_c - coalesce({name}_o, 0) AS {name}_i"


def _last(column: Column, zone: Zone) -> str:
    name = column.name
    if column.type == "time":
        local = f"{name}_i - {zone.offset_at_local_sql(f'{name}_i')}"
        return f"CASE WHEN {name}_o IS NULL THEN {local} ELSE {name}_i END AS {name}"
    plain = f"{name}_o IS NULL OR ({name}_c = 0 AND {name}_o = 0)"
    return (
        f"CASE WHEN {name}_c IS NULL THEN NULL WHEN {plain} THEN {name}_d "
        f"ELSE {zone.day_sql(of=f'{name}_i')} END AS {name}"
    )
