"""What Debezium says of a row: what it was, what it is, what happened. No I/O."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from onefold.collect.sources.sql_values import plain
from onefold.model.pulled import Change, Record

_CHANGES: dict[str, Change] = {"r": "read", "c": "insert", "u": "update", "d": "delete"}
_MISSING = "__debezium_unavailable_value"
_UTC = ZoneInfo("UTC")
# What of a change's source is the same for all, or not the same whenever it is read.
_NO_PLACE = {
    "version", "connector", "name", "ts_us", "ts_ns", "snapshot", "sequence", "db", "schema", "table",
    "collection", "query", "thread", "xmin", "origin", "origin_lsn", "user_name", "client_id",
}  # fmt: skip

Kinds = Mapping[str, tuple[str, int]]
"""Columns that are more than their JSON says: the kind of each and its scale."""


def read_envelope(
    value: Any, stream: str, place: str, time: int | None = None, key: Any = None
) -> Record | None:
    """The record of one change; None where it is none, such as a transaction's mark.

    Where nothing is told of a row that is gone, its `key` says which it was.

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
    before = _known(value.get("before"))
    fields = before if change == "delete" else _known(value.get("after"))
    if change == "delete" and not fields and isinstance(key, dict):
        fields = _of_key(key)
    if told.get("ts_us"):
        time = int(told["ts_us"])
    elif told.get("ts_ms"):
        time = int(told["ts_ms"]) * 1000
    return Record(fields or {}, stream_of(told) or stream, place, change, time, before)


def stream_of(told: Mapping[str, Any]) -> str:
    """The table or collection that a change's source names."""
    table = told.get("table") or told.get("collection")
    schema = told.get("schema") or told.get("db")
    return f"{schema}.{table}" if table and schema else table or ""


def place_of(told: Mapping[str, Any], key: Any) -> str:
    """Where a change stands in the log, and which row it is of: the same whenever it is read.

    >>> place_of({"connector": "postgresql", "lsn": 22192688, "txId": 728, "ts_us": 1}, {"id": 1})
    'lsn=22192688,txId=728 id=1'
    """
    parts = [
        f"{name}={value}"
        for name, value in told.items()
        if value is not None and name not in _NO_PLACE
    ]
    return f"{','.join(parts)} {key_text(key)}"


def key_text(key: Any) -> str:
    """A row's key in short."""
    return ",".join(f"{name}={value}" for name, value in key.items()) if key else ""


def with_kinds(row: Any, kinds: Kinds) -> Any:
    """A row whose numbers, dates and documents are what they are, not how Debezium writes them.

    >>> with_kinds({"spent": "BOI=", "born": "1990-02-28Z"}, {
    ...     "spent": ("org.apache.kafka.connect.data.Decimal", 2), "born": ("io.debezium.time.IsoDate", 0)})
    {'spent': 12.5, 'born': '1990-02-28'}
    """
    if isinstance(row, dict):
        for name, (kind, scale) in kinds.items():
            value = row.get(name)
            if value is not None and value != _MISSING:
                row[name] = _with_kind(value, kind, scale)
    return row


def _with_kind(value: Any, kind: str, scale: int) -> Any:
    match kind.rpartition(".")[2]:
        case "Decimal" if isinstance(value, str):
            return _number(value, scale)
        case "VariableScaleDecimal" if isinstance(value, dict):
            return _number(value["value"], value["scale"])
        case "IsoDate" if isinstance(value, str):
            return value.removesuffix("Z")
        case "Json" if isinstance(value, str):
            return _json(value)
    return value


def _number(text: str, scale: int) -> Any:
    unscaled = int.from_bytes(base64.b64decode(text), signed=True)
    return plain(Decimal(unscaled).scaleb(-scale), _UTC)


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _known(row: Any) -> dict[str, Any] | None:
    """A row without the large values that were not sent because they did not change."""
    if isinstance(row, str):
        row = _document(_json(row))  # MongoDB's
    if not isinstance(row, dict):
        return None
    return {name: value for name, value in row.items() if value != _MISSING}


def _of_key(key: dict[str, Any]) -> dict[str, Any]:
    if key.keys() == {"schema", "payload"}:
        key = key["payload"]
    if key.keys() == {"id"} and isinstance(key["id"], str):  # MongoDB's, as JSON
        return {"_id": _document(_json(key["id"]))}
    return dict(key)


def _document(value: Any) -> Any:
    """MongoDB's values as plain JSON: what it writes as `{"$oid": …}` and the like.

    >>> _document({"_id": {"$oid": "6542"}, "n": {"$numberLong": "7"}, "tags": [{"$numberDecimal": "1.50"}]})
    {'_id': '6542', 'n': 7, 'tags': [1.5]}
    """
    if isinstance(value, list):
        return [_document(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, inner),) = value.items()
        match name:
            case "$oid" | "$symbol" | "$uuid":
                return inner
            case "$numberInt" | "$numberLong":
                return int(inner)
            case "$numberDouble" | "$numberDecimal":
                return plain(Decimal(inner), _UTC) if inner[-1:].isdigit() else inner
            case "$date":
                return _moment(inner)
            case "$binary" if isinstance(inner, dict):
                return base64.b64decode(inner["base64"]).hex()
    return {name: _document(inner) for name, inner in value.items()}


def _moment(value: Any) -> Any:
    if isinstance(value, dict) and "$numberLong" in value:
        value = int(value["$numberLong"])
    if not isinstance(value, int):
        return value
    seconds, millis = divmod(value, 1000)
    stamp = (datetime(1970, 1, 1) + timedelta(seconds=seconds)).isoformat()  # noqa: DTZ001 - UTC
    return f"{stamp}.{millis:03}Z" if millis else f"{stamp}Z"
