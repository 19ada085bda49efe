"""Functions of texts, written so that every engine means the same by them."""

from __future__ import annotations

from sqlglot import exp

from onefold.model.sql import literal_sql
from onefold.segment import lists
from onefold.segment.metric import Type
from onefold.segment.syntax import operands
from onefold.segment.writing import Translating, Writer, whole_number

NAMES = (
    "lower", "upper", "trim", "length", "concat", "replace", "substring", "left", "right",
    "starts_with", "ends_with", "contains",
)  # fmt: skip
MAX_CHARACTERS = 10_000
MAX_GROWTH = 1_000
"""How many times longer than a text what `replace` makes of it may be, with all that stand in one another."""
_TRAIT_CHARACTERS = 100

_ESCAPES = "^!~|#"


def simple_lower(text: str) -> str:
    """What `lower` makes of a text: one letter of each, whatever its neighbors are."""
    return "".join("i" if each == "\u0130" else each.lower() for each in text)


def _case(t: Translating, node: exp.Expr, _: Type | None) -> str:
    name = "lower" if isinstance(node, exp.Lower) else "upper"
    return f"{name}({t.value(node.this, 'text')})"


def _trim(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if not t.only(node, "this"):
        return "NULL"
    return f"trim({t.value(node.this, 'text')}, ' ')"


def _length(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if not t.only(node, "this"):
        return "NULL"
    if t.type_of(node.this) == "list":
        return lists.length(t, node, None)
    return f"CAST(length({t.value(node.this, 'text')}) AS DOUBLE)"


def _concat(t: Translating, node: exp.Expr, _: Type | None) -> str:
    """Absent when a part is: some engines' own function leaves such parts out."""
    if isinstance(node, exp.Concat) and not t.source.calls(node):
        return t.refuse(node, "two texts stand side by side", "put || between them, or a comma")
    parts = operands(node) if isinstance(node, exp.DPipe) else node.expressions
    return f"({' || '.join(t.value(part, 'text') for part in parts)})"


def _replace(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if not t.only(node, "this", "expression", "replacement"):
        return "NULL"
    searched = node.expression
    if not (isinstance(searched, exp.Literal) and searched.is_string and searched.name):
        return t.refuse(searched, "replace looks for a text in quotes, of at least one character")
    if node.args.get("replacement") is None:
        return t.refuse(node, "replace needs three texts", "for example: replace(phone, '-', '')")
    if _growth(node) > MAX_GROWTH:
        problem = f"replace may make a text up to {MAX_GROWTH:,} times longer"
        return t.refuse(node, problem, "take a shorter text in its last place")
    parts = [t.value(each, "text") for each in (node.this, searched, node.args["replacement"])]
    return f"replace({', '.join(parts)})"


def _growth(node: exp.Expr) -> float:
    """How many times longer than its longest trait a text can be through the `replace` in it."""
    inner = max((_growth(each) for each in node.iter_expressions()), default=1.0)
    if not isinstance(node, exp.Replace):
        return inner
    new = node.args.get("replacement")
    plain = isinstance(new, exp.Literal) or new is None
    characters = len(new.name) if new is not None and plain else _TRAIT_CHARACTERS
    return inner * max(1.0, characters / max(1, len(node.expression.name)))


def _substring(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if not t.only(node, "this", "start", "length"):
        return "NULL"
    text, start, length = (
        t.value(node.this, "text"),
        node.args.get("start"),
        node.args.get("length"),
    )
    first = whole_number(start, 1, MAX_CHARACTERS)
    if first is None:
        return t.refuse(start or node, f"substring starts at a number from 1 to {MAX_CHARACTERS:,}")
    if length is None:
        return f"substring({text}, {first})"
    count = whole_number(length, 0, MAX_CHARACTERS)
    if count is None:
        return t.refuse(length, f"substring takes a length from 0 to {MAX_CHARACTERS:,}")
    return f"substring({text}, {first}, {count})"


def _end(t: Translating, node: exp.Expr, _: Type | None) -> str:
    name = "left" if isinstance(node, exp.Left) else "right"
    count = whole_number(node.expression, 0, MAX_CHARACTERS)
    if count is None:
        return t.refuse(node.expression, f"{name} takes a number from 0 to {MAX_CHARACTERS:,}")
    return f"{name}({t.value(node.this, 'text')}, {count})"


def _test(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if not t.only(node, "this", "expression"):
        return "NULL"
    if isinstance(node, exp.Contains) and t.type_of(node.this) in ("list", "numbers"):
        return lists.contains(t, node, node.this, node.expression)
    name = _TESTS[type(node)]
    return f"{name}({t.value(node.this, 'text')}, {t.value(node.expression, 'text')})"


_TESTS: dict[type[exp.Expr], str] = {
    exp.StartsWith: "starts_with",
    exp.EndsWith: "ends_with",
    exp.Contains: "contains",
}


def _like(t: Translating, node: exp.Expr, _: Type | None) -> str:
    escape = ""
    if isinstance(node, exp.Escape):
        written, node = node.expression, node.this
        escape = written.name if isinstance(written, exp.Literal) and written.is_string else ""
        if len(escape) != 1 or escape in "%_":
            return t.refuse(written, "escape is followed by one character, such as '!'")
    if not isinstance(node, (exp.Like, exp.ILike)) or not t.only(
        node, "this", "expression", "negate"
    ):
        return t.refuse(node, "escape belongs to like and ilike")
    value, pattern = t.value(node.this, "text"), node.expression
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        hint = "contains() and starts_with() compare with another trait"
        return t.refuse(pattern, "a pattern is a text in quotes", hint)
    if isinstance(node, exp.ILike):
        value = f"lower({value})"
    test = f"({value} LIKE {_pattern(t, node, pattern.name, escape)})"
    return f"(NOT {test})" if node.args.get("negate") else test


def _pattern(t: Translating, node: exp.Expr, pattern: str, escape: str) -> str:
    """Write a pattern in a form that engines agree upon: a mark of ours escapes."""
    parts: list[tuple[bool, str]] = []
    characters = iter(pattern)
    for each in characters:
        escaped = bool(escape) and each == escape
        character = next(characters, "") if escaped else each
        if not character:
            t.refuse(node.expression, f"nothing follows {escape!r} at the end of the pattern")
        parts.append((escaped or character not in "%_", character))
    if isinstance(node, exp.ILike):
        parts = [(plain, simple_lower(character)) for plain, character in parts]
    if not any(plain and character in "%_" for plain, character in parts):
        return literal_sql("".join(character for _, character in parts))
    mark = next(each for each in (*_ESCAPES, "\u0001") if (True, each) not in parts)
    written = "".join(
        mark + character if plain and character in "%_" else character for plain, character in parts
    )
    return f"{literal_sql(written)} ESCAPE '{mark}'"


WRITERS: dict[type[exp.Expr], Writer] = {
    exp.Lower: _case,
    exp.Upper: _case,
    exp.Trim: _trim,
    exp.Length: _length,
    exp.DPipe: _concat,
    exp.Concat: _concat,
    exp.Replace: _replace,
    exp.Substring: _substring,
    exp.Left: _end,
    exp.Right: _end,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Escape: _like,
    **dict.fromkeys(_TESTS, _test),
}
_TO_TEXT = (
    exp.Lower, exp.Upper, exp.Trim, exp.DPipe, exp.Concat, exp.Replace, exp.Substring, exp.Left,
    exp.Right,
)  # fmt: skip
TYPES: dict[type[exp.Expr], Type] = {
    **dict.fromkeys(_TO_TEXT, "text"),
    **dict.fromkeys((exp.Like, exp.ILike, exp.Escape, *_TESTS), "boolean"),
    exp.Length: "number",
}
