"""Many values at once: SQL that reads those that are written the plain way.

Whatever it leaves is read one distinct value at a time by the functions of `parts`, which say what
is right; where the SQL gives a value it is theirs. A `Steps` lists what is computed of a text, each
step of what the steps before gave; the last one has the parts, and the text if it was left.
"""

from __future__ import annotations

from collections.abc import Iterable

from onefold.model.sql import literal_sql, quoted_sql
from onefold.standardize.junk import JUNK
from onefold.standardize.people.birth_dates import JUNK_DAYS, MONTHS
from onefold.standardize.people.national_ids import CHECKS, JUNK_NUMBERS, WEIGHTS
from onefold.standardize.people.phones import JUNK_ENDS, plan

Steps = list[dict[str, str]]
_EMAIL = r"[a-z0-9][a-z0-9._+-]{0,63}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}"
_WHOLE_NUMBERS = ("DOUBLE", "FLOAT")
_SIGNS = "()-./ "
_MONTH = "|".join(name for name in MONTHS if len(name) == 3)


def listed(values: Iterable[str]) -> str:
    """Texts in SQL, for `IN`."""
    return ", ".join(map(literal_sql, sorted(values)))


def matches(text: str, pattern: str) -> str:
    """Is all of a text of this pattern?"""
    return f"regexp_full_match({text}, {literal_sql(pattern)})"


def text_sql(column: str, kind: str) -> str:
    """A column as text: a whole number without a fraction, nothing as NULL.

    >>> text_sql("Zip", "VARCHAR")
    'nullif(trim("Zip"), \\'\\')'
    """
    name = quoted_sql(column)
    text = name if kind == "VARCHAR" else f"CAST({name} AS VARCHAR)"
    if kind in _WHOLE_NUMBERS:
        whole = f"{name} = floor({name}) AND abs({name}) < 1e37"
        text = f"CASE WHEN {whole} THEN CAST(CAST({name} AS HUGEINT) AS VARCHAR) ELSE {text} END"
    return f"nullif(trim({text}), '')"


def email_steps(text: str, end: str) -> Steps:
    """`local` and `written_domain` of a plain address; of junk neither."""
    plain = f"{matches(f'lower({text})', _EMAIL)} AND length({text}) <= 254"
    junk = listed(each for each in JUNK if "@" in each)
    good = f"CASE WHEN mail{end} NOT IN ({junk}) THEN split_part(mail{end}, '@', {{}}) END"
    return [
        {f"mail{end}": f"CASE WHEN {plain} THEN lower({text}) END"},
        {
            f"local{end}": good.format(1),
            f"written_domain{end}": good.format(2),
            f"text_email{end}": f"CASE WHEN mail{end} IS NULL THEN {text} END",
        },
    ]


def phone_steps(text: str, end: str, region: str | None) -> Steps:
    """`phone` in E.164 of what is plainly a number of the region; none of what is made up."""
    known = plan(region)
    if known is None:  # a number that does not name its country is none
        local = matches(text, "(?:[1-9(]|0[1-9])[0-9 ()./-]*")
        return [{f"text_phone{end}": f"CASE WHEN NOT {local} THEN {text} END"}]
    digits, own, national = f"digits{end}", f"own{end}", f"national{end}"
    codes = [f"+{known.code}", f"00{known.code}"]
    after = " ".join(
        f"WHEN starts_with({digits}, {literal_sql(code)}) THEN substr({digits}, {len(code) + 1})"
        for code in (*codes, known.prefix)
        if code.strip("+").isdigit()
    )
    bare = " AND ".join(f"NOT starts_with({digits}, {literal_sql(code)})" for code in codes)
    bare_digits = text
    for sign in _SIGNS:  # (a third faster than `translate`)
        bare_digits = f"replace({bare_digits}, {literal_sql(sign)}, '')"
    number = f"{literal_sql('+' + known.code)} || {national}"
    made_up = f"right({number}, 7) IN ({listed(JUNK_ENDS)})"
    return [
        {digits: f"CASE WHEN length({text}) <= 64 THEN {bare_digits} END"},
        {own: f"CASE {after} ELSE {digits} END"},
        {
            national: f"CASE WHEN {matches(own, known.national)} THEN {own}"
            f" WHEN {bare} AND {matches(digits, known.national)} THEN {digits} END"
        },
        {
            f"phone{end}": f"CASE WHEN {made_up} THEN NULL ELSE {number} END",
            f"text_phone{end}": f"CASE WHEN {national} IS NULL THEN {text} END",
        },
    ]


def birth_steps(text: str, order: str | None, until: int) -> Steps:
    """`plain_born`: the day of a date whose year, month and day are plain."""
    year = f"left({text}, 4) BETWEEN '1875' AND '{until}'"
    compact = f"left({text}, 4) || '-' || substr({text}, 5, 2) || '-' || right({text}, 2)"
    cases = [
        (matches(text, "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"), text),
        (f"{matches(text, '[0-9]{8}')} AND {year}", compact),
    ]
    if order is not None:
        parts = [f"substr({text}, 4, 2)", f"left({text}, 2)"]
        month, day = parts if order == "dmy" else reversed(parts)
        swapped = f"right({text}, 4) || '-' || {month} || '-' || {day}"
        cases.append((matches(text, r"\d{2}[/.-]\d{2}[/.-]\d{4}"), swapped))
    named = matches(f"lower({text})", rf"\d{{2}} (?:{_MONTH}) \d{{4}}")
    months = " ".join(
        f"WHEN {literal_sql(name)} THEN '{month:02}'"
        for name, month in MONTHS.items()
        if len(name) == 3
    )
    spelled = f"CASE lower(substr({text}, 4, 3)) {months} END"
    cases.append((named, f"right({text}, 4) || '-' || {spelled} || '-' || left({text}, 2)"))
    written = " ".join(f"WHEN {condition} THEN {value}" for condition, value in cases)
    junk = ", ".join(f"DATE '{day[:4]}-{day[4:6]}-{day[6:]}'" for day in sorted(JUNK_DAYS))
    good = (
        f"read_born BETWEEN DATE '1875-01-01' AND DATE '2100-12-31' AND read_born NOT IN ({junk})"
    )
    return [
        {"read_born": f"TRY_CAST(CASE {written} END AS DATE)"},
        {"good_born": f"CASE WHEN {good} THEN read_born END"},
        {
            "plain_born": "good_born",
            "text_birth_date": f"CASE WHEN good_born IS NULL THEN {text} END",
        },
    ]


BORN = {
    "birth_date": "plain_born",
    "birth_date_weak": "CASE WHEN month(plain_born) = 1 AND day(plain_born) = 1 THEN TRUE END",
    "birth_digits": "CAST(year(plain_born) * 10000 + month(plain_born) * 100 + day(plain_born) AS VARCHAR)",
    "birth_year": "CAST(year(plain_born) AS INTEGER)",
}
"""What follows from the day of a plain date."""


def national_steps(text: str) -> Steps:
    """`plain_number` and what it is: nine digits, or a resident of China with a right last digit."""
    total = " + ".join(
        f"(ascii(substr({text}, {place}, 1)) - 48) * {weight}"
        for place, weight in enumerate(WEIGHTS, 1)
    )
    right_one = f"substr('{CHECKS}', ({total}) % 11 + 1, 1) = lower(right({text}, 1))"
    nine = matches(text, r"\d{9}|\d{3}-\d{2}-\d{4}")
    born = f"TRY_CAST(substr({text}, 7, 4) || '-' || substr({text}, 11, 2) || '-' || substr({text}, 13, 2) AS DATE)"
    known = f"ssn NOT IN ({listed(JUNK_NUMBERS)}) AND ssn <> repeat(left(ssn, 1), 9)"
    return [
        {
            "ssn": f"CASE WHEN {nine} THEN replace({text}, '-', '') END",
            "resident": f"CASE WHEN {matches(text, '[1-9][0-9]{16}[0-9Xx]')} THEN CASE WHEN"
            f" {right_one} AND {born} >= DATE '1800-01-01' THEN {born} END END",
        },
        {
            "plain_resident": "resident",
            "plain_number": f"CASE WHEN resident IS NOT NULL THEN lower({text}) WHEN {known} THEN ssn END",
            "resident_gender": "CASE WHEN resident IS NOT NULL THEN CASE WHEN"
            f" ascii(substr({text}, 17, 1)) % 2 = 1 THEN 'm' ELSE 'f' END END",
            "text_national_id": f"CASE WHEN ssn IS NULL AND resident IS NULL THEN {text} END",
        },
    ]


def identifier_steps(text: str, end: str, kind: str) -> Steps:
    """`identifier` with its kind, of letters, digits and signs that words are joined by."""
    lowered = f"lower({text})"
    plain = f"{matches(text, '[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}')} AND {lowered} NOT IN ({listed(JUNK)})"
    known = f"CASE WHEN {plain} AND trim({lowered}, '0-') <> '' THEN {literal_sql(kind + ':')} || {text} END"
    return [
        {f"known{end}": known},
        {
            f"identifier{end}": f"known{end}",
            f"text_identifier{end}": f"CASE WHEN known{end} IS NULL THEN {text} END",
        },
    ]


NATIONAL = {
    "id_number": "plain_number",
    "id_kind": "CASE WHEN plain_resident IS NOT NULL THEN 'cn_resident' WHEN plain_number IS NOT NULL THEN 'us_ssn' END",
    "id_birth_date": "plain_resident",
    "id_birth_digits": "CAST(year(plain_resident) * 10000 + month(plain_resident) * 100 + day(plain_resident) AS VARCHAR)",
    "id_birth_year": "CAST(year(plain_resident) AS INTEGER)",
    "id_gender": "resident_gender",
}
"""What follows from a plain number of a state."""
