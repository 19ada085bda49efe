"""What is compared between two records, and into which levels of agreement.

A comparison gives the first level whose condition holds, 0 where one of the records says nothing.
Agreement is told apart by how common the value is: everybody may be called Li, few are called
Zdzisław. All comparisons of a pair are one number, its pattern.
"""

from __future__ import annotations

from typing import NamedTuple

from onefold.resolve.matching.conditions import (
    ARE_YEAR,
    MADE_OF_NAME,
    NICKNAMES,
    TWO_DIGITS,
    edits,
    in_mail,
    similar,
)

MAX_BINS = 12


class Comparison(NamedTuple):
    """One comparison; conditions are SQL over the records `a` and `b`.

    `personal`: between two people of one household it is as between strangers, until the data says
    otherwise. A level that has a third part, its form, is only likely or not among levels of that
    form: whether a middle name is written out says nothing on who it is. How often strangers agree
    is then learned from compared pairs for the forms that are `learned`. `common` names the column whose
    value's frequency divides agreement into levels. The levels that are `within` one are ways to differ: whether two
    people of a household differ is one question, in which way the other, and there they are as one person. Levels
    that are `shared` are as likely between them as in one person. `chance`: how often strangers are the same in a
    population of any kind; of few records that is all that is known. `number` divides agreement otherwise than by how common
    the value of a column is, into `numbers` levels. `needs` names the comparisons without which it says nothing.
    """

    name: str
    columns: tuple[str, ...]
    present: str
    levels: tuple[tuple[str, ...], ...]
    same: str
    common: str
    personal: bool
    learned: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    chance: float = 0.001
    number: str = ""
    numbers: int = 0
    needs: tuple[str, ...] = ()


_SWAPPED = "a.given_name = b.family_name AND b.given_name = a.family_name"
# One name is in the other's place, and what stands in its own does not contradict.
_MISPLACED = (
    "a.given_name = b.family_name AND coalesce(jaro_winkler_similarity(b.given_name, a.family_name) >= 0.8, TRUE)"
    " OR b.given_name = a.family_name AND coalesce(jaro_winkler_similarity(a.given_name, b.family_name) >= 0.8, TRUE)"
)


_GIVEN = Comparison(
    "given_name",
    ("given_name",),
    "{r}.given_name IS NOT NULL",
    (
        ("swapped with the family name", _SWAPPED),
        ("other characters, same sound", "a.given_name = b.given_name AND a.given_han <> b.given_han"),
        ("same", "a.given_name = b.given_name"),
        ("nickname", NICKNAMES),
        ("is the middle name", "length(a.given_name) > 1 AND length(b.given_name) > 1 AND (a.given_name = b.middle_name OR b.given_name = a.middle_name)"),
        ("initial", "(length(a.given_name) = 1 OR length(b.given_name) = 1) AND left(a.given_name, 1) = left(b.given_name, 1)", "initial"),
        ("other initial", "length(a.given_name) = 1 OR length(b.given_name) = 1", "initial"),
        ("one letter", f"length(a.given_name) > 2 AND length(b.given_name) > 2 AND {edits('given_name', 1)}"),
        ("in the other's mail address", f"coalesce(a.email <> b.email, TRUE) AND ({in_mail('given_name')})"),
        ("similar", similar("given_name", 0.88)),
        ("part of it", "length(a.given_name) > 1 AND length(b.given_name) > 1 AND (starts_with(a.given_name, b.given_name) OR starts_with(b.given_name, a.given_name))"),
        ("slightly similar", similar("given_name", 0.78)),
        ("is the family name", _MISPLACED),
        ("different, one Chinese", "a.given_chinese <> b.given_chinese"),
        ("different", "TRUE"),
    ),
    "same",
    "given_name",
    True,
    within=("different, one Chinese", "different"),
    shared=("in the other's mail address",),
    chance=0.01,
)  # fmt: skip

# Of two family names one is often left out, or taken for a middle name. Who is called otherwise beside it is another.
_PART = "list_has_any(coalesce(a.family_parts, [a.family_name]), coalesce(b.family_parts, [b.family_name]))"
_OF_SEVERAL = "(a.family_parts IS NOT NULL OR b.family_parts IS NOT NULL)"
_AND_THE_MIDDLE = " OR ".join(
    f"list_has_any({one}.family_parts, [{two}.family_name]) AND list_has_any({one}.family_parts, [{two}.middle_name])"
    for one, two in (("a", "b"), ("b", "a"))
)

_FAMILY = Comparison(
    "family_name",
    ("family_name",),
    "{r}.family_name IS NOT NULL",
    (
        ("swapped with the given name", _SWAPPED, "swapped"),
        ("other characters, same sound", "a.family_name = b.family_name AND a.family_han <> b.family_han"),
        ("same", "a.family_name = b.family_name"),
        ("one letter", f"length(a.family_name) > 2 AND length(b.family_name) > 2 AND {edits('family_name', 1)}"),
        ("two parts, one as the middle name", _AND_THE_MIDDLE),
        ("a part in common, and others", f"a.family_parts IS NOT NULL AND b.family_parts IS NOT NULL AND {_PART}"),
        ("a common part in common", f"{_OF_SEVERAL} AND (a.family_name_bin <= 5 OR b.family_name_bin <= 5) AND {_PART}"),
        ("a part in common", f"{_OF_SEVERAL} AND {_PART}"),
        ("former name", "a.family_name = b.former_name OR b.family_name = a.former_name"),
        ("is the middle name", "length(a.family_name) > 1 AND length(b.family_name) > 1 AND (a.family_name = b.middle_name OR b.family_name = a.middle_name)"),
        ("in the other's mail address", in_mail("family_name")),
        ("similar", similar("family_name", 0.9)),
        ("slightly similar", similar("family_name", 0.8)),
        ("initial", "(length(a.family_name) = 1 OR length(b.family_name) = 1) AND left(a.family_name, 1) = left(b.family_name, 1)"),
        ("different", "TRUE"),
    ),
    "same",
    "family_name",
    False,
    shared=("in the other's mail address",),
    chance=0.005,
)  # fmt: skip

# Names are not independent: who has a Chinese given name has a Chinese family name. So where both are the same it is
# counted how often that is so, by how common they would be together if they were, and in characters.
WHOLE = "whole_name"
PARTS_OF_NAME = ("given_name", "family_name")
_IN_CHARACTERS = "a.given_han = b.given_han AND a.family_han = b.family_han"
_WHOLE_NAME = Comparison(
    WHOLE,
    ("name_sorted",),
    "({r}.given_name IS NOT NULL OR {r}.family_name IS NOT NULL)",
    (
        ("not the whole name", "coalesce(a.given_name <> b.given_name, TRUE) OR coalesce(a.family_name <> b.family_name, TRUE) OR coalesce(a.given_han <> b.given_han, FALSE) OR coalesce(a.family_han <> b.family_han, FALSE)", "parts"),
        ("same", "TRUE"),
    ),
    "same",
    "",
    True,
    chance=5e-5,
    number=f"a.given_name_bin + a.family_name_bin - 1 + CASE WHEN {_IN_CHARACTERS} THEN {2 * MAX_BINS} ELSE 0 END",
    numbers=4 * MAX_BINS,
    needs=PARTS_OF_NAME,
)  # fmt: skip

_MIDDLE = Comparison(
    "middle_name",
    ("middle_name",),
    "{r}.middle_name IS NOT NULL",
    (
        ("same", "a.middle_name = b.middle_name AND length(a.middle_name) > 1"),
        ("same initial", "(length(a.middle_name) = 1 OR length(b.middle_name) = 1) AND left(a.middle_name, 1) = left(b.middle_name, 1)", "initial"),
        ("similar", "length(a.middle_name) > 1 AND length(b.middle_name) > 1 AND jaro_winkler_similarity(a.middle_name, b.middle_name) >= 0.85"),
        ("other initial", "length(a.middle_name) = 1 OR length(b.middle_name) = 1", "initial"),
        ("different", "TRUE"),
    ),
    "same",
    "middle_name",
    True,
    chance=0.01,
)  # fmt: skip

_SUFFIX = Comparison(
    "name_suffix", ("name_suffix",), "{r}.name_suffix IS NOT NULL",
    (("same", "a.name_suffix = b.name_suffix"), ("different", "TRUE")), "", "", True, chance=0.4,
)  # fmt: skip

# A name says the gender, so beside the same name the same gender says little.
_ALIKE_GIVEN = f"coalesce(a.given_name = b.given_name OR {NICKNAMES}, FALSE)"
_GENDER = Comparison(
    "gender",
    ("gender",),
    "{r}.gender IS NOT NULL",
    (
        ("different, of one name", f"{_ALIKE_GIVEN} AND a.gender <> b.gender", "name"),
        ("same, of one name", _ALIKE_GIVEN, "name"),
        ("same", "a.gender = b.gender"),
        ("different", "TRUE"),
    ),
    "",
    "",
    True,
    ("name",),
    chance=0.5,
)

_BIRTH = Comparison(
    "birth_date",
    ("birth_digits", "birth_year"),
    "({r}.birth_digits IS NOT NULL OR {r}.birth_year IS NOT NULL)",
    (
        ("year, the day unknown", "(a.birth_digits IS NULL OR b.birth_digits IS NULL) AND a.birth_year = b.birth_year", "year"),
        ("same", "a.birth_digits = b.birth_digits"),
        ("nearly the year, the day unknown", "(a.birth_digits IS NULL OR b.birth_digits IS NULL) AND abs(a.birth_year - b.birth_year) <= 1", "year"),
        ("other year, the day unknown", "a.birth_digits IS NULL OR b.birth_digits IS NULL", "year"),
        ("day and month swapped", "left(a.birth_digits, 4) = left(b.birth_digits, 4) AND substr(a.birth_digits, 5, 2) = substr(b.birth_digits, 7, 2) AND substr(a.birth_digits, 7, 2) = substr(b.birth_digits, 5, 2)"),
        ("one digit", f"{edits('birth_digits', 1)}"),
        ("year and the first of January", "left(a.birth_digits, 4) = left(b.birth_digits, 4) AND (a.birth_date_weak OR b.birth_date_weak)"),
        ("two parts", "(left(a.birth_digits, 4) = left(b.birth_digits, 4))::INT + (substr(a.birth_digits, 5, 2) = substr(b.birth_digits, 5, 2))::INT + (right(a.birth_digits, 2) = right(b.birth_digits, 2))::INT = 2"),
        ("two digits", f"{edits('birth_digits', 2)}"),
        ("year", "a.birth_year = b.birth_year"),
        ("different", "TRUE"),
    ),
    "same",
    "birth_digits",
    True,
    chance=1e-4,
)  # fmt: skip

# A mailbox that is named after one of two people who are called otherwise is often a household's.
_OF_ANOTHER = (
    f"a.email = b.email AND NOT coalesce({NICKNAMES}, FALSE)"
    " AND jaro_winkler_similarity(a.given_name, b.given_name) < 0.78"
    " AND (length(a.given_name) > 2 AND contains(a.email_local, a.given_name)"
    " AND NOT contains(a.email_local, left(b.given_name, 3))"
    " OR length(b.given_name) > 2 AND contains(a.email_local, b.given_name)"
    " AND NOT contains(a.email_local, left(a.given_name, 3)))"
)

_EMAIL = Comparison(
    "email",
    ("email",),
    "{r}.email IS NOT NULL",
    (
        ("same, named after one of two", _OF_ANOTHER),
        ("one of several", "a.email <> b.email AND list_has_any(a.emails, b.emails)"),
        ("same, made of the name", f"{MADE_OF_NAME} AND a.email = b.email", "name"),
        ("one letter, made of the name", f"{MADE_OF_NAME} AND {edits('email', 1)}", "name"),
        ("elsewhere, made of the name", f"{MADE_OF_NAME} AND a.email_local = b.email_local", "name"),
        ("different, made of the name", MADE_OF_NAME, "name"),
        ("same", "a.email = b.email"),
        ("one letter", edits("email", 1)),
        ("elsewhere", "a.email_local = b.email_local"),
        ("different", "TRUE"),
    ),
    "same",
    "email",
    False,
    ("name",),
    shared=("same, named after one of two",),
    chance=1e-5,
)  # fmt: skip


_MAIL_YEAR = Comparison(
    "mail_year",
    ("email",),
    "({r}.birth_digits IS NOT NULL OR {r}.email_local IS NOT NULL)",
    (
        ("both are known, or none", "a.birth_digits IS NOT NULL AND b.birth_digits IS NOT NULL OR a.birth_digits IS NULL AND b.birth_digits IS NULL OR coalesce(a.email = b.email, FALSE)", "known"),
        ("same year", ARE_YEAR),
        ("another number", TWO_DIGITS),
        ("no number", "TRUE"),
    ),
    "",
    "",
    True,
    chance=0.003,
    needs=("email", "birth_date"),
)  # fmt: skip

# Where numbers tell the area; it says nothing beside the same city.
_SAME_AREA = "starts_with(a.phone, '+1') AND left(a.phone, 5) = left(b.phone, 5) AND coalesce(a.city <> b.city, TRUE)"

_PHONE = Comparison(
    "phone",
    ("phone",),
    "{r}.phone IS NOT NULL",
    (
        ("same", "a.phone = b.phone"),
        ("one of several", "list_has_any(a.phones, b.phones)"),
        ("same but for the code", "right(a.phone, 7) = right(b.phone, 7)"),
        ("one digit", edits("phone", 1)),
        ("same area", _SAME_AREA),
        ("different", "TRUE"),
    ),
    "same",
    "phone",
    False,
    within=("same area", "different"),
    chance=1e-5,
)

# House and street are one place where the locality does not contradict.
_NEAR = "(a.postcode = b.postcode OR a.city = b.city)"
_APART = "(coalesce(a.postcode <> b.postcode, TRUE) AND coalesce(a.city <> b.city, TRUE) AND NOT (a.postcode IS NULL AND a.city IS NULL) AND NOT (b.postcode IS NULL AND b.city IS NULL))"
_STREET_ALIKE = "coalesce(jaro_winkler_similarity(a.street, b.street) >= 0.9, FALSE)"
_MORE_ALIKE = "(coalesce(jaro_winkler_similarity(a.address_more, b.address_more) >= 0.9, FALSE) OR coalesce(a.address_more = b.street, FALSE) OR coalesce(a.street = b.address_more, FALSE))"

_ADDRESS = Comparison(
    "address",
    ("street", "postcode", "city", "po_box"),
    "({r}.street IS NOT NULL OR {r}.postcode IS NOT NULL OR {r}.city IS NOT NULL OR {r}.po_box IS NOT NULL)",
    (
        ("same house, other unit", f"a.house_number = b.house_number AND a.street = b.street AND a.unit <> b.unit AND NOT {_APART}"),
        ("same", f"a.place = b.place AND NOT {_APART}"),
        ("nearly the same", f"a.house_number = b.house_number AND NOT {_APART} AND ({_STREET_ALIKE} OR {_MORE_ALIKE})"),
        ("same house and street elsewhere", f"a.house_number = b.house_number AND {_STREET_ALIKE}"),
        ("same street, similar number", f"{_NEAR} AND coalesce(levenshtein(a.house_number, b.house_number) <= 1, TRUE) AND ({_STREET_ALIKE} OR {_MORE_ALIKE})"),
        ("same street", f"{_NEAR} AND ({_STREET_ALIKE} OR {_MORE_ALIKE})"),
        ("same street elsewhere", f"{_STREET_ALIKE} OR {_MORE_ALIKE}"),
        ("same house number and postcode", "a.house_number = b.house_number AND a.postcode = b.postcode"),
        ("same postcode, no street", "a.postcode = b.postcode AND (a.street IS NULL OR b.street IS NULL)", "no street"),
        ("same city, no street", "a.city = b.city AND (a.street IS NULL OR b.street IS NULL)", "no street"),
        ("elsewhere, no street", "a.street IS NULL OR b.street IS NULL", "no street"),
        ("same postcode", "a.postcode = b.postcode"),
        ("same city", "a.city = b.city"),
        ("different", "TRUE"),
    ),
    "same",
    "place",
    False,
    chance=1e-4,
)  # fmt: skip

_COMPANY = Comparison(
    "company", ("company",), "{r}.company IS NOT NULL",
    (
        ("same", "a.company = b.company"),
        ("similar", "jaro_winkler_similarity(a.company, b.company) >= 0.9"),
        ("different", "TRUE"),
    ),
    "same", "company", False, chance=0.01,
)  # fmt: skip

_NATIONAL = Comparison(
    "national_id",
    ("national_id",),
    "{r}.national_id IS NOT NULL",
    (
        ("same", "a.national_id = b.national_id"),
        ("same end", "right(a.national_id, 4) = right(b.national_id, 4) AND (length(a.national_id) = 4 OR length(b.national_id) = 4)", "end"),
        ("other end", "length(a.national_id) = 4 OR length(b.national_id) = 4", "end"),
        ("one digit", f"{edits('national_id', 1)}"),
        ("two digits", f"{edits('national_id', 2)}"),
        ("different", "TRUE"),
    ),
    "same",
    "national_id",
    True,
    chance=1e-6,
)  # fmt: skip

_IDENTIFIERS = Comparison(
    "identifiers", ("identifiers",), "{r}.identifiers IS NOT NULL",
    (("one in common", "list_has_any(a.identifiers, b.identifiers)"), ("different", "TRUE")),
    "", "", True, chance=1e-6,
)  # fmt: skip

COMPARISONS = (
    _GIVEN, _FAMILY, _WHOLE_NAME, _MIDDLE, _SUFFIX, _GENDER, _BIRTH, _EMAIL, _PHONE, _ADDRESS,
    _COMPANY, _NATIONAL, _IDENTIFIERS, _MAIL_YEAR,
)  # fmt: skip
"""All comparisons, in the order of their places in a pattern."""
