"""Which pairs are compared: those that agree on all parts of some key.

Of n records there are n²/2 pairs, nearly all of strangers. A key names parts that a person's records
often agree on and strangers seldom. What more than `CAP` records share is divided by further parts.
Neighbors in the order of the alphabet share the beginning of a name: such a part finds them from one
record alone, whatever other records there are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from onefold.model.person import COLUMNS
from onefold.resolve.matching.comparison import PARTS_OF_NAME, WHOLE
from onefold.resolve.matching.conditions import ASKED_ONCE, OF_ONE
from onefold.resolve.matching.records import BETWEEN, LISTS, MOST_BINS

CAP = 60
"""More records than that with the same key are not compared with each other."""
DIVIDED = 31
"""Keys of divided blocks have the number of the key that was divided, and this more."""
RARE = 7
"""From this bin of frequency on (one in 4,096 records and rarer) a family name is rare."""
MOST_ALIKE = 1
"""Records that are alike in everything count as so many pairs at most: they say one thing once."""
_PRIMES = (274876858367, 137438691329, 68718952447, 34359607297)
PART = 4194301
"""What a part counts of several: so much of its number. A prime, so that all letters of a beginning count."""
_MODULUS = 288230376151711717  # the largest prime below 2**58
_RULES = 32
"""A key's number ends in that of its rule."""
_COLUMN = re.compile(r"\b([ab])\.(\w+)")


class Part(NamedTuple):
    """Something that a key is made of: a number, made from a column that a comparison is on."""

    column: str
    sql: str
    comparison: str


class Key(NamedTuple):
    """Records that agree on all parts are compared; `touches`: what is then known beforehand."""

    name: str
    parts: tuple[str, ...]
    touches: tuple[str, ...]


def _code(column: str, comparison: str) -> Part:
    return Part(column, f"{column}_code", comparison)


def _beginning(column: str, letters: int, comparison: str) -> Part:
    return Part(column, _letters(column, letters), comparison)


def _letters(text: str, letters: int) -> str:
    """The first letters of a text as a number."""
    numbers = (
        f"greatest(unicode(substr({text}, {place + 1}, 1)), 0)::BIGINT * {1 << (15 * place)}"
        for place in range(letters)
    )
    return f"({' + '.join(numbers)})"


PARTS: Mapping[str, Part] = {
    "email": _code("email", "email"),
    "email_local": _code("email_local", "email"),
    "phone": _code("phone", "phone"),
    "phone_end": Part("phone", "TRY_CAST(right(phone, 7) AS BIGINT)", "phone"),
    "area": Part(
        "phone",
        "CASE WHEN length(phone) > 9 THEN TRY_CAST(substr(phone, 2, length(phone) - 8) AS BIGINT) END",
        "phone",
    ),
    "national_id": _code("national_id", "national_id"),
    "birth": _code("birth_digits", "birth_date"),
    "birth_year": Part("birth_year", "birth_year::BIGINT", "birth_date"),
    "birth_day": Part("birth_digits", "TRY_CAST(right(birth_digits, 4) AS BIGINT)", "birth_date"),
    "given": _code("given_name", "given_name"),
    "family": _code("family_name", "family_name"),
    "names": _code("name_sorted", "given_name"),
    "given_sound": _code("given_sound", "given_name"),
    "family_sound": _code("family_sound", "family_name"),
    "given_3": _beginning("given_name", 3, "given_name"),
    "family_4": _beginning("family_name", 4, "family_name"),
    "family_end": Part("family_name", _letters("right(family_name, 4)", 4), "family_name"),
    "rare_family": Part(
        "family_name",
        f"CASE WHEN family_name_bin >= {RARE} THEN family_name_code END",
        "family_name",
    ),
    "given_1": _beginning("given_name", 1, "given_name"),
    "family_1": _beginning("family_name", 1, "family_name"),
    "middle": _code("middle_name", "middle_name"),
    "place": _code("place", "address"),
    "street": _code("street", "address"),
    "house": _code("house_number", "address"),
    "more": _code("address_more", "address"),
    "postcode": _code("postcode", "address"),
    "city": _code("city", "address"),
    "company": _code("company", "company"),
}

COARSER: Mapping[str, tuple[str, ...]] = {
    "email": ("email_local",),
    "phone": ("phone_end", "area"),
    "birth": ("birth_year", "birth_day"),
    "given": ("given_sound", "given_3", "given_1"),
    "family": ("family_sound", "family_4", "family_1", "family_end"),
    "rare_family": ("family", "family_sound", "family_4", "family_1", "family_end"),
    "given_3": ("given_1",),
    "family_4": ("family_1",),
    "place": ("street", "house"),
}
"""What agrees wherever a part agrees."""

_KEYS: tuple[str, ...] = (
    "email", "phone", "national_id", "email_local", "phone_end", "names", "birth", "place", "family",
    "given", "more", "street",
    "family birth", "given birth", "family_sound birth", "given_sound birth", "family_1 birth",
    "given_1 birth", "family_4 birth_day", "given_3 birth_day", "given family_1 birth_year",
    "family given_1 birth_year", "family given_1 birth_day", "names birth_year",
    "given_3 family_4 birth_year", "given_3 family_4", "given_sound family_sound", "given middle birth_year",
    "given family_sound", "given_sound family",
    "birth postcode", "birth house", "birth city", "birth street",
    "place given", "place family", "place given_1", "street given", "street family", "house given",
    "house family", "house given postcode", "house family postcode", "more given", "more family",
    "given postcode family_1", "family postcode given_1", "given_3 family_4 postcode",
    "given_3 family_4 city", "given family_sound city", "given city house", "family city house",
    "given company", "family company", "given middle family_1",
    "family given_1 area", "given family_4 area", "given family_end area", "given postcode", "family postcode",
    "rare_family given_1", "rare_family area", "rare_family city", "given birth_day",
)  # fmt: skip
DIVIDERS = ("birth", "place", "given", "family", "postcode", "phone", "email", "street", "more")
"""What divides a block that is too large."""
_NAMES = ("names", "given_sound", "given", "family", "family_sound")


def key(name: str) -> Key:
    """The key of this name, which lists its parts."""
    parts = tuple(name.split())
    touches = dict.fromkeys(touched for part in parts for touched in _touched(part))
    if touches.keys() & {*PARTS_OF_NAME}:
        touches[WHOLE] = None
    return Key(name, parts, tuple(touches))


def candidates(present: Sequence[str]) -> list[Key]:
    """All keys that can be made of these columns."""
    found = [key(name) for name in _KEYS]
    return [one for one in found if all(PARTS[part].column in present for part in one.parts)]


def _touched(part: str) -> tuple[str, ...]:
    return ("given_name", "family_name") if part == "names" else (PARTS[part].comparison,)


def coded_columns() -> list[str]:
    """The columns whose values must have a code."""
    return [part.column for part in PARTS.values() if part.sql == f"{part.column}_code"]


def parts_query(parts: Sequence[str], most: int, records: str = "prepared") -> str:
    """The first records, which are as good as random ones, with all parts: null where absent."""
    chosen = ", ".join(f"{PARTS[part].sql} AS {part}" for part in parts)
    return f"SELECT {chosen} FROM {records} WHERE rid <= {most} ORDER BY rid"


def keys_query(keys: Sequence[Key], records: str = "prepared") -> str:
    """The keys of all records: `(key, rid)`."""
    if not keys:
        return f"SELECT 0::BIGINT AS key, rid FROM {records} WHERE FALSE"
    every = ", ".join(
        f"{_key_sql(one.parts)} * {_RULES} + {place}" for place, one in enumerate(keys)
    )
    # One pass; a key of which a part is unknown is unknown.
    return (
        f"SELECT key, rid FROM (SELECT unnest([{every}]) AS key, rid FROM {records})"
        " WHERE key IS NOT NULL"
    )


def _key_sql(parts: Sequence[str]) -> str:
    products = [
        f"{PARTS[part].sql} % {PART} * {prime}" for part, prime in zip(parts, _PRIMES, strict=False)
    ]
    whole = " + ".join(products) if len(parts) > 1 else PARTS[parts[0]].sql
    return f"({whole}) % {_MODULUS}"


def sizes_query(keys: str = "keys") -> str:
    """How many records have each key that two have, and the first and last: `(key, n, l, r)`."""
    return (
        f"SELECT key, count(*) AS n, min(rid) AS l, max(rid) AS r FROM {keys}"
        " GROUP BY key HAVING count(*) > 1"
    )


def divided_query(
    keys: Sequence[Key], coded: Sequence[str], cap: int = CAP, records: str = "prepared"
) -> str:
    """The keys of records in blocks that are too large, each with one part more."""
    further = []
    for number, part in enumerate(DIVIDERS):
        rules = [place for place, one in enumerate(keys) if divides(part, one.parts)]
        if PARTS[part].column in coded and rules:
            further.append(
                f"CASE WHEN k.key % {_RULES} IN ({', '.join(map(str, rules))}) THEN"
                f" (k.key // {_RULES} + p.{PARTS[part].sql} * {_PRIMES[3]} + {number})"
                f" % {_MODULUS} * {_RULES} + k.key % {_RULES} END"
            )
    if not further:
        return "SELECT * FROM keys WHERE FALSE"
    return (
        f"SELECT key, rid FROM (SELECT unnest([{', '.join(further)}]) AS key, k.rid"
        f" FROM keys AS k JOIN (SELECT key FROM sizes WHERE n > {cap:d}) AS s ON k.key = s.key"
        f" JOIN {records} AS p ON k.rid = p.rid) WHERE key IS NOT NULL"
    )


def divides(part: str, parts: Sequence[str]) -> bool:
    """Does a part say something that the others of a key do not?"""
    column = PARTS[part].column
    if part in {"given", "family"} and {"names", "given_sound", "given_3"} & set(parts):
        return False
    return all(PARTS[other].column != column for other in parts)


def blocks_query(cap: int = CAP) -> str:
    """The keys of records in blocks of more than two that are not too large: `(key, rid, shift)`.

    `shift` is `DIVIDED` for keys of blocks that were divided.
    """
    return " UNION ALL ".join(
        f"SELECT k.key, k.rid, {shift} AS shift FROM {keys} AS k JOIN"
        f" (SELECT key FROM {sizes} WHERE n BETWEEN 3 AND {cap:d}) AS s ON k.key = s.key"
        for keys, sizes, shift in _KINDS
    )


_KINDS = (("keys", "sizes", 0), ("divided", "divided_sizes", DIVIDED))


def pairs_query(cap: int = CAP) -> str:
    """The pairs that agree on a key, and on which ones: `(l, r, rules)`.

    Most blocks are of two records: the first and the last. From bit `DIVIDED` on stand the keys that were divided, of which nothing is learned. Records that
    are alike in everything are a pair of one record with itself.
    """
    twos = " UNION ALL ".join(
        f"SELECT l, r, 1::BIGINT << (key % {_RULES} + {shift}) AS rules FROM {sizes} WHERE n = 2 AND n <= {cap:d}"
        for _, sizes, shift in _KINDS
    )
    return (
        f"SELECT l, r, bit_or(rules) AS rules FROM ({twos} UNION ALL"
        f" SELECT a.rid AS l, b.rid AS r, 1::BIGINT << (a.key % {_RULES} + a.shift) AS rules"
        " FROM blocks AS a JOIN blocks AS b ON a.key = b.key AND a.shift = b.shift AND a.rid < b.rid"
        f" UNION ALL SELECT k.rid AS l, k.rid AS r, 1::BIGINT << (k.key % {_RULES}) AS rules"
        " FROM keys AS k JOIN prepared AS p ON k.rid = p.rid WHERE p.copies > 1"
        ") GROUP BY l, r"
    )


def compared_query(
    pattern: str,
    sources: int,
    pairs: str = "pairs",
    *,
    binned: Sequence[str] = (),
    absent: Sequence[str] = (),
) -> str:
    """The pairs with their pattern, the pair of their sources, and how often they count.

    What takes long and is asked by several comparisons is asked once, what is asked of one record was asked before,
    and what no record has is not looked up. `binned` are the columns whose bins are in `bins`, in their order.
    """
    for side in "ab":
        for name, of_one in OF_ONE.items():
            pattern = pattern.replace(f"({of_one.format(r=side)})", f"{side}.{name}")
        for place, column in enumerate(binned):
            digit = f"({side}.bins // {MOST_BINS**place} % {MOST_BINS})"
            pattern = pattern.replace(f"{side}.{column}_bin", digit)
    pattern = _COLUMN.sub(
        lambda found: f"NULL::{COLUMNS[found[2]]}" if found[2] in absent else found[0], pattern
    )
    asked = ""
    for condition, (name, unasked) in ASKED_ONCE.items():
        if condition in pattern:
            asked += f", CASE WHEN {unasked} THEN NULL ELSE {condition} END AS {name}"
            pattern = pattern.replace(condition, name)
    read = "".join(
        f", {side}.{column} AS {side}_{column}"
        for side, column in sorted(set(_COLUMN.findall(pattern)))
    )
    pattern = _COLUMN.sub(_looked_up, pattern)
    return (
        f"SELECT l, r, rules, {pattern} AS pattern, sources, times"
        f" FROM (SELECT p.l, p.r, p.rules{read}{asked}, least(a.source_code, b.source_code)"
        f" * {sources} + greatest(a.source_code, b.source_code) AS sources,"
        f" CASE WHEN p.l = p.r THEN least(a.copies - 1, {MOST_ALIKE}) ELSE 1 END AS times"
        f" FROM {pairs} AS p JOIN prepared AS a ON a.rid = p.l JOIN prepared AS b ON b.rid = p.r)"
    )


def _looked_up(found: re.Match[str]) -> str:
    """A column of one side where it was looked up; a list that is a text there as a list again."""
    name = f"{found[1]}_{found[2]}"
    asks_whether = found.string.startswith(" IS ", found.end())
    if found[2] not in LISTS or asks_whether:
        return name
    return f"string_split({name}, '{BETWEEN}')"
