"""Values in answers by their path, times as APIs write them, and `{places}` to be filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from onefold.model.moments import micros_of, read_iso

_PLACE = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
_MANY = 1_000


class Places(Protocol):
    """What is known by name; a dict is one."""

    def __contains__(self, name: object, /) -> bool: ...

    def __getitem__(self, name: str, /) -> Any: ...


def at(value: Any, path: str) -> Any:
    """What stands at a dotted path; None where there is nothing.

    >>> at({"paging": {"next": {"after": "9"}}}, "paging.next.after"), at([{"a": 1}], "0.a")
    ('9', 1)
    """
    for name in path.split(".") if path else ():
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.lstrip("-").isdigit() and abs(int(name)) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def stands(value: Any, path: str) -> bool:
    """Is there something at a path, be it nothing?

    >>> stands({"data": None}, "data"), stands({"errors": []}, "data"), stands(None, "data")
    (True, False, False)
    """
    above, _, name = path.rpartition(".")
    within = at(value, above)
    return (
        not path or at(within, name) is not None or (isinstance(within, Mapping) and name in within)
    )


def filled(value: Any, known: Places) -> Any:
    """The same with known `{places}` filled in; a text that is one place becomes what stands there.

    >>> filled({"ids": ["{id}"], "q": "a > {since}"}, {"id": 7, "since": "x"})
    {'ids': [7], 'q': 'a > x'}
    """
    if isinstance(value, str):
        whole = _PLACE.fullmatch(value)
        if whole and whole[1] in known:
            return known[whole[1]]
        return _PLACE.sub(
            lambda place: str(known[place[1]] if place[1] in known else place[0]), value
        )
    if isinstance(value, Mapping):
        return {name: filled(inner, known) for name, inner in value.items()}
    return [filled(inner, known) for inner in value] if isinstance(value, list) else value


def filled_many(value: Any, rows: Sequence[Places]) -> Any:
    """Like `filled` for several records: a list of one item becomes a list of one item for each.

    >>> filled_many({"users": [{"id": "{id}"}]}, [{"id": 1}, {"id": 2}])
    {'users': [{'id': 1}, {'id': 2}]}
    """
    if isinstance(value, list) and len(value) == 1:
        return [filled(value[0], row) for row in rows]
    if isinstance(value, Mapping):
        return {name: filled_many(inner, rows) for name, inner in value.items()}
    return filled(value, rows[0] if rows else {})


def read_time(value: Any, form: str, zone: str = "UTC") -> int | None:
    """The microseconds of a time as an API writes it; None for what is none.

    >>> read_time("2026-01-01T00:00:00+01:00", "iso"), read_time(1_700_000_000, "seconds")
    (1767222000000000, 1700000000000000)
    """
    if isinstance(value, bool) or value is None:
        return None
    try:
        if form in ("seconds", "milliseconds") and not _is_iso(value):
            number = float(value)
            return int(number * _SECOND) if form == "seconds" else int(number * _MANY)
        if "%" in form:
            return micros_of(_parsed(str(value), form), ZoneInfo(zone))
    except (ValueError, OverflowError):
        return None
    return read_iso(str(value), ZoneInfo(zone))


def write_time(micros: int, form: str, zone: str = "UTC") -> str | int:
    """A time as an API wants it.

    >>> write_time(1_700_000_000_000_000, "iso"), write_time(1_700_000_000_000_000, "milliseconds")
    ('2023-11-14T22:13:20Z', 1700000000000)
    """
    if form == "seconds":
        return micros // _SECOND
    if form == "milliseconds":
        return micros // _MANY
    moment = (_EPOCH + timedelta(microseconds=micros)).astimezone(ZoneInfo(zone))
    if "%" in form:
        return moment.strftime(form)
    # Not all take more than milliseconds; the earlier one of two loses nothing.
    spec = "milliseconds" if micros % _SECOND else "seconds"
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=spec)}Z"


def _parsed(text: str, form: str) -> datetime:
    return datetime.strptime(text, form)  # noqa: DTZ007 - its zone is put in by who asks


def _is_iso(value: Any) -> bool:
    return isinstance(value, str) and "-" in value[1:]


def with_query(url: str, query: Mapping[str, Any]) -> str:
    """The URL with more parameters; what it names already stays as it is."""
    if not query:
        return url
    parts = urlsplit(url)
    named = parse_qsl(parts.query, keep_blank_values=True)
    have = {name for name, _ in named}
    more = [(name, _in_query(value)) for name, value in query.items() if name not in have]
    return parts._replace(query=urlencode([*named, *more])).geturl()


def _in_query(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
