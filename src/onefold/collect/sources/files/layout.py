"""What a table in a text or a sheet looks like: its delimiter, its title rows, its header."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence

from onefold.model.errors import Fault, InvalidInput

DELIMITERS = (",", ";", "\t", "|", "\x1f", "^", "~")
SAMPLE_ROWS = 200
_NUMBER = re.compile(r"[-+]?[\d.,\s]*\d[\d.,\s%]*")
_TOTAL = re.compile(
    r"\s*((grand |sub)?totals?|sum|count|(zwischen|gesamt)?summe|gesamt|insgesamt|anzahl|suma|totaux|totale|"
    r"合计|总计|小计|共计|总数|合計|總計|小計|共計|総計|計)"
    r"[\s:：=]*([-+]?[\d.,\s%]*[条個个人名行件]?)",
    re.IGNORECASE,
)
IS_TOTAL = "is a total of the rows, not a record"


def delimiter_of(lines: Sequence[str], quote: str) -> str:
    """The character that divides most rows into the same number of values."""
    best, found = (0.0, 0), ","
    for one in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=one, quotechar=quote) if row]
        several = Counter(width for width in widths if width > 1)
        if not several:
            continue
        width, count = max(several.items(), key=lambda each: (each[1], each[0]))
        score = (round(count / len(widths), 1), width)
        if score > best:
            best, found = score, one
    return found


def header_at(rows: Sequence[Sequence[object]]) -> int:
    """Which row names the columns: the first that is about as wide as most, and holds only texts.

    >>> header_at([["Customers 2024"], [], ["id", "name"], ["1", "Ann"], ["2", "Bob"]])
    2
    """
    wide = Counter(width for row in rows if (width := _filled(row)) > 1)
    if not wide:
        return next((at for at, row in enumerate(rows) if _filled(row)), 0)
    usual = max(wide.items(), key=lambda each: (each[1], each[0]))[0]
    for at, row in enumerate(rows):
        texts = [one for one in row if one not in ("", None)]
        distinct = len(set(map(str, texts))) == len(texts)
        named = all(isinstance(one, str) and not _NUMBER.fullmatch(one.strip()) for one in texts)
        if len(texts) > 1 and 2 * len(texts) >= usual and distinct and named:
            return at
    return next(at for at, row in enumerate(rows) if _filled(row) > 1)


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
        taken[name] += 1
        found.append(name if taken[name] == 1 else f"{name}_{taken[name]}")
    if not found:
        raise InvalidInput(f"{where} cannot be read", [Fault("has no rows", where)])
    return found


def _filled(row: Sequence[object]) -> int:
    return sum(one not in ("", None) for one in row)
