"""Folding the lake's events again: to prove the live profiles, to replace them, to look back.

A profile is a fold over events, so the same pipeline that runs live runs here, on a store of its
own: in a temporary file for everything, in memory for one profile.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from onefold.app.backfill import backfill
from onefold.app.definitions import load_definitions
from onefold.app.locks import hold
from onefold.app.profiles import IdentifierView, ProfileView, SegmentView, find_id, view
from onefold.app.requests import ask_worker
from onefold.app.tables import TableNow, add_views, tables_now, tables_with
from onefold.app.workspace import id_maker, node_key, now_us, open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.errors import NotFound
from onefold.model.profile import Node, Profile, ProfileId, decode_profile, profile_name
from onefold.model.records import Event, Identifier
from onefold.pipeline import Pipeline
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.store import SQLiteStore

_EVENTS_A_BATCH = 20_000
_PROFILES_A_PAGE = 5_000
_MOST_DIFFERENCES = 1_000
_FIELDS = (
    "source, type, name, epoch_us(time), epoch_us(received_at), message_id, identifiers, asserted,"
    " traits, strong, properties, context, client_minute"
)
_identifiers = msgspec.json.Decoder(tuple[Identifier, ...]).decode
_asserted = msgspec.json.Decoder(tuple[tuple[Identifier, Identifier], ...]).decode


class Difference(msgspec.Struct, frozen=True):
    """Where a rebuilt profile is not what the live one is."""

    profile: str
    what: str
    live: Any
    rebuilt: Any


class RebuildReport(msgspec.Struct, frozen=True):
    """What a rebuild found; `differences` are the first thousand."""

    events: int
    profiles: int
    differences: tuple[Difference, ...]


def check_rebuild(settings: Settings) -> RebuildReport:
    """Fold all events again beside the live profiles, and compare.

    Works while the server runs: both sides are taken as of the same batch.
    """
    with (
        open_store(settings) as live,
        live.db.snapshot(),
        tempfile.TemporaryDirectory(prefix="onefold-", dir=settings.data) as folder,
    ):
        batch = live.batch()
        tables = tables_with(live.queued(1 << 62), open_lake(settings))
        rebuilt = SQLiteStore(Path(folder) / "rebuilt.db")
        try:
            events = _fold_all(settings, live, rebuilt, tables, f"batch <= {batch}")
            return _compare(live, rebuilt).report(events)
        finally:
            rebuilt.close()


def rebuild(settings: Settings) -> RebuildReport:
    """Fold all events again, and put what comes out otherwise in the place of what is live.

    A running worker does it between two batches; else it is done here. Profiles that the lake
    knows nothing of are reported, and left alone.
    """
    with hold(settings.data / "worker.lock") as held, open_store(settings) as store:
        if not held:
            answer = ask_worker(store, "rebuild", now_us())
            return msgspec.json.decode(answer, type=RebuildReport)
        engine = DuckEngine()
        try:
            pipeline = Pipeline(store, engine, node_key(store), id_maker(), settings.timezone)
            definitions, sources = load_definitions(store)
            pipeline.use(definitions, sources)
            backfill(store, open_lake(settings), pipeline)
            return rebuild_with(settings, store, pipeline)
        finally:
            engine.close()


def rebuild_with(settings: Settings, store: SQLiteStore, pipeline: Pipeline) -> RebuildReport:
    """Rebuild on the pipeline that owns the store; nothing may be folded meanwhile."""
    with tempfile.TemporaryDirectory(prefix="onefold-", dir=settings.data) as folder:
        rebuilt = SQLiteStore(Path(folder) / "rebuilt.db")
        try:
            tables = tables_now(store, open_lake(settings))
            events = _fold_all(settings, store, rebuilt, tables, "true", now_us())
            comparison = _compare(store, rebuilt)
        finally:
            rebuilt.close()
    if comparison.changed:
        pipeline.repair([profile.nodes for profile in comparison.changed], now_us())
    return comparison.report(events)


def profile_as_of(settings: Settings, reference: str, at: int) -> ProfileView:
    """The profile that a reference names, from what was known of events up to a time (µs).

    Its identifiers are those that the evidence of that time made one person, its segments
    those whose present rules held then.
    """
    with open_store(settings, cache_mb=4) as store:
        number = find_id(store, reference, settings.default_country)
        if number is None:
            raise NotFound(f"there is no profile {reference}")
        profiles = reachable(store, number)
        tables = tables_now(store, open_lake(settings))
        memory = SQLiteStore(":memory:")
        try:
            owners = sorted({node.id for one in profiles.values() for node in one.nodes})
            _fold_owners(settings, store, memory, tables, owners, at)
            found = _then(store, memory, reference, profiles[number], settings)
            if found is None:
                raise NotFound(f"there was no profile {reference} at that time")
            entries = _entries(tables, profiles.values(), at)
        finally:
            memory.close()
    return _named(found, profiles.values(), entries, at)


def reachable(store: SQLiteStore, profile: ProfileId) -> dict[ProfileId, Profile]:
    """A profile and all others that evidence connects it with, whether in force or not."""
    working = Working(store, id_maker(), Rows(0))
    working.load([profile])
    working.closure({node.id for node in working.profiles[profile].nodes})
    return working.profiles


def _fold_all(
    settings: Settings,
    live: SQLiteStore,
    target: SQLiteStore,
    tables: dict[str, TableNow],
    condition: str,
    now: int = 0,
) -> int:
    query = f"select {_FIELDS} from all_events where {condition}"  # noqa: S608 - a number of ours
    return _fold(settings, live, target, tables, query, [], now)


def _fold_owners(
    settings: Settings,
    live: SQLiteStore,
    target: SQLiteStore,
    tables: dict[str, TableNow],
    owners: list[bytes],
    at: int,
) -> None:
    query = (
        f"select {_FIELDS} from all_events"  # noqa: S608 - only names of columns
        " where owner in (select unnest(?::blob[])) and time <= make_timestamptz(?)"
    )
    _fold(settings, live, target, tables, query, [owners, at], at)


def _fold(
    settings: Settings,
    live: SQLiteStore,
    target: SQLiteStore,
    tables: dict[str, TableNow],
    query: str,
    values: list[Any],
    now: int,
) -> int:
    """Run the events of a query through a pipeline of its own; segments only where `now` is."""
    engine = DuckEngine(threads=2, memory_mb=1024)
    folding = DuckEngine()
    pipeline = Pipeline(target, folding, node_key(live), id_maker(), settings.timezone)
    definitions, sources = load_definitions(live)
    if now:
        pipeline.use(msgspec.structs.replace(definitions, destinations=()), sources)
    total = 0
    try:
        add_views(engine, tables)
        for events in _batches(engine, query, values):
            pipeline.fold(events, [], {}, now, from_lake=True)
            total += len(events)
    finally:
        engine.close()
        folding.close()
    return total


def _batches(engine: DuckEngine, query: str, values: list[Any]) -> Iterator[list[Event]]:
    for rows in engine.pages("events", query, values, _EVENTS_A_BATCH):
        yield [
            Event(  # type: ignore[call-arg]  # how many a slice of a row holds is not known
                *row[:6],
                _identifiers(row[6]),
                _asserted(row[7]),
                msgspec.json.decode(row[8]),
                *row[9:],
            )
            for row in rows
        ]


class _Comparison:
    """Differences, and the rebuilt profiles that show them."""

    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self.changed: list[Profile] = []
        self.profiles = 0

    def add(self, profile: str, what: str, live: Any, rebuilt: Any) -> None:
        if len(self.differences) < _MOST_DIFFERENCES:
            self.differences.append(Difference(profile, what, live, rebuilt))

    def report(self, events: int) -> RebuildReport:
        return RebuildReport(events, self.profiles, tuple(self.differences))


def _compare(live: SQLiteStore, rebuilt: SQLiteStore) -> _Comparison:
    found = _Comparison()
    seen: set[ProfileId] = set()
    for again in all_profiles(rebuilt):
        now = _same(live, again)
        if now is None:
            found.add(_text(again.nodes[0]), "missing", None, _known(again))
            found.changed.append(again)
            continue
        seen.add(now.id)
        different = [fact for fact in _facts(now, again) if fact[1] != fact[2]]
        for fact in different:
            found.add(profile_name(now.id), *fact)
        if different:
            found.changed.append(again)
    for now in all_profiles(live):
        found.profiles += 1
        if now.id not in seen:
            found.add(profile_name(now.id), "extra", _known(now), None)
    return found


def _same(live: SQLiteStore, again: Profile) -> Profile | None:
    """The live profile that holds the first node of a rebuilt one."""
    node = again.nodes[0].id
    number = live.profiles_of([node]).get(node)
    return None if number is None else decode_profile(live.documents([number])[number])


def _facts(now: Profile, again: Profile) -> Iterator[tuple[str, Any, Any]]:
    yield "identifiers", _known(now), _known(again)
    yield "traits", now.traits, again.traits
    yield "events", _counts(now), _counts(again)


def _known(profile: Profile) -> list[str]:
    return sorted(f"{node.kind}:{node.value}" for node in profile.nodes)


def _counts(profile: Profile) -> dict[str, tuple[int, int, int]]:
    return {_text(node): (node.events, node.first_seen, node.last_seen) for node in profile.nodes}


def _text(node: Node) -> str:
    return f"{node.kind}:{node.value}"


def all_profiles(store: SQLiteStore) -> Iterator[Profile]:
    """Every profile of a store, a page at a time."""
    after = 0
    while page := store.profile_ids(after, _PROFILES_A_PAGE):
        for document in store.documents(page).values():
            yield decode_profile(document)
        after = page[-1]


def _then(
    store: SQLiteStore, memory: SQLiteStore, reference: str, now: Profile, settings: Settings
) -> Profile | None:
    """The profile of that time that the reference means: by identifier, or by the id's root."""
    if ":" in reference:
        memory.set_setting("node_key", node_key(store))
        number = find_id(memory, reference, settings.default_country)
    else:
        names = {profile_name(name): root for name, root in now.names}
        root = names.get(reference, now.names[0][1])
        number = memory.profiles_of([root]).get(root)
    if number is None:
        return None
    return decode_profile(memory.documents([number])[number])


def _entries(
    tables: dict[str, TableNow], profiles: Iterator[Profile] | Any, at: int
) -> dict[tuple[str, str], int]:
    """When each of these profiles last entered each segment, up to a time."""
    names = [profile_name(name) for one in profiles for name, _ in one.names]
    engine = DuckEngine()
    try:
        add_views(engine, {"memberships": tables["memberships"]})
        rows = engine.rows(
            "entries",
            "select profile, segment, max(epoch_us(changed_at)) from all_memberships"
            " where member and changed_at <= make_timestamptz(?) and profile in (select unnest(?))"
            " group by all",
            {},
            [at, names],
        )
    finally:
        engine.close()
    return {(profile, segment): time for profile, segment, time in rows}


def _named(
    found: Profile, profiles: Any, entries: dict[tuple[str, str], int], at: int
) -> ProfileView:
    """The view of a profile of that time, under the id that its root has today."""
    nodes = {node.id for node in found.nodes}
    names = sorted(name for one in profiles for name in one.names if name[1] in nodes)
    seen = view(found)
    own = profile_name(names[0][0]) if names else seen.id
    segments = tuple(
        SegmentView(one.name, entries.get((own, one.name), at)) for one in seen.segments
    )
    aliases = tuple(profile_name(name) for name, _ in names[1:])
    identifiers: tuple[IdentifierView, ...] = seen.identifiers
    return ProfileView(own, identifiers, seen.traits, seen.computed, segments, aliases)
