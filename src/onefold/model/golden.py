"""What definitions say of golden records: which claim wins, and what values a trait may have."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

Way = Literal[
    "latest", "source_priority", "most_frequent", "longest", "most_complete", "minimum", "maximum",
    "union", "strictest", "verified_first", "expression",
]  # fmt: skip
WAYS: tuple[Way, ...] = get_args(Way)
PII = ("none", "indirect", "direct", "sensitive")
"""How closely a trait tells of a person: not at all, with others, by itself, or what hurts."""


class Survivorship(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the golden value is picked among the claims of a trait.

    `sources` are in order of trust (`source_priority`), or those that verify (`verified_first`);
    `order` lists values, the strictest first; `verified_by` is a trait that says whether the
    same source verified the value; `prefer` is the expression whose greatest value wins. `of` says
    whether all that a source ever claimed competes, or only the last claim of each.
    """

    by: Way = "latest"
    sources: tuple[str, ...] = ()
    order: tuple[Any, ...] = ()
    verified_by: str = ""
    prefer: str = ""
    of: Literal["all", "last"] = "all"


LATEST = Survivorship()


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The least and the greatest that is allowed, each if it is there."""

    min: float | str | None = None
    max: float | str | None = None


def survivorship_of(given: Survivorship | str | None) -> Survivorship | None:
    """What a definition says, which may be one word.

    >>> survivorship_of("longest").by
    'longest'
    """
    if isinstance(given, str):
        return msgspec.convert({"by": given}, Survivorship) if given else None
    return given
