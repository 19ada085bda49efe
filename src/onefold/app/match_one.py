"""Two records, or one against many: the same numbers that a batch of all records gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from onefold.app import matching
from onefold.engine.duck import DuckEngine
from onefold.model.matching import MatchModel
from onefold.model.person import COLUMNS, Person
from onefold.resolve.matching import blocking
from onefold.resolve.matching.comparison import pattern_sql
from onefold.resolve.matching.scoring import Score, Scorer

_TYPES = {
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
    "DATE": pa.date32(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
}


class Candidate(msgspec.Struct, frozen=True):
    """A record that may be about the same person, by its place in what was given."""

    place: int
    weight: float
    probability: float
    decision: str
    """`merge` or `review`."""


def people_table(people: Sequence[Person], sources: Sequence[str] = ()) -> pa.Table:
    """Persons as a table of standard columns."""
    rows = [msgspec.structs.asdict(person) for person in people]
    given = list(sources) or [""] * len(people)
    columns: dict[str, Any] = {
        "record_id": pa.array(range(len(rows)), pa.int64()),
        "source": pa.array(given, pa.string()),
    }
    for name, kind in COLUMNS.items():
        columns[name] = pa.array([row[name] for row in rows], _TYPES[kind])
    return pa.table(columns)


def score_pair(
    model: MatchModel, left: Person, right: Person, *, sources: tuple[str, str] = ("", "")
) -> Score:
    """The weight of two records, and what it is made of: the same whichever comes first."""
    engine = DuckEngine()
    try:
        table = people_table([left, right], sources)
        engine.keep("people", "SELECT * FROM given", {"given": table})
        plan = matching.prepare(engine, model=model)
        rows = dict(engine.rows("rows", "SELECT record_id, rid FROM rows", {}))
        ends = sorted((int(rows[0]), int(rows[1])))
        pair = pa.table({"l": ends[:1], "r": ends[1:], "rules": [0]})
        engine.keep("pair", "SELECT * FROM given", {"given": pair})
        query = blocking.compared_query(pattern_sql(plan.comparisons), 1, "pair")
        (pattern,) = engine.arrow("pair", query)["pattern"].to_pylist()
        return Scorer(model).explain(int(pattern), *sources)
    finally:
        engine.close()


def candidates(
    model: MatchModel,
    person: Person,
    people: Sequence[Person],
    *,
    source: str = "",
    sources: Sequence[str] = (),
) -> list[Candidate]:
    """Those of some people who may be this person, most likely first.

    They share a blocking key of the model with it; the weights are those of a batch.
    """
    if not people:
        return []
    engine = DuckEngine()
    try:
        given = [*(list(sources) or [""] * len(people)), source]
        engine.keep(
            "people", "SELECT * FROM given", {"given": people_table([*people, person], given)}
        )
        plan = matching.prepare(engine, model=model)
        matching.block(engine, plan)
        matching.compare(engine, plan)
        matching.score(engine, plan, model)
        found = engine.rows(
            "candidates",
            "SELECT o.record_id, s.weight FROM rows AS n JOIN scored AS s"
            " ON n.rid = s.l OR n.rid = s.r"
            " JOIN rows AS o ON o.rid = CASE WHEN n.rid = s.l THEN s.r ELSE s.l END"
            " WHERE n.record_id = ? AND o.record_id <> ? ORDER BY s.weight DESC, o.record_id",
            {},
            [len(people), len(people)],
        )
    finally:
        engine.close()
    return [_candidate(model, int(place), float(weight)) for place, weight in found]


def _candidate(model: MatchModel, place: int, weight: float) -> Candidate:
    decision = "merge" if weight >= model.merge else "review"
    return Candidate(place, weight, 1 / (1 + 2**-weight), decision)
