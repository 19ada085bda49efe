"""Between rows of the catalogue's tables and Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def to_table(table: str, columns: Sequence[Sequence[Any]]) -> pa.Table:
    """A table from one sequence of values per column, in the catalogue's order."""
    schema = arrow_schema(table)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


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
