"""Values that a workspace's rules take for nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from onefold.model.identity import IdentityRules
from onefold.model.profile import Node


def is_blocked(node: Node, rules: IdentityRules) -> bool:
    """Is this value no evidence, because a rule says so?"""
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
