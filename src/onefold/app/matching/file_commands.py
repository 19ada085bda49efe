"""Files in, files out: standard columns, identifiers, one golden row for each group of rows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa

from onefold.app.matching.dedupe import golden_of
from onefold.app.people.files import memory_mb, path_faults, read_files, write_file
from onefold.app.people.services import identifiers_of
from onefold.app.people.tables import settled, standardize_table
from onefold.app.people.values import ValueReader
from onefold.engine.duck import DuckEngine
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.sql import quoted_sql
from onefold.standardize.people.roles import Layout

_ROWS_AT_ONCE = 20_000


class Given(msgspec.Struct, frozen=True):
    """A file of people: what its columns hold as far as it is told, and how its values are read."""

    file: Path
    columns: Mapping[str, str] = {}
    region: str | None = None
    date_order: str | None = None


class Made(msgspec.Struct, frozen=True):
    """How many rows were read and written, and what each column was taken to hold."""

    rows: int
    written: int
    columns: dict[str, str]


def standardize_file(given: Given, output: Path) -> Made:
    """Write each row of a file in standard columns, numbered from 1."""
    with (
        _opened(given, output) as (engine, layout),
        ValueReader.for_bytes(given.file.stat().st_size) as reader,
    ):
        rows = standardize_table(engine, "file_0", layout, reader=reader)
        query = "SELECT record_id + 1 AS row, * EXCLUDE (record_id) FROM people ORDER BY record_id"
        return Made(rows, write_file(engine, query, output), layout.columns)


def identifiers_of_file(given: Given, output: Path) -> Made:
    """Write the identifiers of all rows of a file, as events would have them."""
    with _opened(given, output) as (engine, layout):
        found: list[tuple[int, str, str, str]] = []
        rows = 0
        for record in _records(engine):
            rows += 1
            found += [
                (rows, one.kind, one.value, one.column) for one in identifiers_of(record, layout)
            ]
        columns = list(zip(*found, strict=True)) or [()] * 4
        types = (pa.int64(), pa.string(), pa.string(), pa.string())
        arrays = [pa.array(each, kind) for each, kind in zip(columns, types, strict=True)]
        engine.keep(
            "found", pa.table(dict(zip(("row", "kind", "value", "column"), arrays, strict=True)))
        )
        return Made(rows, write_file(engine, "SELECT * FROM found", output), layout.columns)


def _records(engine: DuckEngine) -> Iterator[dict[str, str | None]]:
    names = [str(row[0]) for row in engine.rows("columns", "DESCRIBE file_0", {})]
    for page in engine.pages("records", "SELECT * FROM file_0", (), _ROWS_AT_ONCE):
        for row in page:
            yield dict(zip(names, row, strict=True))


def merge_file(given: Given, by: str, output: Path) -> Made:
    """Write one golden row for all rows that have the same value in the column `by`."""
    ignored = {**given.columns, by: "ignore"}
    with _opened(msgspec.structs.replace(given, columns=ignored), output) as (engine, layout):
        key = quoted_sql(by)
        query = f"SELECT count(*), count(*) - count({key}) FROM file_0"
        (counts,) = engine.rows("rows", query, {})
        rows, without = (int(count) for count in counts)
        if without:
            fault = Fault(f"{without:,} rows have nothing in this column", by)
            raise InvalidInput("the rows cannot be merged", [fault])
        names = [header for header in layout.columns if header != by]
        own = "".join(f", {quoted_sql(header)} AS {quoted_sql(f'_{header}')}" for header in names)
        engine.keep("rows_of", f"SELECT {key} AS profile_id{own} FROM file_0")
        golden = golden_of(engine, {f"_{header}": layout.columns[header] for header in names})
        back = "".join(f", {quoted_sql(f'_{header}')} AS {quoted_sql(header)}" for header in names)
        query = f"SELECT profile_id AS {key}, row_count{back} FROM ({golden}) ORDER BY profile_id"
        return Made(rows, write_file(engine, query, output), layout.columns)


@contextmanager
def _opened(given: Given, output: Path) -> Iterator[tuple[DuckEngine, Layout]]:
    if not given.file.is_file():
        raise NotFound("a file is missing", [Fault("there is no such file", str(given.file))])
    if faults := path_faults([given.file], [output]):
        raise InvalidInput("this cannot be done", faults)
    with tempfile.TemporaryDirectory(prefix="onefold-") as spill:
        engine = DuckEngine(threads=os.cpu_count() or 1, memory_mb=memory_mb(), spill=Path(spill))
        try:
            layouts = read_files(
                engine, [given.file], given.columns, given.region, Path(spill), given.date_order
            )
            yield engine, settled(engine, "file_0", layouts[given.file])
        finally:
            engine.close()
