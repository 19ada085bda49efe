"""What the modules of functions share: how a writer of SQL looks, and how types are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeAlias

import msgspec
from sqlglot import exp

from onefold.segment.metric import Type
from onefold.segment.syntax import Source

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


class Element(msgspec.Struct):
    """A value of a list, inside `any_of`: it is of the type that it is used as."""

    type: Type | None = None


class Translating(Protocol):
    """What a writer asks of the translator that calls it (`expression.Translator`)."""

    source: Source
    element: Element | None
    quiet: bool

    def boolean(self, node: exp.Expr) -> str:
        """Write a condition."""

    def value(self, node: exp.Expr, wanted: Type | None) -> str:
        """Write an expression of a type."""

    def alike(self, nodes: Sequence[exp.Expr], ordered: bool) -> list[str]:
        """Write values that are compared with each other, as one type."""

    def clock(self, node: exp.Expr, path: tuple[str, ...], type: Type) -> str:
        """Write a fact about the clock."""

    def type_of(self, node: exp.Expr) -> Type | None:
        """Say which type an expression has by itself."""

    def common_type(self, nodes: Sequence[exp.Expr]) -> Type | None:
        """Say as which type values are compared with each other."""

    def refuse(self, node: exp.Expr, message: str, hint: str = "") -> str:
        """Note a fault."""

    def only(self, node: exp.Expr, *allowed: str) -> bool:
        """Refuse the variants of an operator that the language does not have."""

    def turn(self, sql: str, *, moment: bool = False) -> None:
        """Note when time alone can next change the result."""

    def quietly(self) -> AbstractContextManager[None]:
        """Write what asks the clock without noting turns."""


Writer: TypeAlias = Callable[[Translating, exp.Expr, Type | None], str]


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
