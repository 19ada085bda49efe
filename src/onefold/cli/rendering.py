"""How results look on a terminal: tables, times, and text that cannot play tricks on it."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from onefold.model.errors import OnefoldError

_TIMES = ("_at", "since", "time", "first_seen", "last_seen", "as_of", "next_refresh")
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_WIDE_ENOUGH = 100_000


def say(text: str) -> None:
    """A line on stdout."""
    sys.stdout.write(printable(text) + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def write_json(document: Any) -> None:
    """Exactly one JSON document on stdout."""
    text = msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2)
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.buffer.flush()


def fail(error: OnefoldError, as_json: bool) -> None:
    """Say what is wrong, with every fault, in the form that was asked for."""
    if as_json:
        faults = [msgspec.to_builtins(fault) for fault in error.faults]
        write_json({"code": error.code, "message": error.message, "faults": faults})
    else:
        complain(str(error))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], out: TextIO | None = None) -> None:
    """Rows below their column names, on stdout or `out`; times readable, everything printable."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = out or sys.stdout
    terminal = out.isatty()
    console = Console(width=None if terminal else _WIDE_ENOUGH, highlight=False)
    look = Table(box=box.SIMPLE_HEAD if terminal else None, show_edge=False, pad_edge=False)
    for column in columns:
        look.add_column(column, overflow="fold")
    for row in rows:
        cells = (cell(value, column) for column, value in zip(columns, row, strict=True))
        look.add_row(*(Text(text) for text in cells))
    with console.capture() as written:
        console.print(look)
    for line in written.get().splitlines():
        out.write(line.rstrip() + "\n")


def structs(found: Sequence[msgspec.Struct], empty: str) -> None:
    """A table of records of one kind; `empty` is said where there is none."""
    if not found:
        say(empty)
        return
    columns = found[0].__struct_fields__
    table(columns, [[getattr(one, name) for name in columns] for one in found])


def fields(record: Any, indent: str = "", kind: str = "") -> None:
    """One record as `name  value` lines; records inside it are indented.

    Values that are times under names of their own are told by `kind`, the name of all of them.
    """
    values = msgspec.to_builtins(record)
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        if isinstance(value, dict) and value:
            say(f"{indent}{name}")
            fields(value, indent + "  ", name if name.endswith(_TIMES) else "")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            say(f"{indent}{name}")
            _columns(value, indent + "  ")
        else:
            shown = "none" if value in ({}, [], ()) else cell(value, kind or name)
            say(f"{indent}{name.ljust(width)}  {shown}".rstrip())


def _columns(records: Sequence[dict[str, Any]], indent: str) -> None:
    """Records of one kind below their names, one a line."""
    lines = [list(records[0])]
    lines += [[cell(value, key) for key, value in one.items()] for one in records]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        say(f"{indent}{padded}".rstrip())


def cell(value: Any, name: str = "") -> str:
    """One value as text; `name` tells which integers are times."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and (name == "at" or name.endswith(_TIMES)) and value > 10**12:
        return moment(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return printable("; ".join(value))
    if isinstance(value, list | tuple | dict | msgspec.Struct):
        return printable(json.dumps(msgspec.to_builtins(value), ensure_ascii=False, default=str))
    return printable(str(value))


def moment(microseconds: int) -> str:
    """A time as people read it, in UTC.

    >>> moment(1_700_000_000_000_000)
    '2023-11-14 22:13:20Z'
    """
    try:
        then = datetime.fromtimestamp(microseconds / 1e6, UTC)
    except (OverflowError, ValueError, OSError):
        return str(microseconds)
    return then.strftime("%Y-%m-%d %H:%M:%SZ")


def printable(text: str) -> str:
    r"""Text whose control and direction characters are written out, as events may hold any.

    >>> printable("a" + chr(27) + "[2J" + chr(0x202E))
    'a\\x1b[2J\\u202e'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        one
        if one in "\n\t" or unicodedata.category(one) not in _UNSAFE
        else one.encode("ascii", "backslashreplace").decode()
        if ord(one) > 127
        else f"\\x{ord(one):02x}"
        for one in text
    )
