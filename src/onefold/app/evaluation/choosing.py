"""Who must be evaluated after definitions changed: asked of everybody by query, not one by one.

Of what is new or means something else, the query that a preview would run says what everybody should
have. Whose stored values and memberships are others is chosen; so is, for the moment when it is due,
of whom time alone will change something. The worker evaluates the chosen. Any profile that events,
merges or time changed since is evaluated anyway: so what is read of events and profiles may
be of any moment after the definitions came into force, and more may be chosen than need be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pyarrow as pa

from onefold.app.evaluation.chosen import ChosenFile, write_chosen
from onefold.app.in_force import load_definitions
from onefold.app.lake.relations import PROFILES, add_population
from onefold.app.long_work import Work
from onefold.app.progress import Tell
from onefold.app.workspace import now_us, open_lake, open_store, spill_path
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.errors import Damaged
from onefold.segment import compile_plan, wanted_by
from onefold.segment.differing import differs_sql, digests, stored_sql
from onefold.segment.parts import part_of
from onefold.segment.plan import Key, Output, Plan
from onefold.segment.population import Relations, earliest, features_query
from onefold.segment.turning import Turning
from onefold.segment.zone import load_zone
from onefold.store import SQLiteStore

CHOOSE = "choose"
"""The kind of job that chooses whom to evaluate."""
_AT_ONCE = 25


class ChooseWanted(msgspec.Struct, frozen=True):
    """Definitions that mean something new, by what they mean, and those that are `gone`.

    The answer goes into a `file`. What an earlier one, `before`, holds from `start` on is still to be done later.
    """

    meanings: dict[str, str]
    gone: tuple[str, ...]
    file: str
    before: str = ""
    start: int = 0


class Chosen(msgspec.Struct, frozen=True):
    """How many profiles were asked, are to be evaluated at once, and later."""

    profiles: int
    now: int
    later: int


def key_text(key: Key) -> str:
    """A definition as it is named in what is stored."""
    return f"{key[0]}:{key[1]}"


def choose_for_job(settings: Settings, work: Work) -> Chosen:
    """The job."""
    wanted = msgspec.convert(work.job.argument, ChooseWanted)
    engine = DuckEngine(
        threads=settings.sql_threads,
        memory_mb=max(1024, settings.sql_memory >> 20),
        spill=spill_path(settings),
    )
    try:
        with work.interrupting(engine.connection.interrupt):
            return choose(settings, wanted, engine, now_us(), work.progress)
    finally:
        engine.close()


def choose(
    settings: Settings, wanted: ChooseWanted, engine: DuckEngine, now: int, tell: Tell
) -> Chosen:
    """Ask everybody as of a moment (µs UTC), and write the file."""
    with open_store(settings, cache_mb=8) as store:
        plan = compile_plan(wanted_by(load_definitions(store)[0]))
        meanings = digests(plan, settings.timezone)
        # What changed again since is asked for again.
        keys = [key for key in meanings if wanted.meanings.get(key_text(key)) == meanings[key]]
        windows = [one for one in part_of(plan, keys).columns if one.kind == "window"]
        since = earliest(windows, now, settings.timezone) if windows else now
        population = add_population(engine, store, open_lake(settings), since)
        asking = _Asking(settings, store, engine, Relations(read=population.read), now)
        people = asking.people(population.profiles)
        for start in range(0, len(keys), _AT_ONCE):
            tell(start, len(keys), "asking everybody")
            some = keys[start : start + _AT_ONCE]
            asking.ask(part_of(plan, some), set(some))
        asking.forget(wanted.gone)
    if wanted.before:
        with suppress(FileNotFoundError):
            asking.keep_waiting(ChosenFile(settings.data / wanted.before), wanted.start)
    at_once, later = asking.found()
    write_chosen(settings.data / wanted.file, at_once, later)
    return Chosen(people, at_once.num_rows, later.num_rows)


class _Asking:
    """Collects in the engine who is chosen."""

    def __init__(
        self,
        settings: Settings,
        store: SQLiteStore,
        engine: DuckEngine,
        relations: Relations,
        now: int,
    ) -> None:
        self._timezone = settings.timezone
        self._zone = load_zone(settings.timezone)
        self._store = store
        self._engine = engine
        self._relations = relations
        self._now = now
        self._run("create temp table at_once (profile bigint)")
        self._run("create temp table later (profile bigint, due bigint)")

    def people(self, known: int) -> int:
        """How many profiles there are; `Damaged` if that is not what is known."""
        [(found,)] = self._run(f"select count(*) from {PROFILES}")
        if found != known:
            raise Damaged(f"the lake knows {found} profiles, the store {known}")
        return known

    def ask(self, part: Plan, wanted: set[Key]) -> None:
        """Choose by some outputs, those that are wanted, of a plan."""
        features = features_query(
            part.columns, part.metrics, self._now, self._timezone, self._relations
        )
        self._run(
            "create or replace temp table found as"
            f" with profiles as ({features}) select * from ({part.live_sql})"
        )
        outputs = [one for one in part.outputs if one.key in wanted]
        for one in outputs:
            if one.kind == "segment":
                self._members(one)
        self._values([one for one in outputs if one.kind != "segment"])
        self._turns(part)

    def forget(self, gone: Sequence[str]) -> None:
        """Choose who has something of definitions that are gone."""
        names = [one.partition(":") for one in gone]
        for kind, _, name in names:
            if kind == "segment":
                self._run("insert into at_once select profile from held", held=self._held(name))
        values = [name for kind, _, name in names if kind != "segment"]
        tests = [stored_sql(name, column) for name in values for column in ("computed", "tags")]
        if tests:
            some = f"select profile from {PROFILES} where {_any(tests)}"
            self._run(f"insert into at_once {some}")

    def keep_waiting(self, before: ChosenFile, start: int) -> None:
        """Choose for later whom an earlier choice still names."""
        self._run("insert into later select profile, due from rest", rest=before.rest(start))
        before.close()

    def found(self) -> tuple[pa.Table, pa.Table]:
        """Those for now, and those for later with the moment, each once.

        Who is among the first stays among the others: should definitions change before all are evaluated,
        what was to be done later still is.
        """
        now = "select distinct profile from at_once order by profile"
        later = "select min(due) as due, profile from later group by profile order by due, profile"
        return self._engine.arrow("choose", now), self._engine.arrow("choose", later)

    def _members(self, one: Output) -> None:
        inside = f"select profile from found where {one.column}"
        self._run(
            f"insert into at_once (({inside}) except (select profile from held))"
            f" union all ((select profile from held) except ({inside}))",
            held=self._held(one.name),
        )

    def _held(self, segment: str) -> pa.Table:
        return pa.table({"profile": pa.array(self._store.members_of(segment), pa.int64())})

    def _values(self, outputs: Sequence[Output]) -> None:
        """Values are compared with those that the profiles' rows in the lake hold."""
        if outputs:
            tests = [
                differs_sql(one, "tags" if one.kind == "tag" else "computed") for one in outputs
            ]
            # A trait that became a tag of the same name left its value, and the other way round.
            tests += [
                stored_sql(one.name, "computed" if one.kind == "tag" else "tags") for one in outputs
            ]
            self._run(
                "insert into at_once select profile from found"
                f" join (select profile, computed, tags from {PROFILES}) using (profile)"
                f" where {_any(tests)}"
            )

    def _turns(self, part: Plan) -> None:
        """When time alone changes something: what the plan's query says, and windows."""
        self._later(
            "turn_day", "found", {day: self._zone.day_start(day) for day in self._of("turn_day")}
        )
        self._run(
            "insert into later select profile, turn_moment from found where turn_moment is not null"
        )
        turning = Turning(part.columns, part.metrics, self._now, self._timezone)
        if not turning.names:
            return
        self._run(f"create or replace temp table turns as {turning.query(self._relations)}")
        for name in turning.names:
            moments = {one: turning.due(name, one) for one in self._of(name, "turns")}
            self._later(name, "turns", {one: at for one, at in moments.items() if at is not None})

    def _of(self, column: str, table: str = "found") -> Iterator[int]:
        rows = self._run(f"select distinct {column} from {table} where {column} is not null")
        return (int(row[0]) for row in rows)

    def _later(self, column: str, table: str, moments: dict[int, int]) -> None:
        if moments:
            known = pa.table(
                {
                    "told": pa.array(moments.keys(), pa.int64()),
                    "due": pa.array(moments.values(), pa.int64()),
                }
            )
            self._run(
                f"insert into later select profile, due from {table} join known on {column} = told",
                known=known,
            )

    def _run(self, sql: str, **tables: pa.Table) -> list[tuple[Any, ...]]:
        return self._engine.rows("choose", sql, tables)


def _any(tests: Sequence[str]) -> str:
    return " or ".join(f"({one})" for one in tests)
