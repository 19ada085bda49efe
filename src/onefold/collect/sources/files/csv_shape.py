"""How a CSV file is read, and what is found out about it: encoding, delimiter, names of columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec

from onefold.collect.sources.files.encodings import encoding_in
from onefold.collect.sources.files.layout import (
    ABOVE,
    SAMPLE_ROWS,
    Dialect,
    delimiter_of,
    header_of,
    named,
    no_line,
    rows_of,
)
from onefold.collect.sources.files.lines import is_broken, lines, raw
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Unreadable


class CsvSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a CSV file is read; what is not said is found out.

    `quote` encloses values (empty: nothing does), `escape` stands before a quote within them. `header` is
    the line that names the columns, 0 if none does; then `columns` may. `short_rows` says whether rows
    with fewer values than columns are taken, the rest being empty.
    """

    encoding: str = ""
    delimiter: str = ""
    quote: str = '"'
    escape: str = ""
    header: Annotated[int, msgspec.Meta(ge=0)] | None = None
    columns: tuple[str, ...] = ()
    short_rows: Literal["reject", "take"] = "reject"

    def __post_init__(self) -> None:
        for name in ("delimiter", "quote", "escape"):
            said = getattr(self, name)
            if len(_SAID.get(said.lower(), said)) > 1:
                raise ValueError(f"{name} is one character, or `tab`, and not {said!r}")

    def dialect(self, sample: Sequence[str]) -> Dialect:
        """What divides values and encloses them; found out from some lines where it is not said."""
        quote, escape = self.quote, self.escape
        said = _SAID.get(self.delimiter.lower(), self.delimiter)
        return Dialect(said or delimiter_of(sample, quote, escape), quote, escape)


_SAID = {"\\t": "\t", "tab": "\t"}


class Shape(NamedTuple):
    """What was found out about a file; `above` are the lines before the first row of data."""

    encoding: str
    dialect: Dialect
    columns: list[str]
    above: int
    unsure: tuple[Unreadable, ...] = ()
    """Rows above the names of the columns that may be records all the same."""

    def __str__(self) -> str:
        named = f"columns named in line {self.above}" if self.above else "no line names the columns"
        return f"{self.encoding}, divided by {self.dialect.delimiter!r}, {named}"


def shape_of(file: Path, settings: CsvSettings) -> Shape:
    """Encoding, delimiter and header of a file."""
    encoding = encoding_in(file, settings.encoding)
    first = [text for _, text in islice(lines(file, encoding), SAMPLE_ROWS)]
    dialect = settings.dialect(first)
    rows, ends = [], []
    for row, end in rows_of(first, dialect):
        rows.append(row)
        ends.append(end)
    names: Sequence[str]
    if settings.header == 0:
        names = settings.columns or [""] * max(map(len, rows), default=0)
        return Shape(encoding, dialect, named(names, file.name), 0)
    above: tuple[int, ...] = ()
    if settings.header is None:
        at, above = header_of(rows)
    else:
        at = next((one for one, end in enumerate(ends) if end >= settings.header), -1)
        if at < 0:
            raise no_line(file, settings.header, len(first))
    names = settings.columns or _without_empty_end(rows[at] if rows else [])
    if any(map(is_broken, names)):
        fault = Fault(f"are not written in {encoding}", "the names of columns", "say `encoding`")
        raise InvalidInput(f"{file} cannot be read", [fault])
    unsure = tuple(
        Unreadable(raw(first[ends[one] - 1], encoding), file.name, f"line {ends[one]}", (ABOVE,))
        for one in above
    )
    return Shape(encoding, dialect, named(names, file.name), ends[at] if ends else 0, unsure)


def _without_empty_end(row: Sequence[str]) -> list[str]:
    found = list(row)
    while found and not found[-1].strip():
        found.pop()
    return found
