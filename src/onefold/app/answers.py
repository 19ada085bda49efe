"""What questions to the lake are answered with; apart, so that knowing the form loads no engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from onefold.model.profile import ASSERTED, DECIDED, MATCHED, OBSERVED, SESSION, WITH_USER

Format = Literal["json", "csv", "arrow"]
Rank = Literal["decided", "asserted", "with_user", "observed", "matched", "session"]
RANKS: Mapping[int, Rank] = {
    DECIDED: "decided",
    ASSERTED: "asserted",
    WITH_USER: "with_user",
    OBSERVED: "observed",
    MATCHED: "matched",
    SESSION: "session",
}


class Table(msgspec.Struct, frozen=True):
    """The result of a query; `truncated` says that there were more rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool


class EventRow(msgspec.Struct, frozen=True):
    """One event of a profile. Times are µs since 1970-01-01 UTC."""

    source: str
    message_id: str
    type: str
    name: str
    time: int
    received_at: int
    user_id: str | None
    anonymous_id: str | None
    traits: dict[str, Any]
    properties: dict[str, Any]
    context: dict[str, Any]


class ChangeRow(msgspec.Struct, frozen=True):
    """One change of a profile: what, of which name, from what to what, and who said so.

    By the `id` of a merge it is undone.
    """

    id: str
    profile: str
    at: int
    what: str
    name: str
    old: Any
    new: Any
    source: str | None
    message_id: str | None


class LinkRow(msgspec.Struct, frozen=True):
    """Evidence that two identifiers (`kind:value`) are one person, and where it came from."""

    left: str
    right: str
    rank: Rank
    time: int
    source: str
    message_id: str


class EventPage(msgspec.Struct, frozen=True):
    """Events, newest first; `next` is the cursor of the page behind, null on the last."""

    items: list[EventRow]
    next: str | None


class ChangePage(msgspec.Struct, frozen=True):
    """Changes, newest first; `next` is the cursor of the page behind, null on the last."""

    items: list[ChangeRow]
    next: str | None


class LinkPage(msgspec.Struct, frozen=True):
    """Links, newest first; `next` is the cursor of the page behind, null on the last."""

    items: list[LinkRow]
    next: str | None
