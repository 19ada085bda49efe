"""What questions ask often, held in memory from one question to the next: decoded, and of whom it is now.

Of the lake's compacted files: the events of a name with the fields that rules read of them, and of
profiles the traits that have few values. What came in since is read from where it lies. Nothing of an
answer is held: each question adds up anew. A process that answers one question holds nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from onefold.app.lake.tables import TableNow
from onefold.app.lake.typed import column_of, fields_of, typed_columns
from onefold.engine import DuckEngine, OutOfMemory
from onefold.lake import MIXED, by_layout, parse_file_name
from onefold.model.sql import literal_sql
from onefold.segment.metric import Aggregate, Field, FieldType, make_field
from onefold.segment.plan import Plan
from onefold.segment.trait_sql import is_moment, trait_field

EVENTS, PROFILES = "events_held", "profiles_held"
_LATE, _LEFT = "held_late_moves", "held_left_profiles"
_WIDTHS: dict[FieldType, int] = {"text": 40, "number": 9, "boolean": 2}
"""Bytes of a value, roughly; of the texts of profiles only their numbers are held."""
_ID, _TIME, _NUMBER = 9, 9, 2
_SQL: dict[FieldType, str] = {"text": "varchar", "number": "double", "boolean": "boolean"}
_MOST_VALUES, _SOME = 1_000, 20_000
_SIMPLE: tuple[Aggregate, ...] = ("count", "sum", "avg", "min", "max", "days")
"""These need of an event its name, its time and the fields that the rule names."""


class _Table(NamedTuple):
    """A table that is held: the files that it was made of, with moves until a batch."""

    name: str
    files: frozenset[str]
    fields: tuple[Field, ...]
    size: int
    batch: int = 0

    def has(self, files: Iterable[str], fields: Iterable[Field]) -> bool:
        return self.files.issuperset(files) and set(self.fields).issuperset(fields)


class Asked(NamedTuple):
    """What was asked, and could not be read from memory."""

    plan: Plan
    since: int | None


class HeldRelations(NamedTuple):
    """The relations to ask instead, and the fields that they have columns for; None: not held."""

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
        self._too_much: set[tuple[str, frozenset[str]]] = set()
        self._made = 0
        self._moves: object = None
        self._left = 0

    @property
    def names(self) -> frozenset[str]:
        """The tables that must stay."""
        return frozenset([_LEFT, *(one.name for one in self._tables())])

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
        wanted = _events_of(asked.plan)
        if wanted is None:
            return None
        make = self.missed == asked
        self.missed = None
        traits = _traits_of(asked.plan)
        profiles = tables["profiles"]
        if not self._hold_events(engine, tables, wanted, asked.since, batch if make else None):
            self.missed = None if make else asked
            return None
        fields = list(dict.fromkeys(one for each in wanted.values() for one in each))
        if not self._add_events(engine, tables, wanted, fields):
            return None
        if self._hold_profiles(engine, profiles, traits, wanted, make=make):
            self._add_profiles(engine, profiles, traits, typed)
            return HeldRelations(EVENTS, PROFILES, [*fields, *traits])
        self.missed = None if make else asked
        return HeldRelations(EVENTS, None, fields)

    def _tables(self) -> list[_Table]:
        return [*self._events.values(), *([self._profiles] if self._profiles else [])]

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
            width = _ID + _TIME + sum(_WIDTHS[one.type] for one in fields)
            rows = " union all ".join(
                f'select profile_id, epoch_us("time") as "time"{typed_columns(fields, have)}'
                f" from {view} where name = {literal_sql(name)}"
                for view, have in views.items()
            )
            made = self._make(engine, name, by_profile(rows, _LEFT), days, fields, width, wanted)
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
    ) -> bool:
        """Make the view of the events that are held, and of those that came in since."""
        events = tables["events"]
        tail = [file for file in with_rows(events.files) if not is_day(file)]
        held = [self._events[name] for name in wanted]
        parts = [
            f"select profile as profile_id, {literal_sql(name)} as name,"
            f' "time", null::varchar as message_id'
            f"{_columns(fields, one.fields)} from {one.name}"
            for name, one in zip(wanted, held, strict=True)
        ]
        views = _views(engine, "held_tail", tail, "properties", "context")
        if events.newer.num_rows:
            engine.add_view("held_newer", {}, events.newer)
            views["held_newer"] = []
        columns = ", ".join(column_of(one) for one in fields)
        parts += [
            f'select profile_id, name, "time", message_id{columns and ", "}{columns}'
            f" from ({events_part(view, have, fields)})"
            for view, have in views.items()
        ]
        batches = [one.batch for one in held]
        if views:
            batches.append(oldest(tail, events.newer))
        if not self._add_moves(engine, tables["moves"], min(batches)):
            return False
        rows = " union all ".join(parts)
        moved = by_profile(rows, _LEFT)
        as_is = f"select profile_id as profile, * exclude (profile_id) from ({rows})"
        engine.view(EVENTS, moved if self._left else as_is)
        return True

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
        if old and old.files == frozenset(files) and set(traits) <= set(old.fields):
            return True
        if not make:
            return False
        self._profiles = None
        if old:
            engine.forget(old.name)
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
        columns = [_narrow(engine, rows, one) for one in traits]
        if "" in columns:
            self._too_much.add((what, frozenset(files)))
            return False
        query = f"select {', '.join(['profile', *columns])} from ({rows})"
        width = _ID + sum(_NUMBER if one.type == "text" else _WIDTHS[one.type] for one in traits)
        self._profiles = self._make(engine, "", query, files, traits, width, wanted)
        return self._profiles is not None

    def _add_profiles(
        self,
        engine: DuckEngine,
        profiles: TableNow,
        traits: Sequence[Field],
        typed: Sequence[Field],
    ) -> None:
        """Make the view of the profiles that are held, and of those that changed since."""
        assert self._profiles
        columns = typed_columns(traits, traits)
        query = f"select profile{columns} from {self._profiles.name} older"
        tail = [one for one in with_rows(profiles.files) if parse_file_name(one).part == "tail"]
        if tail or profiles.newer.num_rows:
            newest = "profiles_newest"
            query += (
                f" where not exists (select 1 from {newest} n where n.profile = older.profile)"
                f" union all select profile{typed_columns(traits, typed)} from {newest} where here"
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
        keep: Collection[str],
    ) -> _Table | None:
        """Hold the rows of a query in a new table, if there is room; what nobody wants goes first."""
        known = (what, frozenset(files))
        if known in self._too_much:
            return None
        if old := self._events.pop(what, None):
            engine.forget(old.name)
        [(rows,)] = engine.rows("held", f"select count(*) from ({query})", {})
        size = rows * width
        for name in [name for name in self._events if name not in keep]:
            if size + sum(one.size for one in self._tables()) > self._limit:
                engine.forget(self._events.pop(name).name)
        if size + sum(one.size for one in self._tables()) > self._limit:
            self._too_much.add(known)
            return None
        self._made += 1
        table = f"held_{self._made}"
        try:
            engine.keep(table, query)
        except OutOfMemory:
            self._too_much.add(known)
            return None
        return _Table(table, frozenset(files), tuple(fields), size)


def _events_of(plan: Plan) -> dict[str, tuple[Field, ...]] | None:
    """The events that a plan counts, by name, with their fields; None if it needs more of some."""
    metrics = {one.id: one for one in plan.metrics}
    found: dict[str, tuple[Field, ...]] = {}
    for column in plan.columns:
        if column.kind != "window":
            continue
        metric = metrics[column.metric]
        plain = all(one.type in _WIDTHS and one.root != "traits" for one in metric.fields)
        if len(column.metrics) > 1 or column.aggregate not in _SIMPLE or not plain:
            return None
        if metric.many or not metric.event:
            return None
        known = found.get(metric.event, ())
        found[metric.event] = tuple(dict.fromkeys([*known, *metric.fields]))
    return found or None


def _traits_of(plan: Plan) -> list[Field]:
    fields = [trait_field(one, text=is_moment(one)) for one in plan.columns if one.kind == "trait"]
    return [make_field(one.root, one.keys, one.type) for one in fields]


def _views(
    engine: DuckEngine, prefix: str, files: Sequence[str], *roots: str
) -> dict[str, list[Field]]:
    """Make a view of the files of each layout; give the fields that each has columns for."""
    return {
        f"{prefix}_{group}": fields_of(engine.add_files(f"{prefix}_{group}", group, of), *roots)
        for group, of in by_layout(files).items()
    }


def _columns(fields: Iterable[Field], have: Iterable[Field]) -> str:
    """The columns of fields, each after a comma; null where there is none."""
    known = set(have)
    return "".join(
        f", {column_of(one)}" if one in known else f", null::{_SQL[one.type]} as {column_of(one)}"
        for one in fields
    )


def _narrow(engine: DuckEngine, rows: str, field: Field) -> str:
    """Write the column of a trait as it is held: texts by number. Empty where they are too many."""
    column = column_of(field)
    if field.type != "text":
        return column
    some = f"(select {column} from ({rows}) limit {_SOME})"
    for source in (some, f"({rows})"):
        query = f"select distinct {column} from {source} where {column} is not null"
        found = [
            str(one) for (one,) in engine.rows("held", f"{query} limit {_MOST_VALUES + 1}", {})
        ]
        if len(found) > _MOST_VALUES:
            return ""
    if not found:
        return column
    # In the order in which texts are compared: so the numbers are.
    listed = ", ".join(literal_sql(one) for one in sorted(found, key=str.encode))
    return f"cast({column} as enum({listed})) as {column}"
