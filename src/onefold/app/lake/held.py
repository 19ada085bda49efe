"""What questions ask often, held in memory from one question to the next: decoded, and of whom it is now.

Of the lake's compacted files: the events of a name with the fields that rules read of them, profiles
by short numbers, and of profiles the traits that have few values. What came in since is read from where
it lies. Nothing of an answer is held: each question adds up anew. A process that answers one
question holds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from onefold.app.lake.event_rows import (
    add_late_moves,
    add_left_profiles,
    all_before,
    all_went_one_way,
    by_profile,
    events_part,
    is_day,
    oldest,
    with_rows,
)
from onefold.app.lake.held_columns import (
    event_width,
    events_of,
    held_columns,
    is_long,
    millionths_columns,
    narrow,
    numbers_of,
    profile_width,
    traits_of,
)
from onefold.app.lake.numbered import Numbers
from onefold.app.lake.tables import TableNow
from onefold.app.lake.typed import column_of, fields_of, typed_columns
from onefold.engine import DuckEngine, OutOfMemory
from onefold.lake import MIXED, by_layout, parse_file_name
from onefold.model.sql import literal_sql
from onefold.segment.metric import Field
from onefold.segment.plan import Plan

EVENTS, PROFILES, KEY = "events_held", "profiles_held", "number"
_LATE, _LEFT = "held_late_moves", "held_left_profiles"


class _Table(NamedTuple):
    """A table that is held: the files that it was made of, with moves until a batch.

    `numbered`: so many profiles had a short number then.
    """

    name: str
    files: frozenset[str]
    fields: tuple[Field, ...]
    size: int
    numbered: int
    batch: int = 0

    def has(self, files: Iterable[str], fields: Iterable[Field]) -> bool:
        return self.files.issuperset(files) and set(self.fields).issuperset(fields)


class Asked(NamedTuple):
    """What was asked, and could not be read from memory."""

    plan: Plan
    since: int | None


class HeldRelations(NamedTuple):
    """The relations to ask instead, and the fields that they have columns for; None: not held.

    Where profiles are held, events name them by their `KEY`.
    """

    events: str
    profiles: str | None
    fields: list[Field]


class Held:
    """What one session of an engine holds, of at most so many bytes by a rough count."""

    def __init__(self, limit: int) -> None:
        self.missed: Asked | None = None
        self._limit = limit
        self._events: dict[str, _Table] = {}
        self._profiles: _Table | None = None
        self._numbers = Numbers()
        self._too_much: set[tuple[str, frozenset[str]]] = set()
        self._made = 0
        self._moves: object = None
        self._left = 0

    @property
    def names(self) -> frozenset[str]:
        """The tables that must stay."""
        tables = [one.name for one in self._tables()]
        others = [_others(self._profiles.name)] if self._profiles else []
        return self._numbers.names.union([_LEFT, *tables, *others])

    def relations(
        self,
        engine: DuckEngine,
        tables: Mapping[str, TableNow],
        asked: Asked,
        batch: int,
        typed: Sequence[Field],
    ) -> HeldRelations | None:
        """Relations that hold what is asked; None where they don't, or more came in than can be held.

        `tables` are complete up to `batch`; `typed` are the fields that other relations have columns for.
        What is `missed` is held once it is asked again.
        """
        wanted = events_of(asked.plan)
        if wanted is None:
            return None
        make = self.missed == asked
        self.missed = None
        traits = traits_of(asked.plan)
        profiles = tables["profiles"]
        if not self._hold_events(engine, tables, wanted, asked.since, batch if make else None):
            self.missed = None if make else asked
            return None
        fields = list(dict.fromkeys(one for each in wanted.values() for one in each))
        numbered = self._hold_profiles(engine, profiles, traits, wanted, make=make)
        if not self._add_events(engine, tables, wanted, fields, numbered=numbered):
            return None
        if numbered:
            self._add_profiles(engine, profiles, traits, typed)
            return HeldRelations(EVENTS, PROFILES, [*fields, *traits])
        self.missed = None if make else asked
        return HeldRelations(EVENTS, None, fields)

    def _tables(self) -> list[_Table]:
        return [*self._events.values(), *([self._profiles] if self._profiles else [])]

    def _is_room(self, size: int) -> bool:
        held = self._numbers.size + sum(one.size for one in self._tables())
        return held + size <= self._limit

    def _hold_events(
        self,
        engine: DuckEngine,
        tables: Mapping[str, TableNow],
        wanted: Mapping[str, tuple[Field, ...]],
        since: int | None,
        batch: int | None,
    ) -> bool:
        """Say whether the events of these names are held, of all days that matter.

        With a batch, the one that the tables are as of, see to it that they are.
        """
        events = tables["events"]
        layouts = {parse_file_name(file).layout for file in with_rows(events.files)}
        if MIXED in layouts or events.newer["profile_id"].null_count:
            return False  # of these events the store knows the profiles
        now = frozenset(events.files)
        for name in [name for name, one in self._events.items() if not one.files <= now]:
            engine.forget(self._events.pop(name).name)
        days = [file for file in with_rows(events.files) if is_day(file)]
        days = [file for file in days if not all_before(file, since)]
        missing = {
            name: fields
            for name, fields in wanted.items()
            if name not in self._events or not self._events[name].has(days, fields)
        }
        if not missing or not days or batch is None:
            return not missing
        views = _views(engine, "held_days", days, "properties", "context")
        if not self._add_moves(engine, tables["moves"], oldest(days)):
            return False
        for name, fields in missing.items():
            width = event_width(fields)
            rows = " union all ".join(
                f'select profile_id, epoch_us("time") as "time"{typed_columns(fields, have)}'
                f" from {view} where name = {literal_sql(name)}"
                for view, have in views.items()
            )
            query = by_profile(rows, _LEFT)
            made = self._make(engine, name, query, days, fields, width, wanted, self._keep_events)
            if made is None:
                return False
            self._events[name] = made._replace(batch=batch)
        return True

    def _add_moves(self, engine: DuckEngine, moves: TableNow, after: int) -> bool:
        """Make the table of profiles that were left since a batch; False: some of them parted."""
        known = None if moves.newer.num_rows else (after, *moves.files)
        if known is None or known != self._moves:
            self._moves = None
            add_late_moves(engine, moves, after, _LATE)
            self._left = add_left_profiles(engine, _LATE, _LEFT)
            if self._left and not all_went_one_way(engine, self._left, _LEFT):
                return False
            self._moves = known
        return True

    def _add_events(
        self,
        engine: DuckEngine,
        tables: Mapping[str, TableNow],
        wanted: Mapping[str, tuple[Field, ...]],
        fields: Sequence[Field],
        *,
        numbered: bool,
    ) -> bool:
        """Make the view of the events that are held, and of those that came in since."""
        events = tables["events"]
        tail = [file for file in with_rows(events.files) if not is_day(file)]
        held = [self._events[name] for name in wanted]
        rows = " union all ".join(
            f'select profile, {literal_sql(name)} as name, "time", null::varchar as message_id'
            f"{held_columns(fields, one.fields)} from {one.name}"
            for name, one in zip(wanted, held, strict=True)
        )
        views = _views(engine, "held_tail", tail, "properties", "context")
        if events.newer.num_rows:
            engine.add_view("held_newer", {}, events.newer)
            views["held_newer"] = []
        columns = "".join(f", {column_of(one)}" for one in fields) + millionths_columns(fields)
        newer = " union all ".join(
            f'select profile_id, name, "time", message_id{columns}'
            f" from ({events_part(view, have, fields)})"
            for view, have in views.items()
        )
        batches = [one.batch for one in held]
        if views:
            batches.append(oldest(tail, events.newer))
        if not self._add_moves(engine, tables["moves"], min(batches)):
            return False
        if self._left:
            rows = self._numbers.moved(engine, rows, _LEFT)
        if not numbered:
            rows = self._numbers.profiles(rows)
        if views:
            newer = by_profile(newer, _LEFT)
            rows += f" union all {self._numbers.every(newer, 'profile') if numbered else newer}"
        engine.view(EVENTS, rows)
        return True

    def _keep_events(
        self, engine: DuckEngine, table: str, query: str, fields: Sequence[Field]
    ) -> None:
        given = f"{table}_given"
        try:
            engine.keep(given, query)
            self._numbers.add(engine, given)
            columns = "".join(f", {column_of(one)}" for one in fields)
            long = {one: is_long(engine, given, one) for one in numbers_of(fields)}
            rows = self._numbers.known(f"select * from {given}")
            engine.keep(
                table,
                f'select profile, "time"{columns}{millionths_columns(fields, long)} from ({rows})'
                ' order by profile, "time"',
            )
        finally:
            engine.forget(given)

    def _hold_profiles(
        self,
        engine: DuckEngine,
        profiles: TableNow,
        traits: Sequence[Field],
        wanted: Collection[str],
        *,
        make: bool,
    ) -> bool:
        """Say whether these traits of everybody are held; `make`: see to it, if they have few values."""
        files = [one for one in with_rows(profiles.files) if parse_file_name(one).part == "now"]
        old = self._profiles
        is_same = old and old.files == frozenset(files) and old.numbered == self._numbers.count
        if old and is_same and set(traits) <= set(old.fields):
            return True
        if not make:
            return False
        self._profiles = None
        if old:
            engine.forget(old.name, _others(old.name))
        what = " ".join(["profiles", *map(column_of, traits)])
        if (what, frozenset(files)) in self._too_much:
            return False
        views = _views(engine, "held_profiles", files, "traits")
        rows = " union all ".join(
            f"select profile_id as profile{typed_columns(traits, have)} from {view}"
            for view, have in views.items()
        )
        if not rows:
            return False
        columns = [narrow(engine, rows, one) for one in traits]
        if "" in columns:
            self._too_much.add((what, frozenset(files)))
            return False
        query = f"select {', '.join(['profile', *columns])} from ({rows})"
        width = profile_width(traits)
        self._profiles = self._make(
            engine, "", query, files, traits, width, wanted, self._keep_profiles
        )
        return self._profiles is not None

    def _keep_profiles(
        self, engine: DuckEngine, table: str, query: str, fields: Sequence[Field]
    ) -> None:
        known, others = self._numbers.apart(query)
        engine.keep(table, known)
        engine.keep(_others(table), others)

    def _add_profiles(
        self,
        engine: DuckEngine,
        profiles: TableNow,
        traits: Sequence[Field],
        typed: Sequence[Field],
    ) -> None:
        """Make the view of the profiles that are held, and of those that changed since."""
        assert self._profiles
        columns, name = typed_columns(traits, traits), self._profiles.name
        query = (
            f"select * from (select profile, {KEY}{columns} from {name} union all"
            f" select profile, profile as {KEY}{columns} from {_others(name)}) older"
        )
        tail = [one for one in with_rows(profiles.files) if parse_file_name(one).part == "tail"]
        if tail or profiles.newer.num_rows:
            newest = "profiles_newest"
            rows = f"select profile{typed_columns(traits, typed)} from {newest} where here"
            query += (
                f" where not exists (select 1 from {newest} n where n.profile = older.profile)"
                f" union all select profile, {KEY}{columns} from ({self._numbers.every(rows)})"
            )
        engine.view(PROFILES, query)

    def _make(
        self,
        engine: DuckEngine,
        what: str,
        query: str,
        files: Sequence[str],
        fields: Sequence[Field],
        width: int,
        wanted: Collection[str],
        keep: Callable[[DuckEngine, str, str, Sequence[Field]], None],
    ) -> _Table | None:
        """Hold the rows of a query in a new table, if there is room; what nobody wants goes first."""
        known = (what, frozenset(files))
        if known in self._too_much:
            return None
        if old := self._events.pop(what, None):
            engine.forget(old.name)
        [(rows,)] = engine.rows("held", f"select count(*) from ({query})", {})
        size = rows * width
        for name in [name for name in self._events if name not in wanted]:
            if not self._is_room(size):
                engine.forget(self._events.pop(name).name)
        if not self._is_room(size):
            self._too_much.add(known)
            return None
        self._made += 1
        table = f"held_{self._made}"
        try:
            keep(engine, table, query, fields)
        except OutOfMemory:
            self._too_much.add(known)
            return None
        return _Table(table, frozenset(files), tuple(fields), size, self._numbers.count)


def _others(table: str) -> str:
    """Where those profiles are that have no short number."""
    return f"{table}_others"


def _views(
    engine: DuckEngine, prefix: str, files: Sequence[str], *roots: str
) -> dict[str, list[Field]]:
    """Make a view of the files of each layout; give the fields that each has columns for."""
    return {
        f"{prefix}_{group}": fields_of(engine.add_files(f"{prefix}_{group}", group, of), *roots)
        for group, of in by_layout(files).items()
    }
