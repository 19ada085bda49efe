"""The trees of comparisons and keys as Python functions, for a handful of pairs at a time.

An engine compares millions of pairs by SQL; to ask it about ten takes longer than to compare them. So the
same trees are compiled: one specification, and a test that both give the same for every pair.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlglot
from rapidfuzz.distance import DamerauLevenshtein, Jaro, JaroWinkler, Levenshtein
from sqlglot import exp

from onefold.resolve.matching.comparison import COMPARISONS, Comparison
from onefold.resolve.matching.levels import SHIFTS, levels_sql

Values = tuple[Any, ...]


def pattern_function(
    comparisons: Sequence[Comparison], columns: Sequence[str]
) -> Callable[[Values, Values], int]:
    """The pattern of two records, each given as the values of `columns`, as `pattern_sql` gives it."""
    writer = _Writer()
    lines = ["def pattern(a, b):"]
    lines += [f" ({''.join(f'{side}_{name}, ' for name in columns)}) = {side}" for side in "ab"]
    sums = []
    for one in comparisons:
        place = COMPARISONS.index(one)
        lines += [f" {line}" for line in writer.branches(_tree(levels_sql(one)), f"level_{place}")]
        sums.append(f"(level_{place} << {SHIFTS[one.name]})")
    lines.append(f" return {' | '.join(sums) or '0'}")
    return _made(lines, "pattern")


def values_function(
    expressions: Sequence[str], columns: Sequence[str]
) -> Callable[[Values], Values]:
    """The values of SQL expressions over one record; what is coded (`x_code`) is the value itself."""
    writer = _Writer()
    trees = [_tree(one) for one in expressions]
    lines = ["def values(record):", f" ({''.join(f'{name}, ' for name in columns)}) = record"]
    lines.append(f" return ({''.join(f'{writer.value(tree)}, ' for tree in trees)})")
    return _made(lines, "values")


def _tree(sql: str) -> exp.Expression:
    found = sqlglot.parse_one(f"SELECT {sql}", read="duckdb").expressions[0]
    assert isinstance(found, exp.Expression)
    return found


def _made(lines: list[str], name: str) -> Callable[..., Any]:
    space: dict[str, Any] = dict(_HELPERS)
    # Made of our own trees only: a model's file names comparisons, it brings none.
    exec("\n".join(lines), space)  # noqa: S102
    made: Callable[..., Any] = space[name]
    return made


class _Writer:
    """Writes SQL as Python. What SQL leaves unknown is None, and is neither true nor false."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def branches(self, tree: exp.Expression, target: str) -> Iterator[str]:
        """A CASE as branches that give `target` its value."""
        assert isinstance(tree, exp.Case), "a comparison is a CASE"
        word = "if"
        for one in tree.args["ifs"]:
            yield f"{word} {self.true(one.this)}: {target} = {self.value(one.args['true'])}"
            word = "elif"
        yield f"else: {target} = {self.value(tree.args['default'])}"

    def true(self, tree: exp.Expression) -> str:
        """Is a condition true?"""
        return self._condition(tree, True)

    def _condition(self, tree: exp.Expression, wanted: bool) -> str:
        """Is a condition true, or false? Where it is unknown it is neither."""
        if isinstance(tree, exp.Paren):
            return self._condition(tree.this, wanted)
        if isinstance(tree, exp.Not):
            return self._condition(tree.this, not wanted)
        if isinstance(tree, exp.And | exp.Or):
            word = "and" if isinstance(tree, exp.And) == wanted else "or"
            sides = (self._condition(one, wanted) for one in (tree.this, tree.expression))
            return f"({f' {word} '.join(sides)})"
        if isinstance(tree, exp.Boolean):
            return str(bool(tree.this) == wanted)
        if isinstance(tree, exp.Is):
            return f"({self.value(tree.this)} is {'' if wanted else 'not '}None)"
        if isinstance(tree, exp.Coalesce) and isinstance(tree.expressions[0], exp.Boolean):
            if bool(tree.expressions[0].this) == wanted:
                return f"(not {self._condition(tree.this, not wanted)})"
            return self._condition(tree.this, wanted)
        if isinstance(tree, exp.Case):
            default = tree.args.get("default")
            text = "False" if default is None else self._condition(default, wanted)
            for one in reversed(tree.args["ifs"]):
                text = f"({self._condition(one.args['true'], wanted)} if {self.true(one.this)} else {text})"
            return text
        for kind, (sign, opposite) in _SIGNS.items():
            if isinstance(tree, kind):
                return self._compared(tree, sign if wanted else opposite)
        return f"({self.value(tree)} is {wanted})"

    def _compared(self, tree: exp.Expression, sign: str) -> str:
        known, sides = [], []
        for one in (tree.this, tree.expression):
            text = self.value(one)
            if isinstance(one, exp.Literal):
                sides.append(text)
            elif isinstance(one, exp.Column):
                known.append(f"{text} is not None")
                sides.append(text)
            else:
                name = f"t{next(self._numbers)}"
                known.append(f"({name} := {text}) is not None")
                sides.append(name)
        return f"({' and '.join([*known, f'{sides[0]} {sign} {sides[1]}'])})"

    def value(self, tree: exp.Expression) -> str:
        """What an expression gives."""
        if isinstance(tree, exp.Paren):
            return self.value(tree.this)
        if isinstance(tree, exp.Column):
            name = f"{tree.table}_{tree.name}" if tree.table else tree.name.removesuffix("_code")
            return str(name)
        if isinstance(tree, exp.Literal):
            return repr(tree.this) if tree.is_string else str(tree.this)
        if isinstance(tree, exp.Null):
            return "None"
        if isinstance(tree, exp.Case):
            return self._case(tree)
        if isinstance(tree, exp.Cast) and not isinstance(tree, exp.TryCast):
            if isinstance(tree.this, exp.Paren):
                yes, no = (self._condition(tree.this, wanted) for wanted in (True, False))
                return f"(1 if {yes} else 0 if {no} else None)"
            return self.value(tree.this)
        if isinstance(tree, exp.Array):
            return f"({''.join(f'{self.value(one)}, ' for one in tree.expressions)})"
        return self._called(tree)

    def _case(self, tree: exp.Case) -> str:
        text = "None" if tree.args.get("default") is None else self.value(tree.args["default"])
        for one in reversed(tree.args["ifs"]):
            text = f"({self.value(one.args['true'])} if {self.true(one.this)} else {text})"
        return text

    def _called(self, tree: exp.Expression) -> str:
        name = tree.name.lower() if isinstance(tree, exp.Anonymous) else tree.key
        if name not in _HELPERS:
            raise NotImplementedError(f"{tree.sql('duckdb')} cannot be compiled")
        given = (
            tree.expressions if isinstance(tree, exp.Anonymous) else list(tree.iter_expressions())
        )
        given = [one for one in given if not isinstance(one, exp.DataType)]
        return f"{name}({', '.join(self.value(one) for one in given)})"


_SIGNS: Mapping[type[exp.Expression], tuple[str, str]] = {
    exp.EQ: ("==", "!="),
    exp.NEQ: ("!=", "=="),
    exp.GT: (">", "<="),
    exp.GTE: (">=", "<"),
    exp.LT: ("<", ">="),
    exp.LTE: ("<=", ">"),
}


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """None where an argument is None."""

    def call(*given: Any) -> Any:
        for one in given:
            if one is None:
                return None
        return function(*given)

    return call


def _of_bytes(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Likeness of texts by their bytes in UTF-8, as the engine has it."""

    def call(one: str | None, two: str | None) -> Any:
        if one is None or two is None:
            return None
        if one.isascii() and two.isascii():
            return function(one, two)
        return function(one.encode(), two.encode())

    return call


def _substring(text: str, start: int, length: int) -> str:
    return text[start - 1 : start - 1 + length]


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


_HELPERS: Mapping[str, Callable[..., Any]] = {
    "length": _strict(len),
    "left": _strict(lambda text, size: text[:size]),
    "right": _strict(lambda text, size: text[-size:]),
    "substring": _strict(_substring),
    "startswith": _strict(str.startswith),
    "contains": _strict(lambda text, part: part in text),
    "arrayoverlaps": _strict(lambda one, two: not set(one).isdisjoint(two)),
    "jarosimilarity": _of_bytes(Jaro.similarity),
    "jaro_similarity": _of_bytes(Jaro.similarity),
    "jarowinklersimilarity": _of_bytes(JaroWinkler.similarity),
    "levenshtein": _of_bytes(Levenshtein.distance),
    "damerau_levenshtein": _of_bytes(DamerauLevenshtein.distance),
    "abs": _strict(abs),
    "add": _strict(lambda one, two: one + two),
    "sub": _strict(lambda one, two: one - two),
    "mul": _strict(lambda one, two: one * two),
    "dpipe": _strict(lambda one, two: one + two),
    "unicode": _strict(lambda text: ord(text[0]) if text else -1),
    "greatest": lambda *given: max((one for one in given if one is not None), default=None),
    "trycast": _strict(_whole),
    "coalesce": lambda *given: next((one for one in given if one is not None), None),
}
