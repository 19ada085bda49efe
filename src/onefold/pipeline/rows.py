"""What a batch has to tell the lake: rows collected while it is folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from onefold.lake import to_table
from onefold.model.profile import Node, Profile, ProfileId, profile_name
from onefold.model.records import Event
from onefold.pipeline.first_rows import First, Firsts, first_tables, firsts_of, people_table

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
        self._changes = 0
        self._newcomers: Sequence[First] = ()
        self._people: Sequence[Profile] = ()
        self._arrived: tuple[Firsts, Sequence[Profile], Sequence[str]] | None = None

    def as_tables(self) -> Iterator[tuple[str, pa.Table]]:
        """The rows of each table. What is told of many at once comes first."""
        parts: dict[str, list[pa.Table]] = {}
        changes = 0
        for tables, told in self._parts():
            if changes and "changes" in tables:
                tables["changes"] = _numbered_from(changes, tables["changes"])
            changes += told
            for name, table in tables.items():
                parts.setdefault(name, []).append(table)
        for name, some in parts.items():
            yield name, pa.concat_tables(some)

    def _parts(self) -> Iterator[tuple[dict[str, pa.Table], int]]:
        """Tables with how many changes they tell: first those that are made as columns, then all other rows."""
        if self._arrived is not None:
            firsts, people, told = self._arrived
            tables, changes = first_tables(firsts, [one.id for one in people], self._now)
            yield {**tables, "profiles": people_table(people, told, self._now)}, changes
        texts = {one.id: _json(one.traits).decode() for one in self._people}
        if self._newcomers:
            numbers = [one.newcomer.profile.id for one in self._newcomers]
            yield first_tables(firsts_of(self._newcomers, texts), numbers, self._now)
        if self._people:
            column = list(texts.values())
            yield {"profiles": people_table(self._people, column, self._now)}, 0
        others = {
            name: to_table(name, zip(*rows, strict=True)) for name, rows in self.tables.items()
        }
        yield others, self._changes

    def clear(self) -> None:
        """Forget all rows."""
        self.tables.clear()
        self._newcomers = self._people = ()
        self._arrived = None

    def tell_newcomers(self, people: Sequence[First]) -> None:
        """Who is new, and all that is known of them."""
        self._newcomers = people

    def tell_arrived(self, firsts: Firsts, people: Sequence[Profile], texts: Sequence[str]) -> None:
        """Who was made ready and is new; `texts` are their traits as JSON."""
        self._arrived = firsts, people, texts

    def tell_people(self, people: Sequence[Profile]) -> None:
        """Who is another now, or new: traits, computed ones and tags."""
        self._people = people

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
        changes.append((self._changes, name, now, "segment", segment, before, after, None, None))
        self._changes += 1

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
        who = self._names.get(profile) or self.name(profile)
        before, after = json_text(old), json_text(new)
        changed = who, self._now, what, name, before, after, source, message_id
        self.add("changes", self._changes, *changed)
        self._changes += 1

    def change_set(
        self, profile: ProfileId, what: str, old: dict[str, Any], new: dict[str, Any]
    ) -> None:
        """Values of a profile that changed at once, by name: one row of its history for all.

        The row has the numbers that a row for each would have.
        """
        if len(new) == 1:
            [(name, value)] = new.items()
            self.change(profile, what, name, old[name], value)
            return
        who = self._names.get(profile) or self.name(profile)
        before, after = _json(old).decode(), _json(new).decode()
        self.add("changes", self._changes, who, self._now, what, None, before, after, None, None)
        self._changes += len(new)


def _numbered_from(start: int, changes: pa.Table) -> pa.Table:
    """Rows of the history with numbers behind those that others have."""
    numbers = pc.add(changes.column("number"), start)
    return changes.set_column(0, changes.schema.field(0), numbers)


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
