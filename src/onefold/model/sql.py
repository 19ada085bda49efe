"""Texts and names as they are written in the SQL of the reference dialect."""

from __future__ import annotations


def literal_sql(text: str) -> str:
    """A text as a literal.

    >>> literal_sql("O'Neil")
    "'O''Neil'"
    """
    return "'" + text.replace("'", "''") + "'"


def quoted_sql(name: str) -> str:
    """The name of a column or table.

    >>> quoted_sql("Zip code")
    '"Zip code"'
    """
    return '"' + name.replace('"', '""') + '"'
