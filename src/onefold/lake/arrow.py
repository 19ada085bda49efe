"""Between rows of the catalogue's tables and Arrow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from onefold.model.catalogue import TABLES

_TYPES = {
    "int": pa.int64(),
    "text": pa.string(),
    "time": pa.timestamp("us", tz="UTC"),
    "bytes": pa.binary(),
    "bool": pa.bool_(),
}
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


@cache
def arrow_schema(table: str) -> pa.Schema:
    """The Arrow schema of a table of the catalogue."""
    return pa.schema([(column.name, _TYPES[column.type]) for column in TABLES[table].columns])


def to_table(
    table: str, columns: Iterable[Sequence[Any]], later: Collection[str] = ("batch",)
) -> pa.Table:
    """A table from one sequence of values per column, in the catalogue's order.

    Those that are known only `later` are left out; `complete` puts them in.
    """
    fields = _fields(table, later)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, fields, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def empty_table(table: str, later: Collection[str] = ("batch",)) -> pa.Table:
    """No rows, as from `to_table`."""
    return pa.schema(_fields(table, later)).empty_table()


def complete(table: str, rows: pa.Table, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """The rows with the columns that `to_table` left out."""
    for name, values in columns.items():
        field = arrow_schema(table).field(name)
        rows = rows.append_column(field, pa.array(values, field.type))
    return rows.select(arrow_schema(table).names)


def _fields(table: str, later: Collection[str]) -> list[pa.Field]:
    return [field for field in arrow_schema(table) if field.name not in later]


def to_ipc(table: pa.Table) -> bytes:
    """An Arrow IPC stream, compressed."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def from_ipc(table: str, streams: Iterable[bytes]) -> pa.Table:
    """The rows of several streams of one table; columns that are younger than a row are null."""
    schema = arrow_schema(table)
    read = [pa.ipc.open_stream(data).read_all() for data in streams]
    parts = [schema.empty_table(), *read]
    return pa.concat_tables(parts, promote_options="default").select(schema.names)
