"""Rows of a query as JSON, CSV or Arrow."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from onefold.app.answers import Format, Table


def encoded(table: pa.Table, truncated: bool, form: Format) -> bytes:
    """The rows of a query."""
    if form == "arrow":
        return _arrow(table)
    if form == "csv":
        return _csv(table)
    rows = _rows(table)
    return _encode(Table(tuple(table.column_names), rows, truncated))


def _rows(table: pa.Table) -> list[tuple[Any, ...]]:
    if not table.num_columns:
        return []
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _arrow(table: pa.Table) -> bytes:
    """Uncompressed, because not every reader of Arrow can decompress."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _csv(table: pa.Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in _rows(table):
        writer.writerow([_plain(value) for value in row])
    return text.getvalue().encode()


def _plain(value: Any) -> Any:
    """A value as it stands in a CSV file: times as ISO, all that is nested as JSON."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str | int | float | Decimal):
        return value
    text = _encode(value).decode()
    simple = isinstance(value, datetime | date | time | bytes) or text.startswith('"')
    return text.strip('"') if simple else text


_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
