"""The tables of the lake: names, columns and types, once.

Every row carries the number of the batch that wrote it, which makes appends idempotent and
lets a reader see the lake as of one batch. Times are microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

ColumnType = Literal["int", "text", "time", "bytes", "bool"]


class Column(NamedTuple):
    """One column: its name, type, and what it means."""

    name: str
    type: ColumnType
    help: str


class Table(NamedTuple):
    """One table: its name, what a row is, and its columns."""

    name: str
    help: str
    columns: tuple[Column, ...]


_BATCH = Column("batch", "int", "the batch that wrote the row")

EVENTS = Table(
    "events",
    "one row per event, deduplicated",
    (
        _BATCH,
        Column("message_id", "text", "the event's id in its source"),
        Column("source", "text", "the id of the source"),
        Column("type", "text", "track, identify, page, screen, group or alias"),
        Column("name", "text", "the name of a track event, else the type"),
        Column("time", "time", "when it happened"),
        Column("received_at", "time", "when it was accepted"),
        Column("user_id", "text", "the user id it carries, if any"),
        Column("anonymous_id", "text", "the anonymous id it carries, if any"),
        Column("identifiers", "text", "JSON: [[kind, value], …], the owner of its facts first"),
        Column("asserted", "text", "JSON: pairs that an alias declares to be one person"),
        Column("traits", "text", "JSON: the traits it claims"),
        Column("strong", "bool", "whether it claims them anew or only repeats them"),
        Column("properties", "text", "JSON: its properties"),
        Column("context", "text", "JSON: its context"),
        Column("client_minute", "int", "the minute of the client's own time stamp, 0 if none"),
        Column("owner", "bytes", "the node that its facts belong to"),
        Column("profile_id", "int", "the profile that the node was of when the row was written"),
    ),
)
MOVES = Table(
    "moves",
    "nodes that came from one profile to another; the last row of a node holds",
    (
        _BATCH,
        Column("node", "bytes", "the identifier's node"),
        Column("profile_id", "int", "the profile that it is of since"),
        Column("left_id", "int", "the profile that it was of before, where that is known"),
        Column("left_empty", "bool", "whether that profile has no identifier any more"),
    ),
)
LINKS = Table(
    "links",
    "evidence that two identifiers are one person, as it became known",
    (
        _BATCH,
        Column("left_kind", "text", "kind of one identifier"),
        Column("left_value", "text", "its value"),
        Column("right_kind", "text", "kind of the other"),
        Column("right_value", "text", "its value"),
        Column("rank", "int", "0 asserted, 1 seen beside a user id, 2 seen without"),
        Column("time", "time", "when they were seen together"),
        Column("source", "text", "who said so"),
        Column("message_id", "text", "in which event"),
    ),
)
IDENTIFIERS = Table(
    "identifiers",
    "which profile an identifier belongs to; the last row of an identifier holds",
    (
        _BATCH,
        Column("kind", "text", "user_id, email …"),
        Column("value", "text", "the normalized value"),
        Column("profile", "text", "the profile's id"),
        Column("first_seen", "time", "earliest event that carried it"),
    ),
)
PROFILES = Table(
    "profiles",
    "golden records; the last row of a profile holds, and merged ones name their successor",
    (
        _BATCH,
        Column("profile", "text", "the profile's id"),
        Column("changed_at", "time", "when it became so"),
        Column("traits", "text", "JSON: the golden traits"),
        Column(
            "merged_into",
            "text",
            "the profile that took it over, if any; itself if it was taken back",
        ),
        Column("computed", "text", "JSON: the computed traits"),
        Column("tags", "text", "JSON: the tags"),
    ),
)
MEMBERSHIPS = Table(
    "memberships",
    "entries into and exits from segments; the last row of a profile and segment holds",
    (
        _BATCH,
        Column("profile", "text", "the profile's id"),
        Column("segment", "text", "the segment's name"),
        Column("member", "bool", "whether it entered or left"),
        Column("changed_at", "time", "when"),
        Column("version", "int", "the version of the segment's definition that decided"),
    ),
)
CHANGES = Table(
    "changes",
    "everything that changed on a profile, in order; computed traits or tags that changed at once, and"
    " the first traits of somebody new, share a row, of which `onefold sql` makes one each",
    (
        _BATCH,
        Column("number", "int", "the place within the batch; of several values, the first one's"),
        Column("profile", "text", "the profile's id"),
        Column("changed_at", "time", "when it changed here"),
        Column(
            "what", "text", "trait, computed, tag, identifier, segment, merge, split or household"
        ),
        Column(
            "name",
            "text",
            "the trait, tag, identifier, segment, other profile or identifier of whom one lives with;"
            " null where several values share the row",
        ),
        Column("old", "text", "JSON: the value before, or an object of several by name"),
        Column("new", "text", "JSON: the value after, or an object of several by name"),
        Column("source", "text", "who said so, if one source did"),
        Column("message_id", "text", "in which event, if one did"),
    ),
)
ACCOUNTS = Table(
    "accounts",
    "golden records of accounts; the last row of an account holds",
    (
        _BATCH,
        Column("account", "text", "the account's id"),
        Column("changed_at", "time", "when it became so"),
        Column("traits", "text", "JSON: the golden traits"),
    ),
)
ACCOUNT_MEMBERS = Table(
    "account_members",
    "identifiers whose owners came to an account or left it; the last row of both holds",
    (
        _BATCH,
        Column("account", "text", "the account's id"),
        Column("kind", "text", "kind of the identifier"),
        Column("value", "text", "its value"),
        Column("member", "bool", "whether its owner belongs to the account"),
        Column("since", "time", "when that was first said"),
    ),
)
TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        EVENTS,
        MOVES,
        LINKS,
        IDENTIFIERS,
        PROFILES,
        MEMBERSHIPS,
        CHANGES,
        ACCOUNTS,
        ACCOUNT_MEMBERS,
    )
}
