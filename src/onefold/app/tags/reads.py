"""When tags were last read: with profiles, through segments, by rules that were asked, in SQL.

Nobody waits for it. A process that answers remembers what was read, and now and then says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from onefold.app.definitions.dependencies import Graph
from onefold.app.questions.audiences import SAVED
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.store import SQLiteStore

_MOST = 1_000
_SETTING = "tag_reads"
_decode = msgspec.json.Decoder(dict[str, int]).decode


class Reads:
    """What one process read since it last said so."""

    def __init__(self) -> None:
        self.tags: set[str] = set()
        self.segments: set[str] = set()
        self.rules: set[str] = set()
        self.queries: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self.tags or self.segments or self.rules or self.queries)

    def asked(self, rules: Iterable[str] = (), queries: Iterable[str] = ()) -> None:
        """Remember rules, of which `segment:NAME` is a saved one, and SQL; not too many of either."""
        for rule in rules:
            if rule.startswith(SAVED):
                self.segments.add(rule.removeprefix(SAVED))
            elif len(self.rules) < _MOST:
                self.rules.add(rule)
        if len(self.queries) < _MOST:
            self.queries.update(queries)


def note_reads(store: SQLiteStore, reads: Reads, at: int) -> None:
    """Keep that these tags were read at a moment (µs)."""
    graph = Graph({(one.kind, one.name): one.body for one in store.registry.definitions()})
    tags = [name for kind, name in graph.uses if kind == "tag"]
    asked = [("segment", name) for name in reads.segments]
    asked += [key for text in reads.rules for key in graph.named_in(text)]
    used = {name for kind, name in [*asked, *graph.needed_by(asked)] if kind == "tag"}
    used |= reads.tags | set(_named(tags, reads.queries))
    with store.db.transaction() as connection:
        known = last_reads(store)
        kept = {name: known[name] for name in tags if name in known}
        kept |= {name: at for name in tags if name in used}
        if kept != known:
            row = (_SETTING, msgspec.json.encode(kept))
            connection.execute("insert or replace into settings values (?,?)", row)


def last_reads(store: SQLiteStore) -> dict[str, int]:
    """When each tag was last read (µs), as far as it was."""
    kept = store.setting(_SETTING)
    return _decode(kept) if kept else {}


def written_reads(settings: Settings, reads: Reads, at: int) -> None:
    """The same, of a workspace that is not open."""
    with open_store(settings, cache_mb=4) as store:
        note_reads(store, reads, at)


def _named(tags: Iterable[str], queries: Iterable[str]) -> Iterable[str]:
    """The tags whose names stand in SQL: their values lie in JSON, so no column tells."""
    text = "\n".join(queries)
    return (name for name in tags if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text))
