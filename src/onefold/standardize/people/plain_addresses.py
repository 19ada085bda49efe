"""Lines of addresses that are written the plain way, in SQL: number and door apart from the rest.

What is left of many lines, the street and what stands before it, is the same; it is read once.
"""

from __future__ import annotations

from onefold.model.sql import literal_sql
from onefold.standardize.people.addresses import PLAIN_LINE, after_number
from onefold.standardize.people.chinese_addresses import chinese_address
from onefold.standardize.people.plain import Steps, matches

_CHINESE = r"([\x{4e00}-\x{9fff}]+)(\d{1,5})号(?:(\d{1,4})[栋幢座](\d{1,4})单元(\d{1,4})室)?"
_DOOR = r"^([a-z0-9 .'&]+),? (?:(?:apt\.?|unit|suite|ste\.?) #?|# ?)([a-z0-9][a-z0-9-]{0,7})$"
_ANY_DOOR = " apt 1"
_NUMERAL = "[第甲乙丙附之零〇一二三四五六七八九十号][0-9]{1,5}号"
REST_PARTS = ("street", "unit", "po_box", "city", "district", "state", "postcode", "more")
"""What the rest of a plain line says."""


def line_steps(text: str) -> Steps:
    """`line_rest`, `line_number` and `line_door` of a plain line; the text is there for all."""
    chinese = literal_sql(f"^{_CHINESE}$")
    door = "regexp_matches(after_number, '[#0-9]| unit | apt| s[tu]')"
    short = f"length({text}) <= 120"
    return [
        {
            "low_line": f"CASE WHEN {short} AND {matches(f'lower({text})', PLAIN_LINE)}"
            f" THEN lower({text}) END",
            "han_line": f"CASE WHEN {short} AND {matches(text, _CHINESE)}"
            f" AND NOT regexp_matches({text}, {literal_sql(_NUMERAL)}) THEN {text} END",
        },
        {
            "after_number": "substr(low_line, strpos(low_line, ' ') + 1)",
            "han_parts": f"CASE WHEN han_line IS NOT NULL THEN regexp_extract(han_line, {chinese},"
            " ['a', 'n', 'b', 'c', 'd']) END",
        },
        {
            "door": f"CASE WHEN {door} THEN regexp_extract(after_number, {literal_sql(_DOOR)}, ['s', 'd']) END"
        },
        {
            "line_rest": "CASE WHEN door.d <> '' THEN door.s || '" + _ANY_DOOR + "'"
            " WHEN low_line IS NOT NULL THEN after_number"
            " WHEN han_line IS NOT NULL THEN han_parts.a END",
            "line_number": "CASE WHEN low_line IS NOT NULL THEN split_part(low_line, ' ', 1)"
            " WHEN han_line IS NOT NULL THEN han_parts.n END",
            "line_door": "CASE WHEN door.d <> '' THEN door.d WHEN han_parts.b <> '' THEN"
            " han_parts.b || '-' || han_parts.c || '-' || han_parts.d END",
            "text_address": text,
        },
    ]


def read_rest(rest: str) -> tuple[str | None, ...] | None:
    """What the rest of a plain line says: `REST_PARTS`. None where its number is not what it seems.

    >>> read_rest("n main st")[0], read_rest("上海市杨浦区幸福路")[:5]
    ('n main st', ('幸福路', None, None, 'shanghai', 'yangpu'))
    """
    if rest.isascii():
        line = after_number(rest)
        if rest.endswith(_ANY_DOOR) and line.unit != "1":
            return None
        return line.street, line.unit, line.po_box, None, None, None, None, None
    found = chinese_address(f"{rest}1号")
    if found.house_number != "1" or found.unit or found.more or found.postcode:
        return None
    return found.street, None, None, found.city, found.district, found.state, None, None
