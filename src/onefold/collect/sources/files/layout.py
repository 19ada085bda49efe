"""What a table in a text or a sheet looks like: its delimiter, its title rows, its header."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from onefold.model.errors import Fault, InvalidInput

DELIMITERS = (",", ";", "\t", "|", "\x1f", "^", "~")
SAMPLE_ROWS = 200
_LONGEST_NAME = 4_096
"""Of a column: each record holds it."""
LARGEST = 8 << 20
"""A cell holds no more characters."""
_NUMBER = re.compile(r"[-+]?[\d.,\s]*\d[\d.,\s%]*")
_TOTAL = re.compile(
    r"\s*((grand |sub)?totals?|sum|count|(zwischen|gesamt)?summe|gesamt|insgesamt|anzahl|suma|totaux|totale|"
    r"合计|总计|小计|共计|总数|合計|總計|小計|共計|総計|計)"
    r"[\s:：=]*([-+]?[\d.,\s%]*[条個个人名行件]?)",
    re.IGNORECASE,
)
IS_TOTAL = "is a total of the rows, not a record"


class Dialect(NamedTuple):
    """What divides the values of a row, encloses one, and stands before a quote within it; empty: nothing."""

    delimiter: str
    quote: str
    escape: str = ""

    def reader(self, lines: Iterable[str], *, strict: bool = False) -> Iterator[list[str]]:
        """The rows of lines."""
        csv.field_size_limit(LARGEST)
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape or None,
            doublequote=not self.escape,
            strict=strict,
        )


def rows_of(lines: Sequence[str], dialect: Dialect) -> Iterator[tuple[list[str], int]]:
    """The rows of a sample with how many lines were read; a line that is none is passed over."""
    feed, left = iter(lines), len(lines)

    def counted() -> Iterator[str]:
        nonlocal left
        for line in feed:
            left -= 1
            yield line

    while left:
        with suppress(csv.Error):
            for row in dialect.reader(counted()):
                yield row, len(lines) - left


def delimiter_of(lines: Sequence[str], quote: str, escape: str = "") -> str:
    """The character that divides most rows into the same number of values."""
    best, found = (0.0, 0), ","
    for one in DELIMITERS:
        widths = [len(row) for row, _ in rows_of(lines, Dialect(one, quote, escape)) if row]
        several = Counter(width for width in widths if width > 1)
        if not several:
            continue
        width, count = max(several.items(), key=lambda each: (each[1], each[0]))
        score = (round(count / len(widths), 1), width)
        if score > best:
            best, found = score, one
    return found


class Header(NamedTuple):
    """Which row names the columns, and rows above it that are as wide as the table and so may be records."""

    at: int
    above: tuple[int, ...] = ()


def header_of(rows: Sequence[Sequence[object]]) -> Header:
    """Which row names the columns: the first that is about as wide as most, and holds only texts.

    Above it stand titles, which are narrower, and at most one row of groups of columns.

    >>> header_of([["Customers 2024"], [], ["id", "name"], ["1", "Ann"], ["2", "Bob"]])
    Header(at=2, above=())
    """
    wide = Counter(width for row in rows if (width := _filled(row)) > 1)
    if not wide:
        return Header(next((at for at, row in enumerate(rows) if _filled(row)), 0))
    usual = max(wide.items(), key=lambda each: (each[1], each[0]))[0]
    some = [at for at, row in enumerate(rows) if _filled(row)]
    full = next(at for at in some if _filled(rows[at]) >= usual)
    narrow = [at for at in some if at < full and 2 * _filled(rows[at]) >= usual > 1]
    narrow = [at for at in narrow if _filled(rows[at]) > 1 and _are_names(rows[at])]
    below, then = ([at for at in some if at > full] + [-1, -1])[:2]
    ends_names = then < 0 or not _are_names(rows[then])
    if _are_names(rows[full]):
        is_header = not narrow or below < 0 or not _are_names(rows[below])
        return Header(full if is_header else narrow[-1])
    if below >= 0 and _filled(rows[below]) >= usual and _are_names(rows[below]) and ends_names:
        return Header(below, (full,))
    return Header(narrow[-1] if narrow else full)


ABOVE = "stands above the row that names the columns; if that is another one, say `header`"


def no_line(file: Path, header: int, there: int) -> InvalidInput:
    """That the line which is said to name the columns is not there."""
    of = f"the first {there:,} lines are looked at" if there >= SAMPLE_ROWS else f"it has {there:,}"
    return InvalidInput(
        f"{file} cannot be read", [Fault("there is no such line", f"header: {header}", of)]
    )


def _are_names(row: Sequence[object]) -> bool:
    """Are these names of columns: texts that are no numbers and no addresses, and mostly different?"""
    texts = [one for one in row if one not in ("", None)]
    return 2 * len(set(map(str, texts))) > len(texts) and all(
        isinstance(one, str) and "@" not in one and not _NUMBER.fullmatch(one.strip())
        for one in texts
    )


def is_total(row: Sequence[object]) -> bool:
    """Does a row say what others come to: a word for that, and else numbers and nothing?

    >>> is_total(["合计", "", "", 1250]), is_total(["", "Total: 7", ""]), is_total(["Total", "Ann", ""])
    (True, True, False)
    """
    if row[0] not in ("", None) and not _TOTAL.match(str(row[0])):
        return False  # nearly all rows: they need not be looked at whole
    told = [str(one).strip() for one in row if one not in ("", None)]
    if not 0 < len(told) < len(row) or not _TOTAL.fullmatch(told[0]):
        return False
    return all(_NUMBER.fullmatch(one) for one in told[1:])


def named(cells: Sequence[object], where: str) -> list[str]:
    """The names of columns: those without one by their place, repeated ones with a number.

    >>> named(["id", "", "id "], "x")
    ['id', 'column_2', 'id_2']
    """
    found: list[str] = []
    taken: Counter[str] = Counter()
    for place, cell in enumerate(cells, 1):
        name = " ".join(str("" if cell is None else cell).split()) or f"column_{place}"
        if "\0" in name:
            fault = Fault("a column's name holds the character U+0000", f"{where}: {name!r}")
            raise InvalidInput(f"{where} cannot be read", [fault])
        if len(name) > _LONGEST_NAME:
            fault = Fault(
                f"a column's name has more than {_LONGEST_NAME:,} characters",
                f"{where}: column {place}, {name[:40]!r} …",
                "say which row names the columns: header=N, or header=0 if none does",
            )
            raise InvalidInput(f"{where} cannot be read", [fault])
        taken[name] += 1
        found.append(name if taken[name] == 1 else f"{name}_{taken[name]}")
    if not found:
        raise InvalidInput(f"{where} cannot be read", [Fault("has no rows", where)])
    return found


def _filled(row: Sequence[object]) -> int:
    return sum(one not in ("", None) for one in row)
