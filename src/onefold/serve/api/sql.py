"""SQL over the lake."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pyarrow as pa
from litestar import Response, post
from litestar.params import RawBody

from onefold.app.query import Table, sql_arrow
from onefold.config import Settings
from onefold.serve.api.doors import FromContext, read, requires

Format = Literal["json", "csv", "arrow"]
_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
}


_BYTES = {"type": "string", "format": "binary"}
_ANSWERS = {
    "application/json": Table,
    "text/csv": _BYTES,
    "application/vnd.apache.arrow.stream": _BYTES,
}


class Query(msgspec.Struct, forbid_unknown_fields=True):
    """One SELECT, the form of its answer, and the most rows wanted."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
    format: Format = "json"
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None


@post(
    "/api/sql",
    summary="Ask the lake",
    status_code=200,
    tags=["sql"],
    guards=[requires("analyst")],
    opt={"body": Query, "answers": _ANSWERS},
)
async def sql(context: FromContext, body: RawBody) -> Response[bytes]:
    """One SELECT over `events`, `profiles`, `identifiers`, `memberships`, `links`, `changes`.

    DuckDB's dialect; read only, with limits of time, memory and rows. Of CSV and Arrow the header
    `x-onefold-truncated` says whether there were more rows. Times are ISO 8601, UTC.
    """
    wanted = read(body, Query)
    found, truncated = await context.sql.run(answer, context.settings, wanted)
    headers = {"x-onefold-truncated": str(truncated).lower()}
    return Response(found, media_type=_TYPES[wanted.format], headers=headers)


def answer(settings: Settings, wanted: Query) -> tuple[bytes, bool]:
    """The encoded rows of a query, and whether there were more."""
    table, truncated = sql_arrow(settings, wanted.query, wanted.limit)
    if wanted.format == "arrow":
        return _arrow(table), truncated
    if wanted.format == "csv":
        return _csv(table), truncated
    rows = _rows(table)
    return _encode(Table(tuple(table.column_names), rows, truncated)), truncated


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
