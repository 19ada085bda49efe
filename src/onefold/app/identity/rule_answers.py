"""What comparing two sets of identity rules is answered with; knowing the form loads no engine."""

from __future__ import annotations

from typing import Annotated

import msgspec

MOST_LINKS = 10_000
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class GivenLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of evidence between two identifiers: 0 asserted, 1 seen beside a user id, 2 else; when (µs)."""

    left_kind: _Text
    left_value: _Text
    right_kind: _Text
    right_value: _Text
    rank: Annotated[int, msgspec.Meta(ge=0, le=2)] = 2
    time: Annotated[int, msgspec.Meta(ge=0, le=1 << 57)] = 0


class Rivals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Evidence, and two sets of rules as YAML texts; an empty one: those that hold without any."""

    links: Annotated[list[GivenLink], msgspec.Meta(min_length=1, max_length=MOST_LINKS)]
    before: str = ""
    after: str = ""


class Shifted(msgspec.Struct, frozen=True):
    """People by the rules before and by those after, each by their first identifiers."""

    before: tuple[tuple[str, ...], ...]
    after: tuple[tuple[str, ...], ...]


class RuleComparison(msgspec.Struct, frozen=True):
    """What other rules make of the same evidence.

    `merges` counts for each person after how many before them came together, less one; `splits` the other
    way round. Of each there are at most 20 examples.
    """

    links: int
    identifiers: int
    profiles_before: int
    profiles_after: int
    merges: int
    splits: int
    merge_examples: tuple[Shifted, ...]
    split_examples: tuple[Shifted, ...]
