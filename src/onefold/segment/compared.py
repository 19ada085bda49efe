"""Comparisons in the SQL that rules are compiled to: a column, an operator, a number or a text."""

from __future__ import annotations

import math
import re

from onefold.segment.metric import FieldType

_LITERAL = r"-?[0-9][0-9.]*(?:e[+-]?[0-9]+)?|'(?:[^']|'')*'"
COMPARISON = re.compile(
    r"'(?:[^']|'')*'"
    rf"|\((?P<left>[a-z][a-z2-7]{{10}}) (?P<by>>=|<=|<>|=|>|<) (?P<right>{_LITERAL})\)"
    r"|\((?P<null>[a-z][a-z2-7]{10}) IS NULL\)"
    r"|\b(?P<name>[a-z][a-z2-7]{10})\b"
)
"""A text; a comparison with a literal; a test for absence; or a column. Columns have generated names."""


def constant(literal: str, of: FieldType) -> float | str | None:
    """A literal as the value that it is, where it is of the type that it is compared with.

    >>> constant("'it''s'", "text"), constant("3.0e0", "number"), constant("3.0e0", "text")
    ("it's", 3.0, None)
    """
    if literal.startswith("'"):
        return literal[1:-1].replace("''", "'") if of == "text" else None
    number = float(literal)
    return number if of == "number" and math.isfinite(number) else None


def number_sql(number: float) -> str:
    """Write a number so that it is a DOUBLE, whatever stands beside it.

    >>> number_sql(3.0)
    '3.0e0'
    """
    written = repr(number)
    return written if "e" in written else f"{written}e0"
