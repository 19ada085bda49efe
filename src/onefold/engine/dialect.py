"""From DuckDB's dialect to Spark's, so that both give the same rows.

sqlglot translates what is only written differently. Rewritten here is what would be answered
differently:

- JSON: Spark would write numbers anew, in Java's form;
- a text read as a number: Java reads `1d` too, but not `1_000`;
- rounding: Spark rounds a double's shortest decimal, DuckDB the double times a power of ten;
- whole numbers of 128 bits: Spark has none, and takes a double for its shortest decimal;
- upper and lower case: Java makes two letters of `ß`, DuckDB goes letter by letter;
- patterns: a backslash is nothing special in DuckDB;
- how alike two texts are: DuckDB goes by their bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

import duckdb
import sqlglot
from sqlglot import exp, jsonpath

_DIGITS = r"\d+(_\d+)*"
_NUMBER = (
    rf"^\s*[+-]?((({_DIGITS}(\.({_DIGITS})?)?)|(\.{_DIGITS}))([eE][+-]?{_DIGITS})?"
    r"|[iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])\s*$"
)
# Numbers of a JSON text are marked and made strings, which Spark leaves as they are written.
_FRACTION = r"[0-9](\.[0-9]|[eE])"
_JSON_NUMBER = (
    r'\G((?:"(?:[^"\\]++|\\.)*+"|[^"0-9-]++)*+)(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)'
)
_MARKED = '$1"\ue000$2"'
# What the lake writes as 1e16 to 1e20 and e-6 is read by DuckDB without an exponent.
_SHORT = "^\ue000(-?)([0-9])(?:\\.([0-9]+))?e(1[6-9]|20|-6)$"
_EXACT_PARTS = {
    "short": _SHORT,
    "small": "e-6$",
    "mark": "\ue000",
    "quoted": '"\ue000([^"]*)"',
}
_EXACT = """
CASE
  WHEN NOT startswith(y, mark) THEN regexp_replace(y, quoted, '$1')
  WHEN NOT y RLIKE short THEN substring(y, 2)
  WHEN y RLIKE small THEN
    concat(regexp_extract(y, short, 1), '0.00000', regexp_extract(y, short, 2), regexp_extract(y, short, 3))
  ELSE
    concat(
      regexp_extract(y, short, 1),
      rpad(
        concat(regexp_extract(y, short, 2), regexp_extract(y, short, 3)),
        CAST(regexp_extract(y, short, 4) AS INT) + 1,
        '0'
      ),
      '.0'
    )
END
"""
_SURROGATES = range(0xD800, 0xE000)


@lru_cache(maxsize=256)
def spark_sql(sql: str) -> str:
    """Translate a query.

    >>> spark_sql("SELECT a // 2, b LIKE 'x%' FROM t")
    "SELECT a DIV 2, b LIKE 'x%' FROM t"
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    # From the leaves up: what a rewrite takes over is rewritten already.
    for node in reversed(list(tree.walk(bfs=True))):
        rewrite = _REWRITES.get(type(node))
        if rewrite is not None:
            node.replace(rewrite(node))
    return tree.sql("spark")


def _spark(text: str, **parts: exp.Expr | str) -> exp.Expr:
    """A tree of Spark's dialect, with other trees and texts in the place of its names."""
    tree = _parsed(text).copy()
    for column in list(tree.find_all(exp.Column)):
        part = parts.get(column.name)
        if isinstance(part, str):
            column.replace(exp.Literal.string(part))
        elif part is not None:
            column.replace(exp.paren(part.copy()))
    return tree


@cache
def _parsed(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="spark")


def _bound(name: str, value: exp.Expr, text: str, **parts: exp.Expr | str) -> exp.Expr:
    """A tree that uses a value several times by its name, but works it out once."""
    if isinstance(value, (exp.Column, exp.Literal)) and not parts:
        return _spark(text, **{name: value})
    whole = _spark(f"element_at(transform(array(bound), {name} -> body), 1)", bound=value)
    body = next(found for found in whole.find_all(exp.Column) if found.name == "body")
    body.replace(_spark(text, **parts))
    return whole


def _cast(node: exp.Expr) -> exp.Expr:
    if node.args["to"].this != exp.DataType.Type.INT128:
        return node
    # A whole double below 2**100 is two numbers of 60 and 40 bits, each of which is exact.
    high = "CAST(floor(x / 1099511627776e0) AS DECIMAL(20, 0))"
    low = "CAST(x - floor(x / 1099511627776e0) * 1099511627776e0 AS DECIMAL(20, 0))"
    return _bound("x", node.this, f"CAST({high} * 1099511627776 + {low} AS DECIMAL(38, 0))")


def _try_cast(node: exp.Expr) -> exp.Expr:
    if node.args["to"].this != exp.DataType.Type.DOUBLE:
        return node
    number = "CASE WHEN x RLIKE number THEN CAST(replace(x, '_', '') AS DOUBLE) END"
    return _bound("x", node.this, number, number=_NUMBER)


def _round(node: exp.Expr) -> exp.Expr:
    digits = node.args.get("decimals")
    if digits is None or digits.name == "0":
        return node
    power = f"1e{digits.name}"
    scaled = f"abs(x * {power})"
    rounded = f"round(x * {power}, 0) / {power}"
    text = f"CASE WHEN {scaled} <= 1.7976931348623157e308 THEN {rounded} ELSE x END"
    return _bound("x", node.this, text)


def _lower(node: exp.Expr) -> exp.Expr:
    return _translated(node.this, *_cases("lower"))


def _upper(node: exp.Expr) -> exp.Expr:
    return _translated(node.this, *_cases("upper"))


def _translated(node: exp.Expr, before: str, after: str) -> exp.Expr:
    letters = (exp.Literal.string(before), exp.Literal.string(after))
    return exp.Anonymous(this="translate", expressions=[node, *letters])


@cache
def _cases(function: str) -> tuple[str, str]:
    """The letters that DuckDB's `lower` or `upper` changes, and what it makes of them."""
    letters = "".join(chr(point) for point in range(1, 0x20000) if point not in _SURROGATES)
    with duckdb.connect(":memory:") as connection:
        (row,) = connection.execute(f"select {function}(?)", [letters]).fetchall()
    changed = [pair for pair in zip(letters, row[0], strict=True) if pair[0] != pair[1]]
    return "".join(one for one, _ in changed), "".join(one for _, one in changed)


def _like(node: exp.Expr) -> exp.Expr:
    pattern = node.expression
    if isinstance(node.parent, exp.Escape):
        pass  # then a backslash is nothing special in Spark either
    elif isinstance(pattern, exp.Literal):
        pattern = exp.Literal.string(pattern.name.replace("\\", "\\\\"))
    else:
        pattern = _spark("replace(x, '\\\\', '\\\\\\\\')", x=pattern)
    text = node.this
    if isinstance(node, exp.ILike):
        text, pattern = (_translated(part, *_cases("lower")) for part in (text, pattern))
    return exp.Like(this=text, expression=pattern, negate=node.args.get("negate"))


def _json_text(node: exp.Expr) -> exp.Expr:
    """Read a value of a JSON text as text, or the values of a list as texts."""
    keys, many = _keys(node.expression)
    of = "ARRAY<STRING>" if many else "STRING"
    if isinstance(node.parent, exp.TryCast):  # any form of a number will do
        return _from_json(node.this, keys, of)
    marked = _spark("regexp_replace(x, number, marked)", number=_JSON_NUMBER, marked=_MARKED)
    exact = _from_json(marked, keys, of)
    if many:
        digits = _spark(_EXACT, **_EXACT_PARTS)
        exact = _spark("transform(each, y -> digits)", each=exact, digits=digits)
    else:
        exact = _bound("y", exact, _EXACT, **_EXACT_PARTS)
    plain = _from_json(exp.column("x"), keys, of)
    text = "CASE WHEN x RLIKE fraction THEN exact ELSE plain END"
    return _bound("x", node.this, text, fraction=_FRACTION, exact=exact, plain=plain)


def _json_type(node: exp.Expr) -> exp.Expr:
    """Tell lists and objects apart from all else."""
    keys, _ = _keys(node.expression)
    return _spark(
        "CASE WHEN many IS NOT NULL THEN 'ARRAY' WHEN named IS NOT NULL THEN 'OBJECT' END",
        many=_from_json(node.this, keys, "ARRAY<STRING>"),
        named=_from_json(node.this, keys, "MAP<STRING, STRING>"),
    )


def _from_json(json: exp.Expr, keys: list[str], of: str) -> exp.Expr:
    for key in reversed(keys):
        of = f"STRUCT<{_quoted(key)}: {of}>"
    arguments = [json.copy(), exp.Literal.string(of)]
    found: exp.Expr = exp.Anonymous(this="from_json", expressions=arguments)
    for key in keys:
        found = exp.Dot(this=found, expression=exp.to_identifier(key, quoted=True))
    return found


def _keys(path: exp.Expr) -> tuple[list[str], bool]:
    """The names along a path, and whether it goes on to all values of a list."""
    if path.name.startswith("$"):
        path = jsonpath.parse(path.name)
    if isinstance(path, exp.JSONPath):
        keys = [str(part.this) for part in path.expressions if isinstance(part, exp.JSONPathKey)]
        return keys, isinstance(path.expressions[-1], exp.JSONPathSubscript)
    names = path.name.split("/")[1:]
    return [name.replace("~1", "/").replace("~0", "~") for name in names], False


def _quoted(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql("spark")


def _json_exists(node: exp.Expr) -> exp.Expr:
    """Ask whether an object has a name, by a pointer of one step."""
    json, pointer = node.expressions
    (name,), _ = _keys(pointer)
    return _spark("array_contains(json_object_keys(x), name)", x=json, name=name)


def _quantile(node: exp.Expr) -> exp.Expr:
    shares = node.expression
    if isinstance(shares, exp.Array):
        shares = exp.Anonymous(this="array", expressions=shares.expressions)
    # By its own name sqlglot would make an approximation of it.
    return exp.WithinGroup(
        this=exp.Anonymous(this="percentile_disc", expressions=[shares]),
        expression=exp.Order(expressions=[exp.Ordered(this=node.this, nulls_first=True)]),
    )


def _micros(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="unix_micros", expressions=node.expressions)


def _named_function(node: exp.Expr) -> exp.Expr:
    rewrite = _NAMED.get(str(node.this).lower())
    return rewrite(node) if rewrite else node


def _likeness(node: exp.Expr) -> exp.Expr:
    """How alike two texts are, by our own functions: those of Spark, where it has any, go by letters."""
    name = str(node.this).lower() if isinstance(node, exp.Anonymous) else _ALIKE[type(node)]
    texts = node.expressions or [node.this, node.expression]
    return exp.Anonymous(this=f"{name}_of_bytes", expressions=list(texts))


def _overlap(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="arrays_overlap", expressions=[node.this, node.expression])


def _shifted(node: exp.Expr) -> exp.Expr:
    bits = exp.cast(exp.paren(node.expression), "INT")
    return exp.Anonymous(this="shiftleft", expressions=[node.this, bits])


def _struct_field(node: exp.Expr) -> exp.Expr:
    field = exp.to_identifier(node.expression.name, quoted=True)
    return exp.Dot(this=exp.paren(node.this), expression=field)


def _with(node: exp.Expr) -> exp.Expr:
    node.set("materialized", None)
    return node


# Functions that sqlglot knows by their names only.
_NAMED: dict[str, Callable[[exp.Expr], exp.Expr]] = {
    "damerau_levenshtein": _likeness,
    "jaro_similarity": _likeness,
    "epoch_us": _micros,
    "json_exists": _json_exists,
}
_ALIKE: dict[type[exp.Expr], str] = {
    exp.Levenshtein: "levenshtein",
    exp.JarowinklerSimilarity: "jaro_winkler_similarity",
}
_REWRITES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Anonymous: _named_function,
    exp.Cast: _cast,
    exp.TryCast: _try_cast,
    exp.Round: _round,
    exp.Lower: _lower,
    exp.Upper: _upper,
    exp.Like: _like,
    exp.ILike: _like,
    exp.JSONExtract: _json_text,
    exp.JSONExtractScalar: _json_text,
    exp.JSONType: _json_type,
    exp.PercentileDisc: _quantile,
    exp.StructExtract: _struct_field,
    exp.CTE: _with,
    **dict.fromkeys(_ALIKE, _likeness),
    exp.ArrayOverlaps: _overlap,
    exp.BitwiseLeftShift: _shifted,
}
