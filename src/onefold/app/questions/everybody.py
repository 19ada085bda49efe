"""Everybody, to be asked: all profiles and events of the lake, and the rules that may be asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from onefold.app.in_force import load_definitions
from onefold.app.lake.held import KEY, HeldRelations
from onefold.app.lake.held_columns import millionths_column
from onefold.app.lake.kept import lake_engine
from onefold.app.lake.relations import add_population
from onefold.app.lake.typed import reader
from onefold.app.questions.asking import beyond_memory
from onefold.app.questions.audiences import SAVED
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.engine import DuckEngine, Engine, Interrupted, OutOfMemory
from onefold.model.definitions import Definitions
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.sql import literal_sql
from onefold.segment.asked import Asked, asked_rules
from onefold.segment.metric import Column, Field
from onefold.segment.population import (
    Ahead,
    Relations,
    ahead_query,
    earliest,
    members_query,
)
from onefold.segment.wanted import wanted_by
from onefold.segment.zone import load_zone

DAY_US = 86_400_000_000
_PRIME, _FACTOR = 2**31 - 1, 1_583_458_089


class Everybody:
    """All profiles and events as they are now; `relations` are where rules are asked of them."""

    def __init__(
        self,
        settings: Settings,
        definitions: Definitions,
        engine: Engine,
        relations: Relations,
        seconds: float,
        held: Relations | None = None,
    ) -> None:
        self.timezone = settings.timezone
        self.zone = load_zone(settings.timezone)
        self.definitions = definitions
        self.relations = relations
        self._held = held or relations
        self._engine = engine
        self._seconds = seconds
        # How much Spark may use is said where Spark runs.
        self._beyond_memory = (
            beyond_memory(settings)
            if isinstance(engine, DuckEngine)
            else ("needs more memory than Spark has", "ask for less at once, or give Spark more")
        )
        self._over = threading.Event()

    def stop(self) -> None:
        """Answer nothing any more, from any thread; what runs is broken off."""
        self._over.set()
        self._engine.interrupt()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query of our own making."""
        with self._answering():
            return self._engine.rows("everybody", sql, {}, values)

    def keep(self, name: str, sql: str) -> int:
        """Keep the rows of a query as a table; say how many they are."""
        with self._answering():
            return self._engine.keep(name, sql)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        too_long = f"it takes longer than {self._seconds:g} s"
        if self._over.is_set():
            raise unanswered(too_long)
        try:
            yield
        except Interrupted as error:
            raise unanswered(too_long) from error
        except OutOfMemory as error:
            message, hint = self._beyond_memory
            raise unanswered(f"it {message}", hint) from error

    def members_query(self, asked: Asked, now: int) -> str:
        """The query for those who satisfy a rule, in the way that suits the data."""
        ask = (asked, now, self.timezone, self._held)
        ahead = ahead_query(*ask)
        if not ahead:
            return members_query(*ask)
        [(share, *without)] = self.rows(ahead)
        return members_query(*ask, Ahead(share, tuple(without)))

    def total(self) -> int:
        """How many profiles there are."""
        return int(self.rows(f"select count(*) from {self.relations.profiles}")[0][0])  # noqa: S608


def drawn(profiles: str, most: int) -> str:
    """Write the query for at most so many of the profiles of a relation, drawn evenly.

    By a number made of the id: so that the same are drawn every time, on every engine.
    """
    number = f"(profile % {_PRIME}) * {_FACTOR} % {_PRIME}"
    return f"select profile from {profiles} order by {number}, profile limit {most}"  # noqa: S608


@contextmanager
def everybody(
    settings: Settings,
    texts: Mapping[str, str],
    now: int,
    before: Callable[[], None],
    *,
    days: int | None = 0,
    seconds: float | None = None,
) -> Iterator[tuple[Everybody, Asked]]:
    """Everybody, and the rules that are asked, by name; a text `segment:NAME` means a saved one.

    Of the events there are at least those that the rules can count at a moment (µs UTC), and
    those of the last `days` (None: all). `before` is called when all is ready. After `seconds` queries end.
    """
    with lake_engine(settings) as (engine, lake, ready):
        with open_store(settings, cache_mb=4) as store:
            definitions, _ = load_definitions(store)
            asked = asked_of(definitions, texts)
            since = _since(asked.plan.columns, now, settings.timezone, days)
            population = add_population(engine, store, lake, since, ready, asked.plan)
        before()
        # Spark reads times in a zone of its own; it is not told.
        told = population.since if isinstance(engine, DuckEngine) else None
        relations = Relations(read=population.read, since=told)
        limit = settings.sql_seconds if seconds is None else seconds
        held = population.held and _held(population.held, relations)
        people = Everybody(settings, definitions, engine, relations, limit, held)
        timer = threading.Timer(limit, people.stop)
        timer.start()
        try:
            yield people, asked
        finally:
            timer.cancel()
            timer.join()


def hold_missed(settings: Settings) -> None:
    """After an answer, hold what it had to read from files, so that the next question need not."""
    with lake_engine(settings) as (engine, lake, ready):
        if ready.held and (missed := ready.held.missed):
            with open_store(settings, cache_mb=4) as store:
                add_population(engine, store, lake, missed.since, ready, missed.plan)


def _held(held: HeldRelations, relations: Relations) -> Relations:
    """Where the same is read from memory."""
    of_held = reader(held.fields)

    def read(field: Field) -> str:
        is_held = held.profiles or field.root != "traits"
        return of_held(field) if is_held else relations.read(field)

    if held.profiles:
        return Relations(held.events, held.profiles, read, None, KEY, millionths_column)
    return Relations(held.events, relations.profiles, read, millionths=millionths_column)


def asked_of(definitions: Definitions, texts: Mapping[str, str]) -> Asked:
    """Rules that are asked, compiled with what they refer to."""
    rules = {one.name: one.rule for one in definitions.segments}
    found = {}
    for name, text in texts.items():
        saved = text.removeprefix(SAVED) if text.startswith(SAVED) else None
        if saved is not None and saved not in rules:
            raise NotFound(f"there is no segment {saved!r}; `onefold segment list` shows them")
        # A list has no rule of its own.
        named = f"in_segment({literal_sql(saved or '')})"
        found[name] = text if saved is None else rules[saved] or named
    return asked_rules(found, wanted_by(definitions), None)


def unanswered(
    message: str, hint: str = "ask for less: a shorter window, or fewer clauses"
) -> InvalidInput:
    """A question that is not, or not to its end, answered."""
    fault = Fault(message, "rule", hint)
    return InvalidInput("the question cannot be answered", (fault,))


def _since(columns: Sequence[Column], now: int, timezone: str, days: int | None) -> int | None:
    if days is None:
        return None
    windows = [column for column in columns if column.kind == "window"]
    begin = earliest(windows, now, timezone) if windows else now
    return None if begin is None else min(begin, now - days * DAY_US)
