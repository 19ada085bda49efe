"""Refreshing tags that need everybody: when due, by one query, writing only differences."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from onefold.app.evaluation.refreshed import REFRESH
from onefold.app.in_force import load_definitions
from onefold.app.lake.relations import add_population
from onefold.app.progress import Tell, tell_nobody
from onefold.app.workspace import now_us, open_engine, open_lake, open_store
from onefold.config import Settings
from onefold.model.definitions import Definitions, TagDefinition
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.given import tag_trait
from onefold.segment import wanted_by
from onefold.segment.population import Relations
from onefold.segment.ready import RFM_SCORES
from onefold.segment.refreshing import refresh_plan, refresh_query, rfm_since
from onefold.store import SQLiteStore

_ROWS_A_PAGE = 50_000
_encode = msgspec.json.Encoder().encode


class Refreshed(msgspec.Struct, frozen=True):
    """A refresh: as of when (µs) it holds, for how many profiles it found another value, how long
    the query took and how long all did.
    """

    tag: str
    as_of: int
    profiles: int
    changed: int
    query_seconds: float
    seconds: float


def refresh_tag(settings: Settings, name: str, tell: Tell = tell_nobody) -> Refreshed:
    """Compute a tag for everybody, and send what differs on its way to the profiles.

    May be repeated at any time: what an earlier refresh had not brought to its profile yet is
    dropped, and found again.
    """
    began = time.monotonic()
    with open_store(settings, cache_mb=4) as store:
        definitions, _ = load_definitions(store)
        tag = _tag(definitions, name)
        trait = tag_trait(name)
        store.given.drop_refreshed(trait)
        as_of = now_us()
        changed, asked = 0, 0.0
        for page in _found(settings, store, definitions, tag, as_of):
            asked = asked or time.monotonic() - began
            rows = [(trait, row[0], _value(row, as_of), as_of) for row in page]
            store.given.add_refreshed(rows)
            changed += len(rows)
            tell(changed, 0, "writing what differs")
        asked = asked or time.monotonic() - began
        profiles = store.counters().get("profiles", 0)
        seconds = time.monotonic() - began
        store.given.note_refresh(name, tag.version, as_of, seconds, profiles, changed)
        return Refreshed(name, as_of, profiles, changed, asked, seconds)


def _tag(definitions: Definitions, name: str) -> TagDefinition:
    for one in definitions.tags:
        if one.name == name and one.of_everybody:
            return one
        if one.name == name:
            fault = Fault(f"the tag {name} needs no refresh", "name", "it is always up to date")
            raise InvalidInput("the tag cannot be refreshed", [fault])
    raise NotFound(f"there is no tag {name!r}; `onefold tag list` shows them")


def _found(
    settings: Settings,
    store: SQLiteStore,
    definitions: Definitions,
    tag: TagDefinition,
    now: int,
) -> Iterator[Sequence[Sequence[Any]]]:
    known = wanted_by(definitions)
    since = rfm_since(tag.rfm, now, settings.timezone) if tag.rfm else None
    if not tag.rfm:
        refresh_plan(tag, known)  # says what is wrong before anything is opened
    engine = open_engine(settings, least_mb=256)
    try:
        population = add_population(engine, store, open_lake(settings), since)
        relations = Relations(read=population.read)
        sql = refresh_query(tag, known, now, settings.timezone, relations)
        yield from engine.pages(REFRESH, sql, [], _ROWS_A_PAGE)
    finally:
        engine.close()


def _value(row: Sequence[Any], as_of: int) -> str:
    """What the trait of a refreshed tag holds, as JSON; nothing where there is no value."""
    if row[1] is None:
        return "null"
    scores = dict(zip(RFM_SCORES, row[2:], strict=False))
    return _encode({"value": row[1], "at": as_of, **scores}).decode()
