"""What is known about one profile, from the lake: its events, its changes, its evidence.

Newest first, a page at a time. What still waits in the store's queue is among it, so that
a page is complete up to the last batch.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from onefold.app.answers import (
    RANKS,
    ChangePage,
    ChangeRow,
    EventPage,
    EventRow,
    LinkPage,
    LinkRow,
)
from onefold.app.lake.changes import each_change
from onefold.app.lake.tables import add_views, table_now
from onefold.app.profiles.finding import find
from onefold.app.workspace import open_lake, open_store
from onefold.config import Settings
from onefold.engine import short_session
from onefold.model.errors import no_page
from onefold.model.profile import Profile, profile_name

_SEPARATOR = "\x1f"


class _Keyset(NamedTuple):
    """A table, the columns of a row, and the columns that order it and mark a place in it.

    The rows of a table that are `where` they should be become what is shown by `each`.
    """

    table: str
    columns: str
    where: str
    order: tuple[str, ...]
    types: tuple[type, ...]
    each: Callable[[str], str] = str


_EVENTS = _Keyset(
    "events",
    "source, message_id, type, name, epoch_us(time), epoch_us(received_at), user_id,"
    " anonymous_id, traits, properties, context",
    "owner in (select unnest(?::blob[]))",
    ("epoch_us(time)", "source", "message_id"),
    (int, str, str),
)
_CHANGES = _Keyset(
    "changes",
    "batch || '-' || number, profile, epoch_us(changed_at), what, name, old, new, source,"
    " message_id",
    "profile in (select unnest(?::varchar[]))",
    ("batch", "number"),
    (int, int),
    each_change,
)
_LINKS = _Keyset(
    "links",
    "left_kind || ':' || left_value, right_kind || ':' || right_value, rank, epoch_us(time),"
    " source, message_id",
    f"left_kind || '{_SEPARATOR}' || left_value in (select unnest(?::varchar[]))"
    f" or right_kind || '{_SEPARATOR}' || right_value in (select unnest(?::varchar[]))",
    ("epoch_us(time)", "source", "message_id", "left_value", "right_value", "batch"),
    (int, str, str, str, str, int),
)


def profile_events(
    settings: Settings, reference: str, limit: int = 100, cursor: str = ""
) -> EventPage:
    """The events whose facts belong to a profile."""
    rows, behind = _page(settings, reference, _EVENTS, _owners, limit, cursor)
    items = [EventRow(*row[:8], *map(_decoded, row[8:])) for row in rows]
    return EventPage(items, behind)


def profile_changes(
    settings: Settings, reference: str, limit: int = 100, cursor: str = ""
) -> ChangePage:
    """All that changed on a profile, under its present name and those it had."""
    rows, behind = _page(settings, reference, _CHANGES, _names, limit, cursor)
    items = [
        ChangeRow(entry, one, at, what, name, _decoded(old), _decoded(new), source, message_id)
        for entry, one, at, what, name, old, new, source, message_id in rows
    ]
    return ChangePage(items, behind)


def profile_links(
    settings: Settings, reference: str, limit: int = 100, cursor: str = ""
) -> LinkPage:
    """The evidence that speaks of a profile's identifiers, whether it holds them together or not."""
    rows, behind = _page(settings, reference, _LINKS, _values, limit, cursor)
    items = [
        LinkRow(left, right, RANKS[rank], time, source, message_id)
        for left, right, rank, time, source, message_id in rows
    ]
    return LinkPage(items, behind)


def _owners(profile: Profile) -> list[Any]:
    return [[node.id for node in profile.nodes]]


def _names(profile: Profile) -> list[Any]:
    return [[profile_name(profile.id), *(profile_name(name) for name, _ in profile.names)]]


def _values(profile: Profile) -> list[Any]:
    texts = [f"{node.kind}{_SEPARATOR}{node.value}" for node in profile.nodes]
    return [texts, texts]


def _decoded(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def _page(
    settings: Settings,
    reference: str,
    keyset: _Keyset,
    values_of: Callable[[Profile], list[Any]],
    limit: int,
    cursor: str,
) -> tuple[list[tuple[Any, ...]], str | None]:
    place = _place(cursor, keyset) if cursor else None
    with open_store(settings, cache_mb=4) as store:
        profile = find(store, reference, settings.default_country)
        table = table_now(store, open_lake(settings), keyset.table)
    values = values_of(profile)
    shown = keyset.each(f"select * from all_{keyset.table} where {keyset.where}")  # noqa: S608 - our own text
    before = ""
    if place:
        marks = ", ".join("?" * len(place))
        before = f" where ({', '.join(keyset.order)}) < ({marks})"
    keys = ", ".join(keyset.order)
    order = ", ".join(f"{column} desc" for column in keyset.order)
    with short_session() as engine:
        add_views(engine, {keyset.table: table})
        rows = engine.rows(
            keyset.table,
            f"select {keys}, {keyset.columns} from ({shown})"  # noqa: S608 - our own text
            f"{before} order by {order} limit {limit + 1}",
            {},
            [*values, *(place or ())],
        )
    width = len(keyset.order)
    behind = _cursor(rows[limit - 1][:width]) if len(rows) > limit else None
    return [row[width:] for row in rows[:limit]], behind


def _cursor(key: Sequence[Any]) -> str:
    """A place in a table as text that nobody is meant to read."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def _place(cursor: str, keyset: _Keyset) -> tuple[Any, ...]:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        key = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=list[int | str])
    except (binascii.Error, ValueError) as error:
        raise no_page() from error
    if tuple(map(type, key)) != keyset.types or any(
        isinstance(one, int) and abs(one) >= 1 << 62 for one in key
    ):
        raise no_page()
    return tuple(key)
