"""Files of people, read and written: CSV in the usual encodings, Parquet; what their columns hold."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import phonenumbers

from onefold.app.people.columns import columns_of
from onefold.collect.sources.files.encodings import PIECE, encoding_of
from onefold.engine.duck import DuckEngine
from onefold.model.errors import Damaged, Fault, InvalidInput
from onefold.model.sql import literal_sql, quoted_sql
from onefold.standardize.people.recognition import SAMPLE
from onefold.standardize.people.roles import Layout

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
_WRITTEN = (".csv", ".parquet")
_SHOWN = 5

_VALUES = {
    "a mail address": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "a telephone number": re.compile(r"\+(?:[ ()./-]*\d){8,15}"),
}
"""What is no header; a date may be one."""


def memory_mb() -> int:
    """Half of what the machine has, in MB."""
    return max(1024, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (2 << 20))


def path_faults(read: Sequence[Path], written: Sequence[Path]) -> list[Fault]:
    """What keeps files from being read or written, by their names."""
    faults = [
        Fault(f"is none of {', '.join(suffixes)}", str(path))
        for paths, suffixes in ((read, SUFFIXES), (written, _WRITTEN))
        for path in paths
        if path.suffix.lower() not in suffixes
    ]
    return faults + write_faults(read, written)


def write_faults(read: Sequence[Path], written: Sequence[Path]) -> list[Fault]:
    """What keeps files from being written."""
    faults, taken = [], {file.resolve() for file in read}
    for path in written:
        if path.resolve() in taken:
            faults.append(
                Fault("a file that is read, or written already, cannot be written", str(path))
            )
        elif not path.parent.is_dir():
            faults.append(Fault("there is no such directory", str(path.parent)))
        taken.add(path.resolve())
    return faults


def read_files(
    engine: DuckEngine,
    files: Sequence[Path],
    columns: Mapping[str, str],
    region: str | None,
    spill: Path,
    date_order: str | None = None,
) -> dict[Path, Layout]:
    """Make the tables `file_0` … of files, and say what their columns hold; every fault of all.

    `columns` has what is told, by `HEADER` or `FILE:HEADER`.
    """
    faults: list[Fault] = []
    seen: dict[Path, dict[str, list[Any]]] = {}
    for place, file in enumerate(files):
        try:
            read_file(engine, file, f"file_{place}", spill)
        except InvalidInput as error:
            faults += error.faults or (Fault(error.message, str(file)),)
            continue
        sample = engine.arrow("sample", f"SELECT * FROM file_{place} LIMIT {SAMPLE}")
        seen[file] = sample.to_pydict()
    known = {
        name
        for file, of in seen.items()
        for header in of
        for name in (header, f"{file.stem}:{header}")
    }
    if len(seen) == len(files):
        faults += [
            Fault("no file has this column", header, "write HEADER=ROLE as the header is written")
            for header in columns
            if header not in known
        ]
    if region is not None and region.upper() not in phonenumbers.SUPPORTED_REGIONS:
        faults.append(Fault(f"{region!r} is no country", "region", "two letters, such as US"))
    found: dict[Path, Layout] = {}
    for file, values in seen.items():
        told = {
            header: role
            for header in values
            if (role := columns.get(f"{file.stem}:{header}", columns.get(header)))
        }
        roles, wrong = columns_of(values, told)
        faults += [
            Fault(one.message, f"{file.name}: {one.where.removeprefix('columns.')}", one.hint)
            for one in wrong
        ]
        if all(role in ("ignore", "source") for role in roles.values()):
            hint = "the first row names the columns; say what they hold: --column HEADER=ROLE"
            faults.append(Fault("no column says who a row is about", file.name, hint))
        found[file] = Layout(roles, region=region and region.upper(), date_order=date_order)
    if faults:
        raise InvalidInput("the files cannot be used", faults)
    return found


def read_file(engine: DuckEngine, file: Path, table: str, spill: Path) -> None:
    """Make a table of a file."""
    if file.suffix.lower() == ".parquet":
        _keep(engine, file, table, f"read_parquet({_text(file)})")
        return
    written = _in_utf8(file, spill / f"{table}.csv")
    if not _says_something(written):
        raise InvalidInput(f"{file} is empty", [Fault("is empty", file.name)])
    (sniffed,) = _rows(
        engine,
        file,
        f"SELECT Delimiter FROM sniff_csv({_text(written)}, all_varchar = true, null_padding = true)",
    )
    headers = _headers(written, str(sniffed[0]))
    faults = [
        Fault("two columns have this header", f"{file.name}: {header}", "name each column")
        for header in sorted({one for one in headers if one and headers.count(one) > 1})
    ]
    faults += [
        Fault(
            f"column {place} of the first row is {what}, not a header",
            file.name,
            "the first row of a file names its columns",
        )
        for place, header in enumerate(headers, start=1)
        for what, value in _VALUES.items()
        if value.fullmatch(header)
    ]
    if faults:
        raise InvalidInput(f"{file} cannot be read", faults)
    options = f"header = true, all_varchar = true, null_padding = true, delim = {literal_sql(str(sniffed[0]))}"
    _keep(engine, file, table, f"read_csv({_text(written)}, {options})")
    described = _names(engine, table)
    if len(described) > len(headers):
        more = " OR ".join(f"{quoted_sql(name)} IS NOT NULL" for name in described[len(headers) :])
        rows = engine.rows(
            "ragged",
            "SELECT n FROM (SELECT row_number() OVER () AS n, * FROM"
            f" {table}) WHERE {more} ORDER BY n LIMIT {_SHOWN}",
            {},
        )
        raise InvalidInput(
            f"{file} cannot be read",
            [
                Fault(
                    f"row {row[0]:,} has more values than there are columns ({len(headers)})",
                    file.name,
                    "put texts that contain the delimiter into quotes",
                )
                for row in rows
            ],
        )


def _says_something(file: Path) -> bool:
    with file.open(encoding="utf-8-sig") as lines:
        return any(line.strip() for line in lines)


def _keep(engine: DuckEngine, file: Path, table: str, source: str) -> None:
    try:
        count = engine.keep(table, f"SELECT * FROM {source}")
    except Damaged as error:
        raise _unreadable(file, error) from error
    if not count:
        raise InvalidInput(f"{file} has no rows", [Fault("has no rows", file.name)])
    # Its name would end there wherever the column is handed on.
    faults = [
        Fault("a column's name holds the character U+0000", f"{file.name}: {name!r}", "rename it")
        for name in _names(engine, table)
        if "\0" in name
    ]
    if faults:
        raise InvalidInput(f"{file} cannot be read", faults)


def _names(engine: DuckEngine, table: str) -> list[str]:
    return [str(row[0]) for row in engine.rows("columns", f"DESCRIBE {table}", {})]


def _rows(engine: DuckEngine, file: Path, query: str) -> list[tuple[Any, ...]]:
    try:
        return engine.rows("file", query, {})
    except Damaged as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Damaged) -> InvalidInput:
    reason = str(error).split("\n", 1)[0].partition(": ")[2]
    return InvalidInput(f"{file} cannot be read", [Fault(reason, file.name)])


def _headers(file: Path, delimiter: str) -> list[str]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [one.strip() for one in next(csv.reader(lines, delimiter=delimiter or ","), [])]


def _in_utf8(file: Path, copy: Path) -> Path:
    """The file itself where it is UTF-8, else a copy that is."""
    encoding = encoding_of(file)
    if encoding == "utf-8":
        return file
    with (
        file.open(encoding=encoding, errors="replace", newline="") as old,
        copy.open("w", encoding="utf-8", newline="") as new,
    ):
        while piece := old.read(PIECE):
            new.write(piece)
    return copy


def write_file(engine: DuckEngine, query: str, path: Path) -> int:
    """Write the rows of a query; count them. Lists in CSV are joined by `; `."""
    if path.suffix.lower() == ".parquet":
        return engine.write(query, path, 122_880, level=1)
    found = engine.arrow("write", query)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(found.column_names)
        for batch in found.to_batches(max_chunksize=65_536):
            columns = [
                [";".join(each) if isinstance(each, list) else each for each in column.to_pylist()]
                if str(column.type).startswith("list")
                else column.to_pylist()
                for column in batch.columns
            ]
            writer.writerows(zip(*columns, strict=True))
    return int(found.num_rows)


def _text(path: Path) -> str:
    return literal_sql(str(path))
