"""Amounts of money turned into one currency by the rate of the day of their event."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from onefold.model.mapping import Money
from onefold.standardize.codes import currency
from onefold.standardize.faults import explain
from onefold.standardize.mapping.columns import MISSING, Column, Faults, Row, field_column
from onefold.standardize.mapping.values import text_of
from onefold.standardize.rates import Rates

AT = "\0at"
"""Where a row holds the time of its event in µs: under a name that no record can have."""
_CODE = re.compile("[A-Z]{3}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_code(text: str) -> bool:
    """Is it the code of a currency, and not the name of a field?"""
    return _CODE.fullmatch(text) is not None


def original_key(where: str) -> str:
    """Where a row holds the amount as it came."""
    return f"\0money:{where}"


def money_column(column: Column, money: Money, where: str, zone: tzinfo, rates: Rates) -> Column:
    """The amounts of a column in the currency that is wanted; what they were is left in their rows."""
    code = money.currency if is_code(money.currency) else None
    named = None if code else field_column(money.currency)

    def converted(rows: Sequence[Row], faults: Faults) -> list[Any]:
        found = column(rows, faults)
        names = [code] * len(rows) if named is None else named(rows, faults)
        for at, (amount, name) in enumerate(zip(found, names, strict=True)):
            if amount is None or amount is MISSING:
                continue
            source = _code_of(name, where, faults, at)
            if source is None:
                found[at] = None
                continue
            day = (_EPOCH + timedelta(microseconds=rows[at][AT])).astimezone(zone).date()
            made = rates.convert(amount, source, money.to, day)
            if made is None:
                hint = "load them with `onefold rates load FILE`, then replay this"
                problem = f"there is no rate from {source} to {money.to} of {day}"
                faults.setdefault(at, []).append(explain(where, problem, hint))
                found[at] = None
                continue
            found[at] = made.value
            if source != money.to:
                told = {"value": amount, "currency": source, "rate": made.rate}
                rows[at][original_key(where)] = {**told, "day": made.day.isoformat()}
        return found

    return converted


def _code_of(name: Any, where: str, faults: Faults, at: int) -> str | None:
    if name is None or name is MISSING:
        faults.setdefault(at, []).append(explain(where, "says no currency"))
        return None
    found = currency(str(text_of(name)))
    if found is None:
        problem = f"{str(name)[:40]!r} is no known currency"
        faults.setdefault(at, []).append(explain(where, problem, "give a lookup"))
    return found
