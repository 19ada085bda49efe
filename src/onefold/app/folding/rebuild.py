"""Rebuilding: proving that the live profiles are what the lake's events fold to, and mending them."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from msgspec import to_builtins

from onefold.app.evaluation.backfill import Filling
from onefold.app.folding.accounts import all_accounts
from onefold.app.folding.judged import Judged
from onefold.app.folding.rebuild_checks import RebuildChecked, note_check
from onefold.app.folding.refold import fold_batches
from onefold.app.in_force import load_definitions
from onefold.app.lake.tables import tables_now, tables_with
from onefold.app.locks import hold
from onefold.app.long_work import ask
from onefold.app.progress import Tell, tell_nobody
from onefold.app.workspace import id_maker, node_key, now_us, open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.account import Account, decode_account, encode_account
from onefold.model.profile import (
    Node,
    NodeId,
    Profile,
    ProfileId,
    decode_profile,
    encode_profile,
    identifier_text,
    profile_name,
)
from onefold.pipeline import Pipeline
from onefold.pipeline.working import NOBODY
from onefold.store import BatchWrite, SQLiteStore

_PROFILES_A_PAGE = 5_000
_MOST_DIFFERENCES = 1_000
_ALL = 1 << 62


class Difference(msgspec.Struct, frozen=True):
    """Where a rebuilt profile is not what the live one is."""

    profile: str
    what: str
    live: Any
    rebuilt: Any


class LeftOut(NamedTuple):
    """Events that are taken back: which, in SQL about the lake's events; and all nodes that they name."""

    condition: str
    nodes: Collection[NodeId]


class RebuildReport(msgspec.Struct, frozen=True):
    """What a rebuild found; `differences` are the first thousand."""

    events: int
    profiles: int
    differences: tuple[Difference, ...]


def check_rebuild(settings: Settings, tell: Tell = tell_nobody) -> RebuildReport:
    """Fold all events again beside the live profiles, and compare.

    Works while the server runs: both sides are taken as of the same batch.
    """
    with (
        open_store(settings) as live,
        live.db.snapshot(),
        tempfile.TemporaryDirectory(prefix="onefold-", dir=settings.data) as folder,
    ):
        batch = live.batch()
        tables = tables_with(live.queued(_ALL), open_lake(settings))
        rebuilt = SQLiteStore(Path(folder) / "rebuilt.db")
        try:
            now = now_us()
            judged = Judged(settings, live, now)
            events = fold_batches(settings, live, rebuilt, tables, batch, now, tell)
            report = _compare(live, rebuilt, judged).report(events)
        finally:
            rebuilt.close()
    _note(settings, report)
    return report


def _note(settings: Settings, report: RebuildReport) -> None:
    found = RebuildChecked(now_us(), report.events, report.profiles, len(report.differences))
    with open_store(settings, cache_mb=1) as store:
        note_check(store, found)


def rebuild(settings: Settings, *, actor: str = "cli") -> RebuildReport:
    """Fold all events again, and put what comes out otherwise in the place of what is live.

    A running worker does it between two batches; else it is done here. Profiles that the lake
    knows nothing of are reported, and left alone.
    """
    with hold(settings.data / "worker.lock") as held, open_store(settings) as store:
        if not held:
            return msgspec.convert(ask(store, "rebuild", {}, actor), RebuildReport)
        engine = DuckEngine()
        try:
            pipeline = Pipeline(
                store, engine, node_key(store), id_maker(store.newest_id()), settings.timezone
            )
            definitions, sources = load_definitions(store)
            pipeline.use(definitions, sources)
            filling = Filling(settings, store, open_lake(settings))
            pipeline.rely_on(filling.use(pipeline.metrics))
            return rebuild_with(settings, store, pipeline, filling)
        finally:
            engine.close()


def rebuild_with(
    settings: Settings,
    store: SQLiteStore,
    pipeline: Pipeline,
    filling: Filling,
    tell: Tell = tell_nobody,
    rewritten: Mapping[NodeId, NodeId] = MappingProxyType({}),
    left_out: LeftOut | None = None,
) -> RebuildReport:
    """Rebuild on the pipeline that owns the store; nothing may be folded meanwhile.

    Nodes that are `rewritten` lead to others from now on, unless there still are such. With `left_out`
    everything becomes as if these events had never come.
    """
    with tempfile.TemporaryDirectory(prefix="onefold-", dir=settings.data) as folder:
        rebuilt = SQLiteStore(Path(folder) / "rebuilt.db")
        try:
            tables = tables_now(store, open_lake(settings))
            now = now_us()
            judged = Judged(settings, store, now)
            query = "" if left_out is None else left_out.condition
            events = fold_batches(settings, store, rebuilt, tables, _ALL, now, tell, query)
            comparison = _compare(store, rebuilt, judged)
            if left_out is not None:
                comparison.add_all(rebuilt, left_out.nodes)
                rewritten = _gone(store, rebuilt, left_out.nodes)
                store.accounts.remove(comparison.unsaid)
                store.given.replace_waiting(rebuilt.given.all_waiting())
            elif rewritten:
                comparison.add_all(rebuilt, rewritten.values())
                alive = rebuilt.profiles_of(list(rewritten))
                rewritten = {one: to for one, to in rewritten.items() if one not in alive}
                store.given.replace_waiting(rebuilt.given.all_waiting())
        finally:
            rebuilt.close()
    if comparison.changed or rewritten:
        _make_readable(store, comparison.changed)
        pipeline.rely_on(filling.restart())
        clusters = [profile.nodes for profile in comparison.changed]
        pipeline.repair(clusters, now_us(), rewritten, taken_back=left_out is not None)
    if comparison.accounts:
        pipeline.put_accounts(comparison.accounts, now_us())
    report = comparison.report(events)
    if left_out is None:  # else what differs was meant to
        left = sum(one.what == "extra" for one in report.differences)
        note_check(store, RebuildChecked(now_us(), events, report.profiles, left))
    return report


def _gone(
    live: SQLiteStore, rebuilt: SQLiteStore, nodes: Collection[NodeId]
) -> dict[NodeId, NodeId]:
    """The nodes that are no more, each with one that stays of the same profile; NOBODY where none does."""
    alive = rebuilt.profiles_of(list(nodes))
    gone = live.profiles_of([one for one in nodes if one not in alive])
    profiles = [_read(one) for one in live.documents(sorted(set(gone.values()))).values()]
    heirs = {}
    for profile in profiles:
        if profile is not None:
            others = [one.id for one in profile.nodes]
            stay = rebuilt.profiles_of(others)
            heirs[profile.id] = next((one for one in others if one in stay), NOBODY)
    return {node: heirs.get(number, NOBODY) for node, number in gone.items()}


class _Comparison:
    """Differences, and the rebuilt profiles that show them."""

    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self.changed: list[Profile] = []
        self.accounts: list[Account] = []
        self.unsaid: list[str] = []
        self.profiles = 0

    def add(self, profile: str, what: str, live: Any, rebuilt: Any) -> None:
        if len(self.differences) < _MOST_DIFFERENCES:
            self.differences.append(Difference(profile, what, live, rebuilt))

    def add_all(self, rebuilt: SQLiteStore, nodes: Iterable[NodeId]) -> None:
        """Also the rebuilt profiles that hold these nodes, whether they show a difference or not."""
        known = {node.id for profile in self.changed for node in profile.nodes}
        missing = set(rebuilt.profiles_of([one for one in set(nodes) if one not in known]).values())
        self.changed += map(decode_profile, rebuilt.documents(sorted(missing)).values())

    def report(self, events: int) -> RebuildReport:
        return RebuildReport(events, self.profiles, tuple(self.differences))


def _compare(live: SQLiteStore, rebuilt: SQLiteStore, judged: Judged) -> _Comparison:
    found = _Comparison()
    seen: set[ProfileId] = set()
    for _, again in _all_profiles(rebuilt):
        assert again is not None, "what was just folded can be read"
        number, now = _same(live, again)
        if number is not None:
            seen.add(number)
        if now is None:
            what = "missing" if number is None else "unreadable"
            found.add(identifier_text(again.nodes[0]), what, None, _known(again))
            found.changed.append(again)
            continue
        facts = (*_facts(now, again), *judged.facts(now, again))
        different = [fact for fact in facts if fact[1] != fact[2]]
        for fact in different:
            found.add(profile_name(now.id), *fact)
        if different:
            found.changed.append(again)
    _compare_accounts(live, rebuilt, found)
    for number, now in _all_profiles(live):
        found.profiles += 1
        if number not in seen:
            known = None if now is None else _known(now)
            found.add(profile_name(number), "extra", known, None)
    return found


def _compare_accounts(live: SQLiteStore, rebuilt: SQLiteStore, found: _Comparison) -> None:
    """The accounts: golden traits, and what they are made of."""
    for again in all_accounts(rebuilt):
        document = live.accounts.documents([again.id]).get(again.id)
        now = None if document is None else decode_account(document)
        if now is None or encode_account(now) != encode_account(again):
            traits = None if now is None else now.traits
            found.add(f"account:{again.id}", "account", traits, again.traits)
            found.accounts.append(again)
    for now in all_accounts(live):
        if not rebuilt.accounts.documents([now.id]):
            found.add(f"account:{now.id}", "extra", now.traits, None)
            found.unsaid.append(now.id)


def _same(live: SQLiteStore, again: Profile) -> tuple[ProfileId | None, Profile | None]:
    """The live profile that holds the first node of a rebuilt one, as far as it can be read."""
    node = again.nodes[0].id
    number = live.profiles_of([node]).get(node)
    if number is None:
        return None, None
    document = live.documents([number]).get(number)
    return number, None if document is None else _read(document)


def _read(document: bytes) -> Profile | None:
    try:
        return decode_profile(document)
    except msgspec.DecodeError:
        return None


def _make_readable(store: SQLiteStore, profiles: list[Profile]) -> None:
    """Put what else the store knows in the place of documents that cannot be read.

    So their ids, aliases and memberships outlive them; the facts come from the rebuilt profiles.
    """
    shells = []
    for again in profiles:
        number, now = _same(store, again)
        if number is None or now is not None:
            continue
        home = store.profiles_of([node.id for node in again.nodes])
        nodes = [
            Node(node.id, node.kind, node.value, node.first_seen, node.last_seen, 0, {})
            for node in again.nodes
            if home.get(node.id) == number
        ]
        names = [(name, nodes[0].id) for name in sorted([number, *store.aliases_of(number)])]
        shells.append(Profile(number, names, nodes, {}, store.memberships_of(number)))
    rows = [(encode_profile(shell), shell.id) for shell in shells]
    store.write(BatchWrite(store.batch(), documents=rows))


def _facts(now: Profile, again: Profile) -> Iterator[tuple[str, Any, Any]]:
    yield "identifiers", _known(now), _known(again)
    refreshed = {name for node in now.nodes for name in node.more.refreshed}
    claimed = {name: value for name, value in now.traits.items() if name not in refreshed}
    yield "traits", claimed, again.traits
    yield "events", _counts(now), _counts(again)
    yield "accounts", _belongs(now), _belongs(again)
    yield "households", _homes(now), _homes(again)


def _known(profile: Profile) -> list[str]:
    return sorted(identifier_text(node) for node in profile.nodes)


def _counts(profile: Profile) -> dict[str, tuple[int, int, int]]:
    return {
        identifier_text(node): (node.events, node.first_seen, node.last_seen)
        for node in profile.nodes
    }


def _belongs(profile: Profile) -> dict[str, Any]:
    return {
        identifier_text(node): to_builtins(node.more.accounts)
        for node in profile.nodes
        if node.more.accounts
    }


def _homes(profile: Profile) -> dict[str, Any]:
    """With whom its identifiers say that it lives, and what people said of that."""
    return {
        identifier_text(node): (
            {other.hex(): weight for other, weight in node.more.housemates.items()},
            {other.hex(): word for other, word in node.more.homes.items()},
        )
        for node in profile.nodes
        if node.more.housemates or node.more.homes
    }


def _all_profiles(store: SQLiteStore) -> Iterator[tuple[ProfileId, Profile | None]]:
    """Every profile of a store, a page at a time; None where one cannot be read."""
    for page in store.pages(_PROFILES_A_PAGE):
        for number, document in page.items():
            yield number, _read(document)
