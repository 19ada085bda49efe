"""What one record says about a person, in standard columns: the closed list.

Everything that compares records of people sees these columns only, whatever the file looked like
from which they came. Absent, unreadable and junk values are None. Texts are in lower case, without
diacritics and signs, in Latin letters, unless their column says otherwise.
"""

from __future__ import annotations

import types
from datetime import date
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec


def _about(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


Text = str | None
Texts = tuple[str, ...] | None


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record about a person, standardized. Each column says what it holds.

    >>> Person(given_name="bill", family_name="obrien", nickname_roots=("william",)).family_name
    'obrien'
    """

    # Names
    given_name: Annotated[
        Text,
        _about(
            "The first given name: `jean paul`, `xiaoming` (Chinese: pinyin, written as one word)."
            " May be one letter."
        ),
    ] = None
    middle_name: Annotated[Text, _about("Other given names, or their initials: `ann`, `f`.")] = None
    family_name: Annotated[
        Text,
        _about(
            "The family name, with particles: `van der berg`, `obrien`, `garcia lopez`, `zhang`."
        ),
    ] = None
    former_name: Annotated[Text, _about("An earlier family name, as at birth.")] = None
    name_suffix: Annotated[
        Text, _about("Which of several of the same name: `jr`, `sr`, `2`, `3`, `4`.")
    ] = None
    given_han: Annotated[
        Text, _about("The given name in Chinese characters, simplified: `小明`.")
    ] = None
    family_han: Annotated[
        Text, _about("The family name in Chinese characters, simplified: `欧阳`.")
    ] = None
    given_chinese: Annotated[
        bool | None,
        _about(
            "Is the given name a Chinese one, in characters or in pinyin beside a Chinese family"
            " name? Who is called in Chinese often has an English name, too."
        ),
    ] = None
    nickname_roots: Annotated[
        Texts,
        _about(
            "The full names that the given name may stand for, itself included unless it is only"
            " a nickname: `alex` gives `alexander`, `alexandra` … Two given names may be of one"
            " person where these overlap."
        ),
    ] = None
    family_parts: Annotated[
        Texts,
        _about(
            "The parts of the family name without particles, sorted: `garcia`, `lopez`. One in"
            " common is usual after a marriage, or where one of two names is left out."
        ),
    ] = None
    name_sorted: Annotated[
        Text,
        _about(
            "The words of the given and family name in the order of the alphabet: the same when"
            " the two are swapped: `wei zhang`."
        ),
    ] = None
    given_sound: Annotated[
        Text, _about("How the given name sounds: equal for usual ways to spell it.")
    ] = None
    family_sound: Annotated[
        Text, _about("How the family name sounds: equal for usual ways to spell it.")
    ] = None
    gender: Annotated[Text, _about("`f`, `m` or `x`.")] = None

    # Birth
    birth_date: Annotated[
        date | None, _about("The day of birth. None where no such day exists, and for 1900-01-01.")
    ] = None
    birth_date_other: Annotated[
        date | None,
        _about(
            "The other reading, where the file leaves open which is the day and which the month."
        ),
    ] = None
    birth_date_weak: Annotated[
        bool | None,
        _about("True for the first of January: often written where only the year is known."),
    ] = None
    birth_digits: Annotated[
        Text,
        _about(
            "The date as eight digits, `19850231`, even where no such day exists: what mistyped"
            " dates are compared by. None where `birth_date` is junk."
        ),
    ] = None
    birth_year: Annotated[int | None, _about("The year, also where only the year is known.")] = None

    # Ways to reach
    email: Annotated[
        Text,
        _about(
            "The address that the mail arrives at: without tag (and, at Gmail, dots), misspelled"
            " well-known domains mended."
        ),
    ] = None
    email_local: Annotated[Text, _about("What stands before the `@` of `email`.")] = None
    email_domain: Annotated[Text, _about("What stands after the `@` of `email`.")] = None
    emails: Annotated[Texts, _about("All addresses of the record, `email` among them.")] = None
    phone: Annotated[
        Text,
        _about("The telephone number in E.164: `+8613812345678`. Of a possible length, not junk."),
    ] = None
    phone_extension: Annotated[Text, _about("The extension of `phone`: digits.")] = None
    phones: Annotated[Texts, _about("All numbers of the record, `phone` among them.")] = None

    # Address
    house_number: Annotated[Text, _about("`221b`, `12-14`; of a Chinese address the 号.")] = None
    street: Annotated[
        Text,
        _about(
            "The street with its usual abbreviations: `n main st`. A Chinese street stays in"
            " simplified characters: `中山路`."
        ),
    ] = None
    unit: Annotated[Text, _about("Apartment, floor, building: `4b`, `3-2-501`.")] = None
    po_box: Annotated[Text, _about("The number of a post office box.")] = None
    address_more: Annotated[
        Text, _about("What else stands in the address: a building's or estate's name.")
    ] = None
    city: Annotated[Text, _about("City, town or suburb. Chinese: `深圳`, without 市.")] = None
    district: Annotated[Text, _about("District or county: `南山`, without 区 or 县.")] = None
    state: Annotated[
        Text, _about("State or province: `ca`, `nsw`; Chinese: `广东`, without 省.")
    ] = None
    postcode: Annotated[
        Text, _about("Without blanks; of a US ZIP+4 the first five digits: `94105`, `sw1a1aa`.")
    ] = None
    country: Annotated[Text, _about("Two letters of ISO 3166, in lower case: `cn`.")] = None

    # Exact
    company: Annotated[
        Text, _about("The company without its legal form: `acme`; Chinese characters stay.")
    ] = None
    national_id: Annotated[
        Text, _about("A number that the state gives to one person: letters and digits only.")
    ] = None
    national_id_kind: Annotated[
        Text,
        _about(
            "What kind of number: `us_ssn`, `us_ssn4` (its last four digits), `cn_resident`,"
            " `other`. Compare only numbers of one kind."
        ),
    ] = None
    identifiers: Annotated[
        Texts,
        _about("Other exact identifiers as `kind:value`: customer numbers, cards, user ids."),
    ] = None


_SQL_TYPES = {str: "VARCHAR", int: "INTEGER", bool: "BOOLEAN", date: "DATE"}


def _sql_type(hint: Any) -> str:
    """The column type, in DuckDB's dialect, of a field that may be None."""
    kind = next(each for each in get_args(hint) if each is not types.NoneType)
    if get_origin(kind) is tuple:
        return f"{_SQL_TYPES[get_args(kind)[0]]}[]"
    return _SQL_TYPES[kind]


def _columns() -> dict[str, str]:
    hints = get_type_hints(Person)
    found = {}
    for name in Person.__struct_fields__:
        hint = hints[name]
        if get_origin(hint) is not Union and get_origin(hint) is not types.UnionType:
            raise TypeError(f"{name} must be allowed to be None")
        found[name] = _sql_type(hint)
    return found


COLUMNS: dict[str, str] = _columns()
"""The standard columns, each with its type in DuckDB's dialect, in order."""

ROW_COLUMNS: dict[str, str] = {"record_id": "BIGINT", "source": "VARCHAR"}
"""What a table of people has before the standard columns: the row's number over all files of a
run, from 0, and the source (file or system) that it came from."""


def meaning(column: str) -> str:
    """What a standard column holds.

    >>> meaning("gender")
    '`f`, `m` or `x`.'
    """
    hint = get_type_hints(Person, include_extras=True)[column]
    return str(hint.__metadata__[0].description)
