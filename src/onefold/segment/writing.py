"""What the modules of functions share: how a writer of SQL looks, and how types are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sqlglot import exp

from onefold.segment.metric import Type

if TYPE_CHECKING:
    from onefold.segment.expression import Translator

Writer: TypeAlias = Callable[["Translator", exp.Expr, Type | None], str]

NOUNS: dict[Type, str] = {
    "text": "text",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date",
    "time": "a time",
    "list": "a list",
    "numbers": "a list of numbers",
    "object": "an object",
}


class Call(NamedTuple):
    """A function that the parser knows nothing of."""

    type: Type
    write: Writer


def whole_number(node: exp.Expr | None, least: int, most: int) -> int | None:
    """Read a whole number that is written as such, within bounds."""
    text = node.name if isinstance(node, exp.Literal) and not node.is_string else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        return None
    return int(text) if least <= int(text) <= most else None


def full_match(pattern: str, text: str) -> bool:
    """Say whether a whole text is of a pattern."""
    return re.fullmatch(pattern, text) is not None
