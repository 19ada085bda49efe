"""What a batch has to tell the lake: rows collected while it is folded."""

from __future__ import annotations

from typing import Any

import msgspec

from onefold.model.profile import Node, ProfileId, profile_name
from onefold.model.records import Event

_json = msgspec.json.Encoder().encode


def json_text(value: Any) -> str | None:
    """JSON of a value; None stays None."""
    if value is None:
        return None
    return "true" if value is True else _json(value).decode()


class Rows:
    """Rows for the lake's tables, in the catalogue's column order without batch."""

    def __init__(self, now: int) -> None:
        self._now = now
        self.tables: dict[str, list[tuple[Any, ...]]] = {}
        self._names: dict[ProfileId, str] = {}

    def name(self, profile: ProfileId) -> str:
        """A profile's id as people see it: many rows tell of the same one."""
        name = self._names.get(profile)
        if name is None:
            name = self._names[profile] = profile_name(profile)
        return name

    def add(self, table: str, *values: Any) -> None:
        """One row."""
        self.tables.setdefault(table, []).append(values)

    def link(self, one: Node, other: Node, rank: int, seen: tuple[int, str, str]) -> None:
        """One row of evidence, with when it was seen, in which message, of which source."""
        time, message_id, source = seen
        self.add(
            "links", one.kind, one.value, other.kind, other.value, rank, time, source, message_id
        )

    def member(self, profile: ProfileId, segment: str, inside: bool, version: int) -> None:
        """One row of who is in a segment, and one of the profile's history."""
        tables, now = self.tables, self._now
        name = self._names.get(profile) or self.name(profile)
        members = tables.get("memberships")
        if members is None:
            members = tables["memberships"] = []
        members.append((name, segment, inside, now, version))
        changes = tables.get("changes")
        if changes is None:
            changes = tables["changes"] = []
        before, after = (None, "true") if inside else ("true", None)
        changes.append((len(changes), name, now, "segment", segment, before, after, None, None))

    def change(
        self,
        profile: ProfileId,
        what: str,
        name: str,
        old: Any,
        new: Any,
        source: str | None = None,
        message_id: str | None = None,
    ) -> None:
        """One row of a profile's history."""
        changes = self.tables.get("changes")
        if changes is None:
            changes = self.tables["changes"] = []
        changes.append(
            (
                len(changes),
                self._names.get(profile) or self.name(profile),
                self._now,
                what,
                name,
                json_text(old),
                json_text(new),
                source,
                message_id,
            )
        )


def event_row(event: Event, sent: Event, owner: bytes) -> tuple[Any, ...]:
    """One event, as the lake's columns have it, but for the batch and the profile.

    Its identifiers are those that were `sent`.
    """
    user = anonymous = None
    for kind, value in sent.identifiers:
        if kind == "user_id":
            user = value
        elif kind == "anonymous_id":
            anonymous = value
    return (
        event.message_id,
        event.source,
        event.type,
        event.name,
        event.time,
        event.received_at,
        user,
        anonymous,
        _json(sent.identifiers).decode(),
        _json(sent.asserted).decode() if sent.asserted else "[]",
        _json(event.traits).decode() if event.traits else "{}",
        event.strong,
        event.properties,
        event.context,
        event.client_minute,
        owner,
    )
