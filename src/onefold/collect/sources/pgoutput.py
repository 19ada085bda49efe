"""What a PostgreSQL server tells of its changes (logical replication, plugin pgoutput). No I/O.

The layout of the messages is in PostgreSQL's manual, "Logical Replication Message Formats".
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

EPOCH = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01 UTC."""

NULL, UNCHANGED = ord("n"), ord("u")
_QUOTED_OR_PLAIN = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,"{}]+)')
_relation_id = struct.Struct(">I").unpack_from
_length = struct.Struct(">I").unpack_from
_count = struct.Struct(">H").unpack_from
begin_of = struct.Struct(">QqI").unpack_from  # where it commits, when, transaction
commit_of = struct.Struct(">BQQq").unpack_from  # flags, where it commits, its end, when

Convert = Callable[[str], Any]


class Column(msgspec.Struct, frozen=True):
    """A column: what its text becomes, and whether it belongs to the key."""

    name: str
    convert: Convert
    key: bool


class Table(msgspec.Struct, frozen=True):
    """A table as the stream describes it, before the first change of each new shape.

    `key` is what tells its rows apart in the stream: mostly its primary key, then `is_primary`.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    is_primary: bool

    def place(self, fields: dict[str, Any]) -> str:
        """Where a row stands: the same as when the table is read; empty where that is not known."""
        if not self.is_primary:
            return ""
        return ",".join([f"{name}={fields.get(name)}" for name in self.key])


class Changed(msgspec.Struct, frozen=True):
    """One row's change: what it is now (of a deleted one: what it was), and what is told of before."""

    table: Table
    kind: str
    fields: dict[str, Any]
    before: dict[str, Any] | None


def _finite(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _numeric(text: str) -> float | int | str:
    """A number where one holds it exactly; else its text, so that no digit is lost."""
    if len(text) > 16:
        return text
    try:
        return float(text) if "." in text else int(text)
    except ValueError:  # NaN, Infinity
        return text


def _moment(text: str) -> str:
    text = text.replace(" ", "T", 1)
    return text[:-3] + "Z" if text.endswith("+00") else text


def _array(convert: Convert) -> Convert:
    def read(text: str) -> Any:
        inner = text[1:-1]
        if not text.startswith("{") or "{" in inner.partition('"')[0]:
            return text  # of several dimensions, or with bounds: kept as it is written
        values = []
        for found in _QUOTED_OR_PLAIN.finditer(inner):
            quoted, plain = found.groups()
            if plain is None:
                values.append(convert(re.sub(r"\\(.)", r"\1", quoted)))
            else:
                values.append(None if plain == "NULL" else convert(plain))
        return values

    return read


_SIMPLE: dict[int, Convert] = {
    16: "t".__eq__,
    20: int, 21: int, 23: int, 26: int,
    700: _finite, 701: _finite, 1700: _numeric,
    114: msgspec.json.decode, 3802: msgspec.json.decode,
    1114: _moment, 1184: _moment,
}  # fmt: skip
_ARRAYS = {
    1000: 16, 1005: 21, 1007: 23, 1016: 20, 1021: 700, 1022: 701, 1231: 1700, 1115: 1114, 1185: 1184,
    199: 114, 3807: 3802, 1009: 25, 1015: 1043, 1182: 1082, 2951: 2950,
}  # fmt: skip
CONVERTERS: Mapping[int, Convert] = {
    **_SIMPLE,
    **{array: _array(_SIMPLE.get(element, str)) for array, element in _ARRAYS.items()},
}
"""By number of the type; all others stay the text that PostgreSQL writes."""


def converter(type_id: int) -> Convert:
    """What turns the text of a value of this type into what JSON can say.

    >>> converter(1700)("12.50"), converter(1700)("123456789012345678.90")
    (12.5, '123456789012345678.90')
    >>> converter(1009)('{a,"b, \\\\"c\\\\"",NULL}')
    ['a', 'b, "c"', None]
    >>> converter(1184)("2026-11-22 10:00:00+00")
    '2026-11-22T10:00:00Z'
    """
    return CONVERTERS.get(type_id, str)


def lsn_text(lsn: int) -> str:
    """A place in the server's log as PostgreSQL writes it.

    >>> lsn_text(0x1_0000_00FF)
    '1/FF'
    """
    return f"{lsn >> 32:X}/{lsn & 0xFFFF_FFFF:X}"


def lsn_of(text: str) -> int:
    """The place in the server's log that is written so.

    >>> lsn_of("1/FF") == 0x1_0000_00FF
    True
    """
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


class Decoder:
    """Reads the messages of one connection; knows the tables that it was told of."""

    def __init__(self) -> None:
        self._tables: dict[int, Table] = {}

    def table(self, message: bytes) -> tuple[Table, Table | None]:
        """Learn a table's shape from its message; gives also what it was before."""
        (number,) = _relation_id(message, 1)
        schema_end = message.index(0, 5)
        name_end = message.index(0, schema_end + 1)
        name = f"{message[5:schema_end].decode()}.{message[schema_end + 1 : name_end].decode()}"
        identity = message[name_end + 1]
        (many,) = _count(message, name_end + 2)
        at, columns = name_end + 4, []
        for _ in range(many):
            end = message.index(0, at + 1)
            (type_id,) = _relation_id(message, end + 1)
            is_key = bool(message[at] & 1) and identity != ord("f")
            columns.append(Column(message[at + 1 : end].decode(), converter(type_id), is_key))
            at = end + 9
        before = self._tables.get(number)
        key = tuple(column.name for column in columns if column.key)
        table = self._tables[number] = Table(name, tuple(columns), key, identity == ord("d"))
        return table, before

    def change(self, message: bytes) -> Changed:
        """An inserted, updated or deleted row.

        A value that is stored apart and did not change is not sent: where the row before is not
        sent either, it is missing in `fields`.
        """
        table = self._tables[_relation_id(message, 1)[0]]
        kind, old_kind = message[0], message[5]
        if kind == ord("I"):
            return Changed(table, "insert", self._row(message, 6, table)[0], None)
        before: dict[str, Any] | None = None
        at = 6
        if old_kind in b"KO":
            before, at = self._row(message, 6, table)
            at += 1
            if old_kind == ord("K"):
                before = {name: before[name] for name in table.key}
        if kind == ord("D"):
            return Changed(table, "delete", before or {}, before)
        fields, _ = self._row(message, at, table)
        if before and len(fields) < len(table.columns):
            fields = {
                column.name: fields[column.name] if column.name in fields else before[column.name]
                for column in table.columns
                if column.name in fields or column.name in before
            }
        return Changed(table, "update", fields, before)

    def emptied(self, message: bytes) -> list[Table]:
        """The tables that a TRUNCATE emptied."""
        (many,) = _length(message, 1)
        numbers = [_relation_id(message, 6 + 4 * n)[0] for n in range(many)]
        return [self._tables[number] for number in numbers]

    @staticmethod
    def _row(message: bytes, at: int, table: Table) -> tuple[dict[str, Any], int]:
        fields: dict[str, Any] = {}
        at += 2
        for column in table.columns:
            kind = message[at]
            if kind == NULL:
                fields[column.name] = None
                at += 1
            elif kind == UNCHANGED:
                at += 1
            else:
                start = at + 5
                at = start + _length(message, at + 1)[0]
                fields[column.name] = column.convert(message[start:at].decode())
        return fields, at
