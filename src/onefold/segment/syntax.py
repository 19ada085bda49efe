"""From text to a syntax tree, within limits; and where in the text something is wrong."""

from __future__ import annotations

import difflib
import heapq
import re
import unicodedata
from collections.abc import Iterable

import sqlglot
from sqlglot import Dialect, exp
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from onefold.model.errors import Fault, InvalidInput

MAX_LENGTH = 10_000
MAX_DEPTH, MAX_NESTED = 100, 25
"""Of parts in one another, and of parentheses: the parser needs so much more room for these."""
MAX_FAULTS = 50
_COMPARED = 20

_CLOCK = re.compile("current_date|today|now|age|anniversary", re.IGNORECASE)
_DUCKDB = Dialect.get_or_raise("duckdb")
_SPLIT = "split it into several segments"
_FREE_DEPTH = 20
_FLAT = (exp.And, exp.Or, exp.DPipe)
_THIN = (exp.Paren, exp.Identifier, exp.Dot)

_SYMBOLS = {
    TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA, TokenType.DOT, TokenType.FARROW,
    TokenType.EQ, TokenType.NEQ, TokenType.LT, TokenType.LTE, TokenType.GT, TokenType.GTE,
    TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.MOD,
    TokenType.DPIPE, TokenType.NUMBER, TokenType.STRING, TokenType.IDENTIFIER,
}  # fmt: skip
_BRACKETS = {TokenType.L_BRACKET, TokenType.R_BRACKET}
_PREFIXES = {TokenType.NOT, TokenType.DASH, TokenType.PLUS}
_HINTS = {
    ";": "a rule is one expression: leave it out",
    "?": "write the value itself",
    "$": "write the value itself",
    "::": "a trait is read as the type that it is used as",
    ":=": "arguments are named with =>",
    "[": "a value inside a list cannot be asked for",
    "&": "write and",
    "!": "write not",
}
_QUOTES = "‘’“”„‚«»「」『』｢｣"
_MISSING = "is `and` or `or` missing? A name of several words is written in double quotes"
_JOINING = ("and", "or", "not", "in", "is", "like", "between")


class Source:
    """The text of a rule and the faults found in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.asks_clock = _CLOCK.search(text[:MAX_LENGTH]) is not None
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []

    @property
    def full(self) -> bool:
        """Whether no more faults are noted."""
        return len(self.faults) >= MAX_FAULTS

    def fault(self, at: exp.Expr | int, message: str, hint: str = "") -> None:
        """Note what is wrong at a node or an offset."""
        self._note(self.faults, at, message, hint)

    def warn(self, at: exp.Expr | int, message: str, hint: str = "") -> None:
        """Note what is probably not meant at a node or an offset."""
        self._note(self.warnings, at, message, hint)

    def _note(self, noted: list[Fault], at: exp.Expr | int, message: str, hint: str) -> None:
        if len(noted) >= MAX_FAULTS:
            return
        offset = at if isinstance(at, int) else offset_of(at)
        fault = Fault(message, self.position(offset), hint)
        if fault not in noted:
            noted.append(fault)

    def position(self, offset: int) -> str:
        before = self.text[:offset]
        line = before.count("\n") + 1
        column = offset - before.rfind("\n")
        return f"line {line}, column {column}"

    def calls(self, node: exp.Expr) -> bool:
        """Say whether a node was written as a call of a function, rather than as an operator."""
        end = node.meta.get("end")
        return end is not None and self.text[end + 1 :].lstrip().startswith("(")

    def refuse(self) -> None:
        """Raise what was found, if anything was."""
        if self.faults:
            raise InvalidInput("the rule cannot be used", self.faults)


def parse_tree(source: Source) -> exp.Expr:
    """Parse the text to sqlglot's tree, or raise every fault that the syntax shows."""
    _check_text(source)
    source.refuse()
    tokens = _tokens(source)
    _check_tokens(source, tokens)
    source.refuse()
    try:
        tree = _parsed(tokens, source.text)
    except ParseError as error:
        for found in error.errors:
            offset = _offset_in(source.text, found.get("line"), found.get("col"))
            described = str(found.get("description"))
            if "Unexpected token" in described:
                _unexpected(source, tokens, offset)
            elif "missing for" in described:
                source.fault(offset, "something is missing here")
            else:
                source.fault(offset, f"not understood: {described}")
        source.refuse()
        raise InvalidInput("the rule cannot be used", [Fault(str(error))]) from error
    except RecursionError as error:
        fault = Fault("nested too deep", source.position(0), _SPLIT)
        raise InvalidInput("the rule cannot be used", [fault]) from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # The parser stumbles over some texts that are no SQL, instead of refusing them.
        fault = Fault("not understood", hint="is a part missing, or a word in the wrong place?")
        raise InvalidInput("the rule cannot be used", [fault]) from error
    if tree is None:
        raise InvalidInput("the rule cannot be used", [Fault("the rule is empty")])
    _check_depth(source, tree)
    source.refuse()
    return tree


def _parsed(tokens: list[Token], text: str) -> exp.Expr | None:
    try:
        return _DUCKDB.parser(error_level=ErrorLevel.RAISE).parse(tokens, text)[0]
    except ParseError as error:
        # `products[]` is understood, but then found to lack what is between the brackets.
        if not all("Bracket" in str(found.get("description")) for found in error.errors):
            raise
        return _DUCKDB.parser(error_level=ErrorLevel.IGNORE).parse(tokens, text)[0]


def offset_of(node: exp.Expr) -> int:
    """Find where in the text a node begins; one that left no trace begins where its parent does."""
    at: exp.Expr | None = node
    while at is not None:
        starts = [found.meta["start"] for found in at.walk() if "start" in found.meta]
        if starts:
            return int(min(starts))
        at = at.parent
    return 0


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that looks most like this one, as a hint."""
    letters, size = set(name), len(name)

    def shared(other: str) -> float:
        return len(letters.intersection(other)) / max(size, len(other))

    # Comparing well is slow: only those are compared that are about as long and share most letters.
    alike = (other for other in known if 0.4 * size <= len(other) <= 2.4 * size)
    likely = heapq.nlargest(_COMPARED, alike, key=shared)
    found = difflib.get_close_matches(name, likely, n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else ""


def _check_text(source: Source) -> None:
    text = source.text
    if not text.strip():
        source.fault(0, "the rule is empty", "for example: country = 'CN'")
    if len(text) > MAX_LENGTH:
        source.fault(0, f"longer than {MAX_LENGTH:,} characters", _SPLIT)
    for offset, character in enumerate(text[:MAX_LENGTH]):
        if "\ud800" <= character <= "\udfff" or (character < " " and character not in "\t\n\r"):
            source.fault(offset, f"the character {character!r} is not allowed")


def _tokens(source: Source) -> list[Token]:
    try:
        return sqlglot.tokenize(source.text, read="duckdb")
    except TokenError as error:
        fault = Fault("this quote is not closed", source.position(_open_quote(source.text)))
        raise InvalidInput("the rule cannot be used", [fault]) from error


def _open_quote(text: str) -> int:
    """Where the quote begins that is not closed."""
    begin, quote = 0, ""
    for offset, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            begin, quote = offset, character
    return begin


def _unexpected(source: Source, tokens: list[Token], offset: int) -> None:
    """Note that a word stands where none is expected; the one before may be a slip of the pen."""
    at = next((n for n, one in enumerate(tokens) if one.start <= offset <= one.end), None)
    if at is None:
        return source.fault(offset, "not understood", _MISSING)
    words = [source.text[one.start : one.end + 1] for one in tokens[max(at - 1, 0) : at + 1]]
    return source.fault(tokens[at].start, f"{words[-1]!r} is not expected here", joined(*words))


def joined(*words: str) -> str:
    """Suggest what may be missing where these words follow each other."""
    hints = [nearest(word.lower(), _JOINING) for word in words if word.lower() not in _JOINING]
    return next(filter(None, hints), _MISSING)


def _check_tokens(source: Source, tokens: list[Token]) -> None:
    """Refuse what the language has no use for before the parser, which knows all of SQL, sees it."""
    depth = prefixes = 0
    deepest: Token | None = None
    for token in tokens:
        kind = token.token_type
        if token.comments:
            source.fault(token.start, "comments are not allowed in a rule")
        written = source.text[token.start : token.end + 1]
        if kind in _BRACKETS and "[]" in source.text[max(token.start - 1, 0) : token.end + 2]:
            continue
        if kind not in _SYMBOLS and not _is_word(written):
            hint = _HINTS.get(written, "") or _plainly(written)
            source.fault(token.start, f"{written!r} is not part of the rule language", hint)
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        depth += (kind == TokenType.CASE) - (kind == TokenType.END)
        prefixes = prefixes + 1 if kind in _PREFIXES else 0
        if depth + prefixes > MAX_NESTED and deepest is None:
            deepest = token
    if deepest:
        source.fault(deepest.start, f"nested deeper than {MAX_NESTED}", _SPLIT)


def _check_depth(source: Source, tree: exp.Expr) -> None:
    """Refuse a tree that is too deep to be walked by recursion; chains of and, or, || are flat."""
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH + _FREE_DEPTH:
            source.fault(node, f"nested deeper than {MAX_DEPTH}", _SPLIT)
            return
        for part in node.iter_expressions():
            flat = isinstance(part, _FLAT) and type(part) is type(node)
            waiting.append((part, depth + (not flat and not isinstance(part, _THIN))))


def _plainly(text: str) -> str:
    """Suggest how to write what another keyboard or a word processor made of a character."""
    if text[0] in _QUOTES:
        return "texts are written in straight single quotes, such as 'CN'"
    plain = unicodedata.normalize("NFKC", text)
    return f"write {plain}" if plain != text and plain.isascii() else ""


def _is_word(text: str) -> bool:
    """Say whether a text can be a plain name; with invisible characters, say, it needs quotes."""
    return f"_{text}".isidentifier()


def _offset_in(text: str, line: int | None, column: int | None) -> int:
    if line is None or column is None:
        return 0
    lines = text.split("\n")
    return sum(len(each) + 1 for each in lines[: line - 1]) + max(column - 1, 0)


def unparenthesized(node: exp.Expr) -> exp.Expr:
    """Take the parentheses off."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def path_of(node: exp.Expr) -> tuple[str, ...]:
    """Read `a.b.c` as a path; empty where the node is no name."""
    names: list[str] = []
    while isinstance(node, exp.Dot):
        if not isinstance(node.expression, exp.Identifier):
            return ()
        names.append(node.expression.name)
        node = node.this
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
        return ()
    parts = [part.name for part in node.parts]
    return (*parts, *reversed(names))


def operands(node: exp.Expr) -> list[exp.Expr]:
    """The parts of a chain of one operator, without recursion: a chain may be long."""
    found: list[exp.Expr] = []
    waiting = [node]
    while waiting:
        part = unparenthesized(waiting.pop())
        if type(part) is type(node):
            waiting.extend((part.expression, part.this))
        else:
            found.append(part)
    return found
