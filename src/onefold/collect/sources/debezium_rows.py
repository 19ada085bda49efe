"""What Debezium says of a row: what it was, what it is, what happened. No I/O."""

from __future__ import annotations

from typing import Any

from onefold.model.pulled import Change, Record

_CHANGES: dict[str, Change] = {"r": "read", "c": "insert", "u": "update", "d": "delete"}
_MISSING = "__debezium_unavailable_value"


def read_envelope(value: Any, stream: str, place: str, time: int | None = None) -> Record | None:
    """The record of one change; None where it is none, such as a transaction's mark.

    >>> value = {"op": "u", "before": {"id": 1, "name": "Ann"}, "after": {"id": 1, "name": "Anna"}}
    >>> read_envelope(value, "customers", "7").fields
    {'id': 1, 'name': 'Anna'}
    """
    if isinstance(value, dict) and "payload" in value and "schema" in value:
        value = value["payload"]
    change = _CHANGES.get(value.get("op", "")) if isinstance(value, dict) else None
    if change is None:
        return None
    told = value.get("source") or {}
    if told.get("table"):
        schema = told.get("schema") or told.get("db") or ""
        stream = f"{schema}.{told['table']}" if schema else told["table"]
    before = _known(value.get("before"))
    fields = before if change == "delete" else _known(value.get("after"))
    if told.get("ts_us"):
        time = int(told["ts_us"])
    elif told.get("ts_ms"):
        time = int(told["ts_ms"]) * 1000
    return Record(fields or {}, stream, place, change, time, before)


def _known(row: dict[str, Any] | None) -> dict[str, Any] | None:
    """A row without the large values that were not sent because they did not change."""
    return row and {name: value for name, value in row.items() if value != _MISSING}
