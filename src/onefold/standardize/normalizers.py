"""The steps by which values of identifiers are written, and what may be asked of them, by name."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date

import phonenumbers

from onefold.model.patterns import matcher
from onefold.standardize.identifiers import email, phone
from onefold.standardize.people.national_ids import check_digit

Step = Callable[[str], str | None]
"""The value as it is written; None where it cannot be read."""
Test = Callable[[str], str]
"""Why a value cannot be one; empty where it can."""

MOST_PATTERN = 1_000
_GMAIL = ("gmail.com", "googlemail.com")
_RESIDENT = re.compile(r"[1-9]\d{16}[\dXx]")
_RANGE = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")
_NOT_DIGIT = re.compile(r"[^0-9]+")
_NOT_LETTER = re.compile(r"[\W_]+")
_UUID = re.compile(r"\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?", re.I)


def _email_without_tag(text: str) -> str | None:
    found = email(text)
    if found is None:
        return None
    local, _, domain = found.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def _gmail(text: str) -> str | None:
    """Google delivers mail whatever the dots and whatever follows a plus."""
    found = email(text)
    if found is None:
        return None
    local, _, domain = found.rpartition("@")
    if domain not in _GMAIL:
        return found
    bare = local.partition("+")[0].replace(".", "")
    return f"{bare or local}@gmail.com"


def _uuid(text: str) -> str | None:
    if not _UUID.fullmatch(text):
        return None
    bare = _NOT_LETTER.sub("", text).lower()
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


def _resident(text: str) -> str | None:
    """In 18 signs; the 15 digits of before 2000 lack the century and the check."""
    bare = text.replace(" ", "").upper()
    if len(bare) == 15 and bare.isascii() and bare.isdigit():
        body = f"{bare[:6]}19{bare[6:]}"
        return body + check_digit(body).upper()
    return bare


def _hashed(algorithm: str) -> Step:
    """What is hashed already stays as it is, in lower case."""
    size = hashlib.new(algorithm).digest_size * 2
    done = re.compile(f"[0-9a-fA-F]{{{size}}}")
    return lambda text: (
        text.lower()
        if done.fullmatch(text)
        else hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()
    )


NORMALIZERS: Mapping[str, Step] = {
    "trim": str.strip,
    "lower": str.lower,
    "upper": str.upper,
    "half_width": lambda text: unicodedata.normalize("NFKC", text),
    "no_spaces": lambda text: "".join(text.split()),
    "digits": lambda text: _NOT_DIGIT.sub("", text),
    "alphanumeric": lambda text: _NOT_LETTER.sub("", text).upper(),
    "no_leading_zeros": lambda text: text.lstrip("0"),
    "email": email,
    "email_without_tag": _email_without_tag,
    "gmail": _gmail,
    "uuid": _uuid,
    "resident_id": _resident,
    "md5": _hashed("md5"),
    "sha256": _hashed("sha256"),
}
"""Steps that need nothing; `phone` may be given the country of numbers that name none."""


def _luhn(text: str) -> str:
    digits = text.replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) > 1):
        return "is not made of digits"
    total = 0
    for place, letter in enumerate(reversed(digits)):
        number = int(letter) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return "" if total % 10 == 0 else "has a wrong check digit (Luhn)"


def _is_resident(text: str) -> str:
    """GB 11643: a region, a day, and a check over the first 17 digits."""
    if not _RESIDENT.fullmatch(text):
        return "is not 17 digits and a check sign (GB 11643)"
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return "holds no day of birth (GB 11643)"
    if born.year < 1850:
        return "holds no day of birth (GB 11643)"
    return "" if check_digit(text[:17]) == text[17].lower() else "has a wrong check sign (GB 11643)"


def _is_phone(text: str) -> str:
    return "" if phone(text, None) == text else "is no telephone number with a country code"


VALIDATORS: Mapping[str, Test] = {
    "email": lambda text: "" if email(text) else "is no e-mail address",
    "phone": _is_phone,
    "uuid": lambda text: "" if _UUID.fullmatch(text) else "is no UUID",
    "luhn": _luhn,
    "resident_id": _is_resident,
    "digits": lambda text: "" if text.isascii() and text.isdigit() else "is not all digits",
}
"""Tests that need nothing; `length 6-20` and `pattern …` say what they want."""


def normalizer(text: str) -> Step:
    """The step of this name; `ValueError` says why there is none."""
    name, _, argument = text.partition(" ")
    argument = argument.strip()
    if name == "phone":
        country = argument.upper() or None
        if country and country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"{argument!r} is no country: write two letters, such as CN")
        return lambda value: phone(value, country)
    if name not in NORMALIZERS:
        raise ValueError(f"{name!r} is no normalizer")
    if argument:
        raise ValueError(f"{name} takes nothing behind it")
    return NORMALIZERS[name]


def validator(text: str) -> Test:
    """The test of this name; `ValueError` says why there is none."""
    name, _, argument = text.partition(" ")
    argument = argument.strip()
    if name == "length":
        return _length(argument)
    if name == "pattern":
        if not argument or len(argument) > MOST_PATTERN:
            raise ValueError(f"pattern takes an expression of up to {MOST_PATTERN} characters")
        matches = matcher(argument)
        return lambda value: "" if matches(value) else f"does not match {argument}"
    if name not in VALIDATORS:
        raise ValueError(f"{name!r} is no validator")
    if argument:
        raise ValueError(f"{name} takes nothing behind it")
    return VALIDATORS[name]


def _length(argument: str) -> Test:
    found = _RANGE.fullmatch(argument)
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if least > most:
        raise ValueError("length takes a number, or two as in `length 6-20`")
    return lambda value: "" if least <= len(value) <= most else f"is not {argument} long"


def normalizer_names() -> Iterator[str]:
    """What may stand in `normalize`."""
    yield from NORMALIZERS
    yield "phone"


def validator_names() -> Iterator[str]:
    """What may stand in `validate`."""
    yield from VALIDATORS
    yield from ("length", "pattern")
