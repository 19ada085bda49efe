"""Many values at once: SQL that reads those that are written the plain way.

Whatever it leaves (NULL) is read one distinct value at a time by the functions of `parts`, which
say what is right; where the SQL gives a value it is theirs.
"""

from __future__ import annotations

from sqlglot import exp

from onefold.standardize.junk import JUNK
from onefold.standardize.people.addresses import PLAIN_LINE
from onefold.standardize.people.phones import JUNK_ENDS, SIGNS, plain_pattern, plan

_EMAIL = r"[a-z0-9][a-z0-9._+-]{0,63}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}"
_WHOLE_NUMBERS = ("DOUBLE", "FLOAT")


def quoted(column: str) -> str:
    """A column's name in SQL."""
    return exp.to_identifier(column, quoted=True).sql("duckdb")


def literal(value: str) -> str:
    """A text in SQL."""
    return exp.Literal.string(value).sql("duckdb")


def text_sql(column: str, kind: str) -> str:
    """A column as text: a whole number without a fraction, nothing as NULL.

    >>> text_sql("Zip", "DOUBLE")
    'nullif(trim(CASE WHEN "Zip" = floor("Zip") AND abs("Zip") < 1e18 THEN CAST(CAST("Zip" AS BIGINT) AS VARCHAR) ELSE CAST("Zip" AS VARCHAR) END), \\'\\')'
    """
    name = quoted(column)
    text = name if kind == "VARCHAR" else f"CAST({name} AS VARCHAR)"
    if kind in _WHOLE_NUMBERS:
        whole = f"{name} = floor({name}) AND abs({name}) < 1e18"
        text = f"CASE WHEN {whole} THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) ELSE {text} END"
    return f"nullif(trim({text}), '')"


def email_sql(text: str) -> str:
    """An address in small letters if it is a plain one, else NULL; `''` for junk."""
    lowered = f"lower({text})"
    junk = ", ".join(literal(each) for each in sorted(JUNK) if "@" in each)
    plain = f"regexp_full_match({lowered}, {literal(_EMAIL)}) AND length({text}) <= 254"
    return f"CASE WHEN {plain} THEN CASE WHEN {lowered} IN ({junk}) THEN '' ELSE {lowered} END END"


def phone_sql(text: str, region: str | None) -> str:
    """A number in E.164 if it is plainly one of the region, else NULL; `''` for junk."""
    known = plan(region)
    if known is None:
        return "CAST(NULL AS VARCHAR)"
    digits = f"regexp_replace({text}, {literal(SIGNS)}, '', 'g')"
    pattern = f"^{plain_pattern(known)}$"
    national = f"nullif(regexp_extract({digits}, {literal(pattern)}, 1), '')"
    ends = ", ".join(literal(each) for each in JUNK_ENDS)
    end = f"right({national}, 7)"
    made_up = f"{end} IN ({ends}) OR {end} = repeat(right({end}, 1), 7)"
    return (
        f"CASE WHEN length({text}) > 64 THEN NULL WHEN {made_up} THEN '' "
        f"ELSE '+{known.code}' || {national} END"
    )


def line_sql(text: str) -> tuple[str, str]:
    """House number and rest of a plain line of an address, else NULL."""
    lowered = f"lower({text})"
    pattern = literal(f"^{PLAIN_LINE}$")
    plain = f"regexp_full_match({lowered}, {pattern}) AND {text} NOT LIKE '%,%,%' AND length({text}) <= 120"
    return tuple(  # type: ignore[return-value]
        f"CASE WHEN {plain} THEN regexp_extract({lowered}, {pattern}, {group}) END"
        for group in (1, 2)
    )
