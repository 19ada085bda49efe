"""The clauses of a rule: what it joins with `and`, `or` and `not`, each a rule of its own.

A rule says who; its clauses say why, and which part of it traits alone decide.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

import msgspec
import sqlglot
from sqlglot.tokenizer_core import Token, TokenType

from onefold.segment.rule import Rule, Scope, compile_rule

_OPEN = {TokenType.L_PAREN, TokenType.CASE}
_CLOSE = {TokenType.R_PAREN, TokenType.END}
NOTHING = Scope()


class Clause(msgspec.Struct, frozen=True):
    """A part of a rule: `and`, `or` and `not` of further parts, or a `test` that has none."""

    kind: Literal["and", "or", "not", "test"]
    rule: Rule
    parts: tuple[Clause, ...] = ()

    @property
    def text(self) -> str:
        """The part as it is written."""
        return self.rule.text

    @property
    def tests(self) -> tuple[Clause, ...]:
        """The tests that it is made of, from left to right."""
        if self.kind == "test":
            return (self,)
        return tuple(test for part in self.parts for test in part.tests)

    @property
    def needed(self) -> tuple[Clause, ...]:
        """The parts that must all hold for it to hold."""
        if self.kind != "and":
            return (self,)
        return tuple(one for part in self.parts for one in part.needed)


def clauses_of(text: str, known: Scope = NOTHING) -> Clause:
    """Take a rule apart; `InvalidInput` with every fault where it is none.

    >>> found = clauses_of("country = 'CN' and not (vip or did('Order Completed'))")
    >>> [part.text for part in found.parts]
    ["country = 'CN'", "not (vip or did('Order Completed'))"]
    >>> [test.text for test in found.tests]
    ["country = 'CN'", 'vip', "did('Order Completed')"]
    """
    rule = compile_rule(text, known)
    return _clause(rule, sqlglot.tokenize(text, read="duckdb"), known)


def event_calls(text: str, functions: Sequence[str]) -> list[str]:
    """The calls of these functions that stand in a rule, as they are written.

    >>> event_calls("did('A') and sum_of('B', x) > 3", ("did", "sum_of"))
    ["did('A')", "sum_of('B', x)"]
    """
    tokens = sqlglot.tokenize(text, read="duckdb")
    found = []
    for index, token in enumerate(tokens[:-1]):
        named = token.text.lower() in functions and token.token_type != TokenType.STRING
        if named and tokens[index + 1].token_type == TokenType.L_PAREN:
            depth = 0
            for last in tokens[index + 1 :]:
                depth += _step(last)
                if depth == 0:
                    found.append(text[token.start : last.end + 1])
                    break
    return list(dict.fromkeys(found))


def _clause(rule: Rule, tokens: list[Token], known: Scope) -> Clause:
    inner = _unwrapped(tokens)
    for kind in (TokenType.OR, TokenType.AND):
        parts = _split(inner, kind)
        if len(parts) > 1:
            word: Literal["and", "or"] = "or" if kind == TokenType.OR else "and"
            return Clause(word, rule, tuple(_part(rule.text, part, known) for part in parts))
    if inner[0].token_type == TokenType.NOT:
        return Clause("not", rule, (_part(rule.text, inner[1:], known),))
    return Clause("test", rule)


def _part(text: str, tokens: list[Token], known: Scope) -> Clause:
    """A part as a rule; its tokens are read anew, so that their places are those in its text."""
    return clauses_of(text[tokens[0].start : tokens[-1].end + 1], known)


def _unwrapped(tokens: list[Token]) -> list[Token]:
    """Take off the parentheses around all of it."""
    while tokens[0].token_type == TokenType.L_PAREN:
        depths = itertools.accumulate(map(_step, tokens))
        if next(index for index, depth in enumerate(depths) if depth == 0) < len(tokens) - 1:
            break
        tokens = tokens[1:-1]
    return tokens


def _split(tokens: list[Token], word: TokenType) -> list[list[Token]]:
    """Cut at a word that stands outside of parentheses; the `and` of a `between` is none."""
    parts: list[list[Token]] = [[]]
    depth = between = 0
    for token in tokens:
        depth += _step(token)
        kind = token.token_type
        if depth == 0 and kind == TokenType.BETWEEN:
            between += 1
        elif depth == 0 and kind == TokenType.AND and between:
            between -= 1
        elif depth == 0 and kind == word:
            parts.append([])
            continue
        parts[-1].append(token)
    return parts


def _step(token: Token) -> int:
    return (token.token_type in _OPEN) - (token.token_type in _CLOSE)
