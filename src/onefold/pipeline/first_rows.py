"""The history of those who are new, made column by column: of everyone the same few rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onefold.lake import to_table
from onefold.model.given import visible
from onefold.model.profile import NAME_WIDTH, PROFILE_LETTERS, Node, Profile, ProfileId, Statement

_json = msgspec.json.Encoder().encode


class Newcomer(NamedTuple):
    """Somebody new about whom nothing is to be decided: who came with one visit, and these claims.

    Its owner is the profile's identifier at this `place`. It was `seen` with all others, which gives links
    of this rank.
    """

    profile: Profile
    place: int
    rank: int
    seen: tuple[int, str, str]
    statements: list[Statement]

    @property
    def owner(self) -> Node:
        """The node that the facts belong to."""
        return self.profile.nodes[self.place]


class First(NamedTuple):
    """Somebody new, and the message that all traits are of (None: they have none, or are told apart)."""

    newcomer: Newcomer
    said: Statement | None


def first_tables(
    people: Sequence[First], texts: Mapping[ProfileId, str], now: int
) -> tuple[dict[str, pa.Table], int]:
    """The rows of newcomers: identifiers, links, and all that changed on them, which is everything; and how
    many changes that are. `texts` are their traits as JSON.
    """
    if not people:
        return {}, 0
    profiles = [one.newcomer.profile for one in people]
    names = profile_names([one.id for one in profiles])
    nodes = [node for one in profiles for node in one.nodes]
    counts = np.array([len(one.nodes) for one in profiles], np.int64)
    kinds = pa.array([node.kind for node in nodes], pa.string())
    values = pa.array([node.value for node in nodes], pa.string())
    owners = names.take(_repeated(counts))
    texts_of = pc.binary_join_element_wise(kinds, values, ":")
    nothing, true = pa.nulls(len(nodes), pa.string()), pa.repeat("true", len(nodes))
    moved = _changes(owners, now, "identifier", texts_of, true, nothing, nothing)
    traits = _traits(people, texts, now)
    widths = np.concatenate([np.ones(len(nodes), np.int64), np.array(traits.sizes, np.int64)])
    changes = pa.concat_tables([moved, traits.rows])
    numbers = pa.array(np.cumsum(widths) - widths)
    tables = {
        "changes": changes.set_column(0, changes.schema.field(0), numbers),
        "identifiers": to_table(
            "identifiers", [kinds, values, owners, [node.first_seen for node in nodes]]
        ),
    }
    if len(nodes) > len(people):
        tables["links"] = _links([one.newcomer for one in people], counts, kinds, values)
    return tables, int(widths.sum())


def _links(people: Sequence[Newcomer], counts: Any, kinds: pa.Array, values: pa.Array) -> pa.Table:
    """Each owner, linked with all others that it came with."""
    middle = np.cumsum(counts) - counts + np.array([one.place for one in people], np.int64)
    others = np.ones(len(kinds), np.bool_)
    others[middle] = False
    left, right = pa.array(np.repeat(middle, counts - 1)), pa.array(others.nonzero()[0])
    of = _repeated(counts - 1)
    times, messages, sources = zip(*[one.seen for one in people], strict=True)
    about = [[one.rank for one in people], times, sources, messages]
    ends = [kinds.take(left), values.take(left), kinds.take(right), values.take(right)]
    return to_table("links", [*ends, *(pa.array(column).take(of) for column in about)])


def people_table(people: Sequence[Profile], texts: Mapping[ProfileId, str], now: int) -> pa.Table:
    """The golden records of people, as rows of the lake; `texts` are their traits as JSON."""
    count = len(people)
    return to_table(
        "profiles",
        [
            profile_names([one.id for one in people]),
            pa.array(np.full(count, now, np.int64)),
            [texts[one.id] for one in people],
            pa.nulls(count, pa.string()),
            [_json(one.computed).decode() if one.computed else "{}" for one in people],
            [_json(one.tags).decode() if one.tags else "{}" for one in people],
        ],
    )


def profile_names(profiles: Sequence[ProfileId]) -> pa.Array:
    """The ids of profiles as people see them."""
    numbers = np.array(profiles, np.int64)
    letters = np.frombuffer(PROFILE_LETTERS.encode(), np.uint8)
    shifts = np.arange(5 * (NAME_WIDTH - 1), -1, -5)
    written = letters[(numbers[:, None] >> shifts) & 31]
    ends = np.arange(len(numbers) + 1, dtype=np.int32) * NAME_WIDTH
    return pa.StringArray.from_buffers(
        len(numbers), pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(written))
    )


class _Traits(NamedTuple):
    """What newcomers are told of by one message each: a row of their history for all of it."""

    rows: pa.Table
    sizes: list[int]


def _traits(people: Sequence[First], texts: Mapping[ProfileId, str], now: int) -> _Traits:
    told: list[tuple[ProfileId, str | None, str, str, str]] = []
    sizes = []
    for newcomer, said in people:
        number, traits = newcomer.profile.id, newcomer.profile.traits
        text = texts[number]
        if said is None or not traits:
            continue
        if '"$' in text:
            traits = visible(traits)
            text = _json(traits).decode()
        if len(traits) == 1:
            [(name, value)] = traits.items()
            told.append((number, name, _json(value).decode(), said.source, said.message_id))
        elif traits:
            told.append((number, None, text, said.source, said.message_id))
        sizes.append(len(traits))
    numbers, *about = zip(*told, strict=True) if told else ((),) * 5
    return _Traits(
        _changes(profile_names(numbers), now, "trait", *about), [one for one in sizes if one]
    )


def _changes(
    profiles: pa.Array, now: int, what: str, name: Any, new: Any, source: Any, message: Any
) -> pa.Table:
    """Rows of the history, of one kind, of what was not there before; not numbered yet."""
    count = len(profiles)
    at = pa.array(np.full(count, now, np.int64))
    kind, old = pa.repeat(what, count), pa.nulls(count, pa.string())
    columns = [at, profiles, at, kind, name, old, new, source, message]
    return to_table("changes", columns)


def _repeated(counts: Any) -> pa.Array:
    """The place of each, as often as it counts."""
    return pa.array(np.repeat(np.arange(len(counts)), counts))
