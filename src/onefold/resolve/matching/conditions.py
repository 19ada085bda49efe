"""Conditions that are asked of two records, `a` and `b`, in several comparisons or in pieces, in SQL."""

from __future__ import annotations

from collections.abc import Mapping


def alike(column: str) -> str:
    """How alike two values are, from 0 to 1."""
    return f"jaro_similarity(a.{column}, b.{column})"


def similar(column: str, least: float) -> str:
    """Are the names so similar, and more so where they begin alike? Below 0.7 the beginning does not count."""
    return (
        f"CASE WHEN {alike(column)} > 0.7"
        f" THEN jaro_winkler_similarity(a.{column}, b.{column}) >= {least} ELSE FALSE END"
    )


def edits(column: str, most: int) -> str:
    """So few letters differ or change places. What is quicker, and must hold as well, is asked first.

    An engine may ask the parts of an AND in any order, those of a CASE it may not.
    """
    least = 0.9 if column == "email" else {1: 0.8, 2: 0.75}[most]
    one, two = f"a.{column}", f"b.{column}"
    return (
        f"CASE WHEN {alike(column)} >= {least} THEN"
        f" CASE WHEN levenshtein({one}, {two}) <= {2 * most}"
        f" THEN damerau_levenshtein({one}, {two}) <= {most} ELSE FALSE END ELSE FALSE END"
    )


NICKNAMES = "list_has_any(a.nickname_roots, b.nickname_roots)"
"""May one given name stand for the other?"""


def in_mail(column: str) -> str:
    """A name stands in the mail address of the other, who is called otherwise: before a marriage, or at home."""
    return " OR ".join(
        f"length({one}.{column}) > 3 AND contains({two}.email_local, {one}.{column})"
        for one, two in (("a", "b"), ("b", "a"))
    )


# Two people who are called alike may have chosen the same address, or one that is like it; and addresses that are only similar
# say little else than that the names are.
_FAMILY_IN_MAIL = (
    "CASE WHEN contains({r}.email_local, left({r}.family_name, 4))"
    " THEN left({r}.family_name, 4) || left({r}.given_name, 1) END"
)
_GIVEN_IN_MAIL = (
    "CASE WHEN contains({r}.email_local, left({r}.given_name, 3)) THEN left({r}.given_name, 3) END"
)


def _same(of_one: str) -> str:
    return f"({of_one.format(r='a')}) = ({of_one.format(r='b')})"


MADE_OF_NAME = f"({_same(_FAMILY_IN_MAIL)} OR {_same(_GIVEN_IN_MAIL)})"

ASKED_ONCE: Mapping[str, tuple[str, str]] = {
    NICKNAMES: ("nicknames", "a.given_name = b.given_name"),
    alike("given_name"): ("given_alike", "a.given_name = b.given_name"),
    alike("family_name"): ("family_alike", "a.family_name = b.family_name"),
}
"""What takes long and is asked several times: what it is called, and where nobody asks."""


def _two_digits() -> str:
    end = "right({r}.email_local, 2)"
    signs = (f"left({end}, 1)", f"right({end}, 1)")
    digits = " AND ".join(f"{sign} >= '0' AND {sign} <= '9'" for sign in signs)
    before = "left(right({r}.email_local, 3), 1)"
    return (
        f"CASE WHEN {{r}}.birth_digits IS NULL AND {digits}"
        f" AND ({before} < '0' OR {before} > '9') THEN {end} END"
    )


# Many write the year of their birth into their mail address.
MAIL_DIGITS = _two_digits()
"""The two digits that a mail address ends in, where the birth date is not known."""
_DIGITS_OF = {record: MAIL_DIGITS.format(r=record) for record in "ab"}
TWO_DIGITS = " OR ".join(f"({one}) IS NOT NULL" for one in _DIGITS_OF.values())
ARE_YEAR = " OR ".join(
    f"({_DIGITS_OF[one]}) = substr({other}.birth_digits, 3, 2)"
    for one, other in (("a", "b"), ("b", "a"))
)

OF_ONE: Mapping[str, str] = {
    "mail_digits": MAIL_DIGITS,
    "family_in_mail": _FAMILY_IN_MAIL,
    "given_in_mail": _GIVEN_IN_MAIL,
}
"""What is asked of one record alone: of each once, before any two are compared."""
