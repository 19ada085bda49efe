"""Two records, or one against some: the same numbers that a batch of all records gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from onefold.app.matching.answers import Decision
from onefold.model.matching import MatchModel
from onefold.model.person import COLUMNS, Person
from onefold.resolve.matching.pairwise import matcher_of
from onefold.resolve.matching.scoring import Score

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
    decision: Decision


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
    matcher = matcher_of(model)
    return matcher.explain(matcher.ready(left, sources[0]), matcher.ready(right, sources[1]))


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
    matcher = matcher_of(model)
    blocks = [matcher.blocks(other) for other in people]
    places = sorted(matcher.blocks(person).among(blocks, model.cap))
    given = list(sources) or [""] * len(people)
    others = [matcher.ready(people[place], given[place]) for place in places]
    weights = matcher.weights(matcher.ready(person, source), others)
    found = [
        Candidate(place, weight, probability(weight), decision(model, weight))
        for place, weight in zip(places, weights, strict=True)
        if weight >= model.review
    ]
    return sorted(found, key=lambda one: (-one.weight, one.place))


def probability(weight: float) -> float:
    """The probability that a weight stands for."""
    return float(1.0 / (1.0 + 2.0 ** min(-weight, 1e3)))


def decision(model: MatchModel, weight: float) -> Decision:
    """What a weight means: `merge`, `review` or `none`."""
    return "merge" if weight >= model.merge else "review" if weight >= model.review else "none"
