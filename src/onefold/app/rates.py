"""Rates of exchange: handed in as files, in the forms that central banks publish them in."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import msgspec

from onefold.app.workspace import now_us, open_store
from onefold.collect.sources.files.unpacking import BROKEN
from onefold.collect.xml import Element, read_xml
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput
from onefold.model.rates import DayRates
from onefold.standardize.codes import currency

_MOST_BYTES = 64 << 20
_MOST_FAULTS = 50
_NONE = frozenset({"", "n/a", "-", "null"})
_FORMS = ("%Y-%m-%d", "%d %B %Y", "%d.%m.%Y", "%Y%m%d")
_FIRST = date(1900, 1, 1)


class RatesRow(msgspec.Struct, frozen=True):
    """The rates of one base: of how many days, from when to when, and the newest of each currency."""

    base: str
    days: int
    first: date
    last: date
    rates: dict[str, float]


class RatesLoaded(msgspec.Struct, frozen=True):
    """What a file brought."""

    base: str
    days: int
    first: date
    last: date
    currencies: int


def rates_load(
    settings: Settings, file: Path, *, base: str = "EUR", actor: str = "cli"
) -> RatesLoaded:
    """Keep the rates of a file: CSV or XML as the European Central Bank has it, or either in a ZIP."""
    try:
        data = file.read_bytes() if file.stat().st_size <= _MOST_BYTES else b""
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}") from error
    if not data:
        raise InvalidInput(f"{file} is empty, or larger than {_MOST_BYTES >> 20} MiB")
    return rates_put(settings, data, base=base, actor=actor, origin=file.name)


def rates_put(
    settings: Settings, data: bytes, *, base: str, actor: str, origin: str = "upload"
) -> RatesLoaded:
    """Keep rates that were handed in; those of the same base and day are replaced."""
    tables = read_rates(data, base)
    with open_store(settings, cache_mb=4) as store:
        store.rates.put(tables, now_us(), actor, origin)
    days = sorted(one.day for one in tables)
    names = {name for one in tables for name in one.rates}
    return RatesLoaded(tables[0].base, len(days), days[0], days[-1], len(names))


def rates_list(settings: Settings) -> list[RatesRow]:
    """The rates that there are, by base."""
    with open_store(settings, cache_mb=4) as store:
        return [RatesRow(*one) for one in store.rates.kept()]


def read_rates(data: bytes, base: str = "EUR") -> list[DayRates]:
    """The rates in a file, by day; `InvalidInput` lists all that is wrong with it.

    A CSV has a day and then a column for each currency, or day, currency and rate.

    >>> read_rates(b"Date,USD,JPY,\\n2026-01-30,1.19,184.2,\\n2026-01-29,1.2,N/A,\\n")[1].rates
    {'USD': 1.2}
    >>> read_rates(b"day;currency;rate\\n30.01.2026;usd;1,19\\n")[0]
    DayRates(base='EUR', day=datetime.date(2026, 1, 30), rates={'USD': 1.19})
    """
    faults: list[Fault] = []
    if currency(base) != base:
        faults.append(Fault(f"{base!r} is no currency", "base", "write its code, such as EUR"))
    data = _unpacked(data)
    found: dict[date, dict[str, float]] = {}
    is_xml = data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
    for where, day_text, name, rate_text in (_of_xml if is_xml else _of_csv)(data):
        if rate_text.strip().lower() in _NONE:
            continue
        day, code, rate = _day(day_text), currency(name), _rate(rate_text)
        if len(faults) < _MOST_FAULTS:
            faults += _faults(where, (day_text, name, rate_text), day, code, rate)
        if day and code and rate:
            found.setdefault(day, {})[code] = rate
    if not found and not faults:
        hint = "give a column `Date` and one for each currency, or day, currency and rate"
        faults.append(Fault("no rates are in it", "file", hint))
    if faults:
        raise InvalidInput("the rates cannot be used", list(dict.fromkeys(faults)))
    return [DayRates(base, day, found[day]) for day in sorted(found, reverse=True)]


_Cell = tuple[str, str, str, str]
"""Where it stands, day, currency and rate, as they are written."""


def _unpacked(data: bytes) -> bytes:
    """The one file in a ZIP, if it is one."""
    if data[:4] != b"PK\x03\x04":
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            members = [one for one in packed.infolist() if not one.is_dir()]
            if len(members) != 1 or members[0].file_size > _MOST_BYTES:
                raise InvalidInput("the ZIP must hold one file, of at most 64 MiB")
            return packed.read(members[0])
    except BROKEN as error:
        raise InvalidInput(f"the ZIP cannot be read: {error}") from error


def _of_csv(data: bytes) -> Iterator[_Cell]:
    text = data.decode("utf-8-sig", "replace")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    rows = _rows(csv.reader(io.StringIO(text, newline=None), delimiter=delimiter))
    names = [one.strip() for one in next(rows, [])]
    is_long = len(names) >= 3 and names[1].lower() in ("currency", "code", "currency code")
    for number, row in enumerate(rows, 2):
        if not any(one.strip() for one in row):
            continue
        if is_long:
            day, name, rate = (*row, "", "", "")[:3]
            yield f"line {number}", day, name, rate
            continue
        for name, rate in zip(names[1:], row[1:], strict=False):
            if name:
                yield f"line {number}", row[0], name, rate


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise InvalidInput(f"the file cannot be read as CSV: {error}") from error


def _of_xml(data: bytes) -> Iterator[_Cell]:
    """`Cube` elements: of a time, and in them of a currency and a rate."""
    waiting: list[tuple[Element, str]] = [(read_xml(data), "")]
    while waiting:
        element, day = waiting.pop(0)
        day = element.attributes.get("time", day)
        if "currency" in element.attributes and "rate" in element.attributes:
            name, rate = element.attributes["currency"], element.attributes["rate"]
            yield f"Cube {day} {name}", day, name, rate
        waiting += [(child, day) for child in element.children]


def _faults(
    where: str,
    written: tuple[str, str, str],
    day: date | None,
    code: str | None,
    rate: float | None,
) -> Iterator[Fault]:
    if day is None:
        yield Fault(f"{written[0][:40]!r} is no day", where, "write 2026-01-31")
    if code is None:
        yield Fault(f"{written[1][:40]!r} is no currency", where, "write its code, such as USD")
    if rate is None:
        yield Fault(f"{written[2][:40]!r} is no rate", where, "write a number above 0")


def _day(text: str) -> date | None:
    for form in _FORMS:
        try:
            day = datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        return day if day >= _FIRST else None
    return None


def _rate(text: str) -> float | None:
    try:
        rate = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return rate if math.isfinite(rate) and rate > 0 else None
