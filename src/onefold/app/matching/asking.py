"""Two records matched, and who of all may be a person: asked for, without changing anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onefold.app.in_force import match_model, matching_in_force
from onefold.app.matching.answers import MatchCandidate, MatchCandidates, MatchWhy
from onefold.app.matching.explained import explained
from onefold.app.profiles.finding import find_all
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.matching import Matching
from onefold.model.person import Person
from onefold.model.profile import identifier_text, profile_name
from onefold.resolve.matching.pairwise import Matcher, decode_record, matcher_of
from onefold.standardize.people.traits import person_of_traits
from onefold.store import Matches, MatchRecord, SQLiteStore

_MOST_COLUMNS = 1_000


def match_score(
    settings: Settings, left: Mapping[str, Any], right: Mapping[str, Any], model: str = ""
) -> MatchWhy:
    """How much two records are alike, by a model of the workspace: that in force, or a version."""
    with open_store(settings, cache_mb=4) as store:
        use = _use(store, model)
    return score(use, left, right)


def score(use: Matching, left: Mapping[str, Any], right: Mapping[str, Any]) -> MatchWhy:
    """How much two records are alike; their traits are read by their names, or as `use` says."""
    matcher = matcher_of(use.model)
    ready = [
        matcher.ready(_read(one, use, name)) for one, name in ((left, "left"), (right, "right"))
    ]
    return explained(use.model, matcher.explain(*ready))


def match_candidates(
    settings: Settings, record: Mapping[str, Any], limit: int = 20
) -> MatchCandidates:
    """Who of all may be the person that a record is about, most likely first."""
    with open_store(settings) as store:
        use = _use(store, "")
        return MatchCandidates(use.model.version, find(store, use, record, limit))


def find(
    store: SQLiteStore, use: Matching, record: Mapping[str, Any], limit: int
) -> tuple[MatchCandidate, ...]:
    """The same with a store and a model that are there already."""
    matcher = matcher_of(use.model)
    person = _read(record, use, "record")
    mine = matcher.ready(person)
    there = sharing(store.matches, matcher, person)
    others = [matcher.ready(one, source) for source, one in map(_said, there)]
    weights = matcher.weights(mine, others)
    best = sorted(zip(weights, there, others, strict=True), key=lambda one: (-one[0], one[1].id))
    chosen = [one for one in best[:limit] if one[0] >= use.model.review]
    homes, profiles = find_all(store, [one.node for _, one, _ in chosen])
    names = {
        node.id: identifier_text(node) for profile in profiles.values() for node in profile.nodes
    }
    return tuple(
        MatchCandidate(
            names[one.node],
            profile_name(homes[one.node]),
            explained(use.model, matcher.explain(mine, other)),
        )
        for _, one, other in chosen
        if one.node in names
    )


def sharing(store: Matches, matcher: Matcher, person: Person) -> list[MatchRecord]:
    """The records that share a key with a person, where not too many do."""
    cap = matcher.model.cap
    mine = matcher.blocks(person)
    found: set[int] = set()
    brim: set[int] = set()
    for key in mine.keys:
        block = store.sharing(key, cap + 1)
        if len(block) < cap:  # with this one they are no more than that
            found.update(block)
        elif len(block) == cap:  # with this one they would be divided
            brim.update(block)
        else:
            for one in mine.divided(key):
                part = store.sharing(one, cap)
                found.update(part if len(part) < cap else ())
    if brim:
        there = store.records(brim)
        blocks = [matcher.blocks(_said(one)[1]) for one in there]
        found.update(there[place].id for place in mine.among(blocks, cap))
    return store.records(found)


def _said(one: MatchRecord) -> tuple[str, Person]:
    return decode_record(one.record)


def _use(store: SQLiteStore, version: str) -> Matching:
    in_force = matching_in_force(store)
    if not version:
        if in_force is None:
            raise NotFound("no match model is in force; `onefold match train` makes one")
        return in_force
    model = match_model(store, version)
    columns, region = (in_force.columns, in_force.region) if in_force else ({}, None)
    return Matching(model, columns, region)


def _read(record: Mapping[str, Any], use: Matching, where: str) -> Person:
    if len(record) > _MOST_COLUMNS:
        fault = Fault(f"{len(record):,} fields; at most {_MOST_COLUMNS:,}", where)
        raise InvalidInput("the record cannot be matched", [fault])
    person = person_of_traits(record, use.columns, use.region)
    if person is None:
        hint = "name them as traits are named, such as first_name, last_name, birth_date, email"
        raise InvalidInput(
            "the record cannot be matched",
            [Fault("nothing in it says who a person is", where, hint)],
        )
    return person
