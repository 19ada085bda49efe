"""Parquet and Avro: records with types, a group of rows at a time."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from onefold.collect.sources.files.plain import plain, with_children
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Batch, Position, Record, Unreadable

_ROWS = 5_000
_BROKEN_AVRO = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, EOFError, OSError, RecursionError,
    MemoryError, zlib.error, lzma.LZMAError, struct.error,
)  # fmt: skip
"""What is raised where bytes are none of the schema's values, or are packed otherwise than they say."""


class ParquetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a Parquet file is read: which `columns`, all without; lists that become records (`children`)."""

    columns: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


class AvroSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an Avro file is read: lists that become records of their own (`children`)."""

    children: tuple[str, ...] = ()


def read_parquet(
    file: Path, settings: ParquetSettings, position: Position | None
) -> Iterator[Batch]:
    """The rows of a Parquet file."""
    import pyarrow as pa  # noqa: PLC0415 - 40 MB, needed only for such files
    import pyarrow.parquet as pq  # noqa: PLC0415

    start = position or {"group": 0, "row": 0}
    try:
        with pq.ParquetFile(file, memory_map=False) as table:
            total = table.metadata.num_rows
            first = sum(table.metadata.row_group(one).num_rows for one in range(start["group"]))
            for group in range(start["group"], table.num_row_groups):
                done = 0
                columns = list(settings.columns) or None
                for rows in table.iter_batches(_ROWS, row_groups=[group], columns=columns):
                    if group == start["group"] and done < start["row"]:
                        done += len(rows)
                        continue
                    records = _records(rows.to_pylist(), file, first + done, settings.children)
                    done += len(rows)
                    yield Batch(records, {"group": group, "row": done}, total=total)
                first += done
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"{file} cannot be read", [Fault(str(error), file.name)]) from error


def _records(rows: Iterable[Any], file: Path, before: int, children: Sequence[str]) -> list[Record]:
    records: list[Record] = []
    for number, row in enumerate(rows, before + 1):
        record = Record(plain(row), file.name, f"row {number}")
        records.extend(with_children(record, children))
    return records


def read_avro(file: Path, settings: AvroSettings, position: Position | None) -> Iterator[Batch]:
    """The records of an Avro file, block by block."""
    import fastavro  # noqa: PLC0415 - needed only for such files
    from fastavro.schema import SchemaParseException  # noqa: PLC0415

    start = position or {"block": 0, "row": 0}
    number = start["row"]
    done = 0
    with file.open("rb") as source:
        try:
            for done, block in enumerate(fastavro.block_reader(source), 1):
                if done <= start["block"]:
                    continue
                found = _records(block, file, number, settings.children)
                number += block.num_records
                yield Batch(found, {"block": done, "row": number})
        except (*_BROKEN_AVRO, SchemaParseException) as error:
            reason = f"the file ends here, as it is broken: {error}"
            if not done:
                raise InvalidInput(f"{file} cannot be read", [Fault(reason, file.name)]) from error
            lost = Unreadable(b"", file.name, f"block {done + 1}", (reason,))
            yield Batch([], {"block": done, "row": number}, (lost,))
