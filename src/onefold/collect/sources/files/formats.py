"""Every format of files: how it is told, its settings, and what reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from onefold.collect.sources.files import (
    columnar,
    csv_shape,
    delimited,
    excel,
    fixed,
    json_text,
    xml_text,
)
from onefold.model.conversion import converted
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Batch, Position

Read = Callable[[Path, Any, Position | None], Iterator[Batch]]


class Format(NamedTuple):
    """A format: how its files' names end, its settings, and its reader."""

    suffixes: tuple[str, ...]
    settings: type[msgspec.Struct]
    read: Read


FORMATS: Mapping[str, Format] = {
    "csv": Format((".csv", ".tsv", ".txt", ".tab"), csv_shape.CsvSettings, delimited.read),
    "fixed": Format((".fwf", ".prn"), fixed.FixedSettings, fixed.read),
    "excel": Format((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), excel.ExcelSettings, excel.read),
    "json": Format(
        (".json", ".ndjson", ".jsonl", ".geojson"), json_text.JsonSettings, json_text.read
    ),
    "xml": Format((".xml",), xml_text.XmlSettings, xml_text.read),
    "parquet": Format((".parquet", ".pq"), columnar.ParquetSettings, columnar.read_parquet),
    "avro": Format((".avro",), columnar.AvroSettings, columnar.read_avro),
}
_STARTS = (
    (b"PAR1", "parquet"),
    (b"Obj\x01", "avro"),
    (b"\xd0\xcf\x11\xe0", "excel"),
    (b"PK\x03\x04", "excel"),
    (b"<?xml", "xml"),
    (b"{", "json"),
    (b"[", "json"),
)


def format_of(file: Path) -> str:
    """The format of a file: by the end of its name, else by how it begins."""
    suffix = file.suffix.lower()
    for name, one in FORMATS.items():
        if suffix in one.suffixes:
            return name
    with file.open("rb") as source:
        start = source.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((name for mark, name in _STARTS if start.startswith(mark)), "csv")


def settings_of(name: str, given: Mapping[str, Any]) -> msgspec.Struct:
    """The settings of a format, from what is written of them."""
    if name not in FORMATS:
        fault = Fault("is no format of files", name, f"there are {', '.join(FORMATS)}")
        raise InvalidInput("the file cannot be read", [fault])
    kind = FORMATS[name].settings
    meant = {one.encode_name: one.type for one in msgspec.structs.fields(kind)}
    said = {key: _as_meant(value, meant.get(key)) for key, value in given.items()}
    return converted(said, kind, f"what is said of a file ({name})", "settings")


def _as_meant(value: Any, kind: Any) -> Any:
    """What somebody typed as it is meant: `850` for an encoding is a text, `id,name` for columns a list."""
    if kind is str and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if get_origin(kind) is tuple and isinstance(value, str):
        some = [one.strip() for one in value.split(",")]
        is_text = get_args(kind)[0] is str
        return some if is_text else [int(one) if one.isdecimal() else one for one in some]
    return value


def found_out(file: Path, name: str, settings: Any) -> str:
    """How a file is written, in words; empty for formats that leave nothing to find out."""
    return str(csv_shape.shape_of(file, settings)) if name == "csv" else ""


def read_file(
    file: Path, name: str, settings: msgspec.Struct, position: Position | None
) -> Iterator[Batch]:
    """All records of a file behind a position."""
    if not file.exists():
        raise InvalidInput(f"there is no file {file}", [Fault("does not exist", str(file))])
    return FORMATS[name].read(file, settings, position)
