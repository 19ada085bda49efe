"""Values that a workspace's rules take for nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from onefold.model.identity import INVALID, IdentityRules
from onefold.model.profile import Node
from onefold.resolve.placeholders import is_placeholder


def is_blocked(node: Node, rules: IdentityRules) -> bool:
    """Is this value no evidence: invalid, a placeholder, or one that a rule blocks?"""
    if node.kind.startswith(INVALID) or is_placeholder(node.kind, node.value):
        return True
    blocked = rules.of(node.kind).blocked
    return bool(blocked) and matches(node.value, blocked)


def matches(value: str, patterns: Iterable[str]) -> bool:
    """Is a value like one of these, in whatever case? `*` is any letters, `?` any letter.

    >>> matches("Info@Shop.example", ("info@*",)), matches("ann@shop.example", ("info@*",))
    (True, False)
    """
    return any(_pattern(one).fullmatch(value) is not None for one in patterns)


@lru_cache(maxsize=10_000)
def _pattern(text: str) -> re.Pattern[str]:
    # Atomic groups: each star takes the shortest text that fits and never tries another, so no pattern
    # takes longer than its length times the value's.
    pieces = [
        "".join("." if letter == "?" else re.escape(letter) for letter in piece)
        for piece in re.split(r"\*+", text)
    ]
    first, *rest = pieces
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1] if piece)
    last = f".*{rest[-1]}" if rest else ""
    return re.compile(f"{first}{middle}{last}", re.IGNORECASE | re.DOTALL)
