"""What is told of tags; apart, so that this loads no engine."""

from __future__ import annotations

from typing import Literal

import msgspec

from onefold.app.definitions.dependencies import Ref

Way = Literal["rules", "everybody", "given"]


class ValueShare(msgspec.Struct, frozen=True):
    """How many profiles have a value, and which share of all that is."""

    value: str
    profiles: int
    share: float


class TagHealth(msgspec.Struct, frozen=True):
    """How a tag is doing.

    `coverage` is the share of profiles that have any value. `drift` is the population stability
    index against `drift_since` (µs; a week ago, or the oldest day known): below 0.1 is calm, above
    0.25 is another distribution; null while no day is known. `as_of` and `next_refresh` (µs) are of
    tags that need everybody, `refresh_seconds` what that took. `microseconds` is what computing the
    tag takes for one profile, measured now. `used_by` are the definitions that refer to it.
    `last_read` (µs) is when the API last gave it to somebody: with a profile, as a segment's
    members, in a rule or a query that was asked; told a little later.
    """

    name: str
    comes_from: Way
    state: str
    owner: str
    profiles: int
    coverage: float
    values: tuple[ValueShare, ...]
    drift: float | None
    drift_since: int | None
    as_of: int | None
    next_refresh: int | None
    refresh_seconds: float | None
    on_their_way: int
    microseconds: float | None
    used_by: tuple[Ref, ...]
    last_read: int | None = None


class TagRow(msgspec.Struct, frozen=True):
    """A tag in a list."""

    name: str
    comes_from: Way
    state: str
    profiles: int
    as_of: int | None
    owner: str
    folder: str
    description: str
