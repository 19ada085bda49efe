"""What values of a field look like, whatever it is called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from onefold.standardize.codes import country, currency, language
from onefold.standardize.mapping.values import boolean_of
from onefold.standardize.people.birth_dates import birth_date
from onefold.standardize.people.gender import gender
from onefold.standardize.times import micros
from onefold.standardize.units import UNITS, taken_apart, unit_named

CODES: dict[str, Callable[[str], str | None]] = {
    "gender": gender,
    "country": country,
    "language": language,
    "currency": currency,
}
"""The fields whose values are codes of a standard, each with what reads them."""
_NUMBER = re.compile(r"[^\d\s]{0,4}\s?[+-]?\d[\d.,'\s]*\s?[^\d\s]{0,4}")
_PLAIN_NUMBER = re.compile(r"[+-]?\d[\d.,']*")
_COMMA = re.compile(r"\d,\d{1,2}\D*$")
_POINT = re.compile(r"\d\.\d{1,2}\D*$")
_MEASURED = re.compile(r"[^\d]{0,4}\d*\.\d+[^\d]{0,4}")
_MONEY = re.compile(r"[$€£¥￥元円]|\b(?:EUR|USD|CNY|RMB|JPY|GBP|CHF)\b")
_CENTS = re.compile(r"-?\d[\d.,']*[.,]\d{2}|-?\d+[.,]\d")
_OFTEN = """
AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR INR JPY KRW MXN MYR NOK NZD PHP PLN RMB RUB SEK SGD THB TRY TWD USD VND ZAR
"""
_CURRENCIES = frozenset(_OFTEN.split())
_DAYS = (".", "/", "-", "年")
_LEAST_AMOUNT = 10


def share(values: Sequence[str], fits: Callable[[str], Any]) -> float:
    """Of how many of these values something is true, from 0 to 1."""
    return sum(map(bool, map(fits, values))) / len(values) if values else 0.0


def is_number(value: str) -> bool:
    """Is it a number, maybe with a sign of a currency or unit?"""
    return _NUMBER.fullmatch(value.strip()) is not None


def is_time(value: str) -> bool:
    """Can it be a day or a time?"""
    if micros(value) is not None:
        return True
    day = re.split(r"[T ]", value.strip(), maxsplit=1)[0]
    return birth_date(day).day is not None or birth_date(value).day is not None


def is_written_time(value: str) -> bool:
    """Is it a day or time with the signs of one, so that it is no plain number?"""
    if not any(sign in value for sign in _DAYS) or _PLAIN_NUMBER.fullmatch(value.strip()):
        return is_dotted(value)
    return is_time(value)


def is_dotted(value: str) -> bool:
    """Is it a day in the way of many countries of Europe, which has no sign but dots?"""
    return value.count(".") == 2 and is_time(value)


def is_yes_or_no(value: str) -> bool:
    """Can it be read as true or false?"""
    return type(boolean_of(value)) is bool


def is_currency(value: str) -> bool:
    """Is it the code or the name of a currency, and no number or short word that may be anything?"""
    if value.upper() in _CURRENCIES:
        return True
    return len(value) > 2 and value.isalpha() and currency(value) is not None


def is_money(value: str) -> bool:
    """Is it a number with a currency?"""
    return _MONEY.search(value) is not None and is_number(value)


def are_amounts(values: Sequence[str]) -> bool:
    """Do they look like amounts of money without a currency: numbers of two decimals, and not all small?

    >>> are_amounts(["631.72", "12.00", "5.5"]), are_amounts(["2.226,65", "9,00"])
    (True, True)
    >>> are_amounts(["57.37065", "16.41453"]), are_amounts(["4.5", "3.0"]), are_amounts(["12", "13"])
    (False, False, False)
    """
    if share(values, _PLAIN_NUMBER.fullmatch) < 0.95 or share(values, _CENTS.fullmatch) < 0.6:
        return False
    whole = [re.split(r"[.,]\d{1,2}$", value.lstrip("+-"))[0] for value in values]
    plain = ["".join(sign for sign in one if sign.isdigit()) for one in whole]
    long = sum(re.search(r"[.,]\d{3,}$", one) is not None for one in values)
    return max(int(one or 0) for one in plain) >= _LEAST_AMOUNT and long < 0.1 * len(values)


def are_comma(values: Sequence[str]) -> bool:
    """Do these numbers have decimal commas?"""
    commas = sum(_COMMA.search(value) is not None for value in values)
    return commas > sum(_POINT.search(value) is not None for value in values)


def is_code(value: str) -> bool:
    """Can it be the number or code of something?"""
    if is_number(value) and (_COMMA.search(value) or _MEASURED.fullmatch(value)):
        return False
    return len(value) <= 40 and " " not in value and any(map(str.isdigit, value))


def are_counted(values: Sequence[str]) -> bool:
    """Are these codes, or numbers that were given one after the other, and no measured ones?

    >>> are_counted(["1", "2", "4"]), are_counted(["K1", "K9"]), are_counted(["31000", "90500", "44120"])
    (True, True, False)
    """
    if not all(one.isdecimal() for one in values):
        return share(values, str.isdecimal) < 0.5
    numbers = [int(one) for one in values if len(one) <= 18]
    return bool(numbers) and max(numbers) - min(numbers) < 20 * len(numbers)


def are_coded(field: str, values: Sequence[str]) -> bool:
    """Can all these values be read as codes of a standard, and does that change any?"""
    of = CODES[field]
    found = {value: of(value) for value in set(values)}
    return bool(found) and all(found.values()) and any(one != code for one, code in found.items())


def quantity(name: str, values: Sequence[str]) -> dict[str, Any] | None:
    """How a column of quantities in units of one kind is read, in the unit that most have."""
    parts = [taken_apart(value) for value in values]
    units = Counter(unit for one in parts if one and (unit := unit_named(one[1])))
    kinds = {UNITS[unit].kind for unit in units}
    if units.total() < 0.7 * len(values) or len(kinds) != 1 or kinds & {"money", "share"}:
        return None
    how: dict[str, Any] = {"from": name, "unit": {"to": units.most_common(1)[0][0]}}
    if any("," in str(one[0]) for one in parts if one):
        how["decimal"] = ","
    return how
