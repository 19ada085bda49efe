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
Column = Any
"""Values of a column: an Arrow array, or a sequence of what the lake's column holds."""


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


class Told(NamedTuple):
    """The traits that one message each told of newcomers: of `whom` among them, how many, and the row of
    their history: its trait if that is but one, the value or values as JSON, source and message.
    """

    whom: Column
    sizes: Column
    names: Column
    texts: Column
    sources: Column
    messages: Column


class Firsts(NamedTuple):
    """Newcomers as columns. Of each person: the number of identifiers, at which of them the owner stands, and
    the visit that links them (rank, µs, message, source). Of each identifier, one person after the
    other: kind, value, when it was first seen.
    """

    counts: Any
    places: Column
    ranks: Column
    times: Column
    messages: Column
    sources: Column
    kinds: pa.Array
    values: pa.Array
    seen: Column
    told: Told


def firsts_of(people: Sequence[First], texts: Mapping[ProfileId, str]) -> Firsts:
    """Newcomers as columns; `texts` are their traits as JSON."""
    newcomers = [one.newcomer for one in people]
    nodes = [node for one in newcomers for node in one.profile.nodes]
    times, messages, sources = zip(*[one.seen for one in newcomers], strict=True)
    return Firsts(
        np.array([len(one.profile.nodes) for one in newcomers], np.int64),
        [one.place for one in newcomers],
        [one.rank for one in newcomers],
        times,
        messages,
        sources,
        pa.array([node.kind for node in nodes], pa.string()),
        pa.array([node.value for node in nodes], pa.string()),
        [node.first_seen for node in nodes],
        _told(people, texts),
    )


def _told(people: Sequence[First], texts: Mapping[ProfileId, str]) -> Told:
    told: list[tuple[int, int, str | None, str, str, str]] = []
    for place, (newcomer, said) in enumerate(people):
        profile = newcomer.profile
        traits, text = profile.traits, texts[profile.id]
        if said is None or not traits:
            continue
        if '"$' in text:
            traits = visible(traits)
            text = _json(traits).decode()
        name = None
        if len(traits) == 1:
            [(name, value)] = traits.items()
            text = _json(value).decode()
        if traits:
            told.append((place, len(traits), name, text, said.source, said.message_id))
    return Told(*(zip(*told, strict=True) if told else ((),) * 6))


def first_tables(
    firsts: Firsts, profiles: Sequence[ProfileId], now: int
) -> tuple[dict[str, pa.Table], int]:
    """The rows of newcomers, which become these profiles: identifiers, links, and all that changed on
    them, which is everything; and how many changes that are.
    """
    counts, kinds, values, told = firsts.counts, firsts.kinds, firsts.values, firsts.told
    names = profile_names(profiles)
    owners = names.take(_repeated(counts))
    texts = pc.binary_join_element_wise(kinds, values, ":")
    nothing, true = pa.nulls(len(kinds), pa.string()), pa.repeat("true", len(kinds))
    moved = _changes(owners, now, "identifier", texts, true, nothing, nothing)
    whom = names.take(pa.array(told.whom, pa.int64()))
    traits = _changes(whom, now, "trait", told.names, told.texts, told.sources, told.messages)
    widths = np.concatenate([np.ones(len(kinds), np.int64), np.asarray(told.sizes, np.int64)])
    changes = pa.concat_tables([moved, traits])
    numbers = pa.array(np.cumsum(widths) - widths)
    tables = {
        "changes": changes.set_column(0, changes.schema.field(0), numbers),
        "identifiers": to_table("identifiers", [kinds, values, owners, firsts.seen]),
    }
    if len(kinds) > len(profiles):
        tables["links"] = _links(firsts)
    return tables, int(widths.sum())


def _links(firsts: Firsts) -> pa.Table:
    """Each owner, linked with all others that it came with."""
    counts, kinds, values = firsts.counts, firsts.kinds, firsts.values
    middle = np.cumsum(counts) - counts + np.asarray(firsts.places, np.int64)
    others = np.ones(len(kinds), np.bool_)
    others[middle] = False
    left, right = pa.array(np.repeat(middle, counts - 1)), pa.array(others.nonzero()[0])
    of = _repeated(counts - 1)
    about = [firsts.ranks, firsts.times, firsts.sources, firsts.messages]
    ends = [kinds.take(left), values.take(left), kinds.take(right), values.take(right)]
    return to_table("links", [*ends, *(pa.array(column).take(of) for column in about)])


def people_table(people: Sequence[Profile], texts: Column, now: int) -> pa.Table:
    """The golden records of people, as rows of the lake; `texts` are their traits as JSON."""
    count = len(people)
    return to_table(
        "profiles",
        [
            profile_names([one.id for one in people]),
            pa.array(np.full(count, now, np.int64)),
            texts,
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
