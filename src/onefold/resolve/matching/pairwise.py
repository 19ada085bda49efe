"""A model made ready for single records: its keys, its pattern with another, and the weight of a pair.

The same numbers as a batch on an engine gives, for the same specification is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import numpy as np

from onefold.model.errors import Fault, InvalidInput
from onefold.model.matching import MatchModel
from onefold.model.person import COLUMNS, Person
from onefold.resolve.matching.blocking import DIVIDERS, PART, PARTS, divides, key
from onefold.resolve.matching.compiled import Values, pattern_function, values_function
from onefold.resolve.matching.levels import by_name, columns_of
from onefold.resolve.matching.records import LISTS, PLACE
from onefold.resolve.matching.scoring import Score, Scorer

_PERSON = tuple(COLUMNS)
Dividers = Mapping[int, bytes]
"""The names of the parts that divide blocks, by their places among a record's parts."""


class Ready(NamedTuple):
    """A record made ready to be compared: its source, and the values that are compared."""

    source: str
    values: Values


class Blocks:
    """The blocking keys of a record as numbers of 64 bits: who shares one is a candidate."""

    def __init__(self, keys: dict[int, tuple[int, ...]], parts: Values, dividers: Dividers) -> None:
        self.keys = keys
        self._parts, self._dividers = parts, dividers

    def divided(self, key: int) -> list[int]:
        """The keys that stand for one of the record's keys where too many share it.

        Each is of one part more, as in a batch.
        """
        parts, dividers = self._parts, self._dividers
        return [
            _digest(f"{key}\0{parts[place]}", dividers[place])
            for place in self.keys[key]
            if parts[place] is not None
        ]

    def among(self, others: Sequence[Blocks], cap: int) -> set[int]:
        """The places of those of some records that are candidates, were there no others."""
        found: set[int] = set()
        for mine in self.keys:
            block = [place for place, other in enumerate(others) if mine in other.keys]
            if len(block) < cap:  # with this one they are no more than that
                found.update(block)
                continue
            divided = [set(others[place].divided(mine)) for place in block]
            for one in self.divided(mine):
                part = [place for place, keys in zip(block, divided, strict=True) if one in keys]
                if len(part) < cap:
                    found.update(part)
        return found


class Matcher:
    """Compares records by a model, one pair at a time."""

    def __init__(self, model: MatchModel) -> None:
        self.model = model
        self._scorer = Scorer(model)
        comparisons = by_name(one.name for one in model.comparisons)
        if len(comparisons) != len(model.comparisons):
            names = sorted(
                {one.name for one in model.comparisons} - {one.name for one in comparisons}
            )
            raise InvalidInput(
                "the match model compares what this release does not know",
                [Fault("there is no such comparison", name) for name in names],
            )
        self._bins = {one.column: (one.values, one.bins) for one in model.frequencies}
        binned = [f"{one.common}_bin" for one in comparisons if one.common]
        self._columns = [*columns_of(comparisons), *binned]
        self._pattern = pattern_function(comparisons, self._columns)
        self._keys = [key(name) for name in model.keys]
        names = sorted({part for one in self._keys for part in one.parts} | set(DIVIDERS))
        self._places = [tuple(names.index(part) for part in one.parts) for one in self._keys]
        # At most 64 bytes, of which no two keys have the same.
        self._names = [blake2b(one.name.encode(), digest_size=16).digest() for one in self._keys]
        self._dividing = [
            tuple(names.index(part) for part in DIVIDERS if divides(part, one.parts))
            for one in self._keys
        ]
        self._dividers = {names.index(part): part.encode() for part in DIVIDERS}
        given = (*_PERSON, "place", "family_name_bin")
        self._parts = values_function([PARTS[name].sql for name in names], given)
        self._place = values_function([PLACE], _PERSON)

    def ready(self, person: Person, source: str = "") -> Ready:
        """Make a record ready to be compared."""
        found = self._described(person)
        for name in self._bins:
            found[f"{name}_bin"] = self._bin(name, found[name])
        return Ready(source, tuple(found[name] for name in self._columns))

    def blocks(self, person: Person) -> Blocks:
        """The record's blocking keys."""
        described = self._described(person)
        described["family_name_bin"] = self._bin("family_name", described["family_name"])
        parts = self._parts(tuple(described.values()))
        found: dict[int, tuple[int, ...]] = {}
        for name, places, dividing in zip(self._names, self._places, self._dividing, strict=True):
            chosen = [parts[place] for place in places]
            if None not in chosen:
                if len(chosen) > 1:
                    # As in a batch, where a number is made of several.
                    chosen = [one % PART if isinstance(one, int) else one for one in chosen]
                found[_digest("\0".join(map(str, chosen)), name)] = dividing
        return Blocks(found, parts, self._dividers)

    def _bin(self, column: str, value: Any) -> int | None:
        """How rare a value is; None where the model does not know what is common."""
        if column not in self._bins:
            return None
        common, bins = self._bins[column]
        return common.get(value, bins)

    def _described(self, person: Person) -> dict[str, Any]:
        found: dict[str, Any] = {name: getattr(person, name) for name in _PERSON}
        for name in LISTS:
            if found[name] is not None and len(found[name]) < 2:
                found[name] = None
        (found["place"],) = self._place(tuple(found.values()))
        return found

    def pattern(self, one: Ready, two: Ready) -> int:
        """All levels of a pair as one number."""
        return self._pattern(one.values, two.values)

    def weights(self, one: Ready, others: Sequence[Ready]) -> list[float]:
        """The weight of a record with each of some others."""
        return self.verdicts(one, others)[0]

    def verdicts(self, one: Ready, others: Sequence[Ready]) -> tuple[list[float], list[float]]:
        """With each of some others the weight of a record, and that of being of one household."""
        if not others:
            return [], []
        patterns = np.array([self._pattern(one.values, two.values) for two in others], np.int64)
        priors = np.array([self._scorer.priors(one.source, two.source) for two in others])
        given = patterns, priors[:, 0], priors[:, 1]
        weights: list[float] = self._scorer.weights(*given).tolist()
        households: list[float] = self._scorer.households(*given).tolist()
        return weights, households

    def explain(self, one: Ready, two: Ready) -> Score:
        """The weight of a pair, and what it is made of."""
        return self._scorer.explain(self.pattern(one, two), one.source, two.source)


def _digest(text: str, key: bytes) -> int:
    return int.from_bytes(
        blake2b(text.encode(), digest_size=8, key=key).digest(), "big", signed=True
    )


_KEPT = 8
_MATCHERS: dict[str, Matcher] = {}


def matcher_of(model: MatchModel) -> Matcher:
    """The matcher of a model; one that has a version is made once."""
    found = _MATCHERS.get(model.version)
    if found is None:
        found = Matcher(model)
        if model.version:
            if len(_MATCHERS) >= _KEPT:
                _MATCHERS.clear()
            _MATCHERS[model.version] = found
    return found


def encode_record(person: Person, source: str) -> bytes:
    """A standardized record as the store keeps it."""
    return _encode((source, person))


def decode_record(data: bytes) -> tuple[str, Person]:
    """The source and what it says."""
    return _decode(data)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, Person]).decode
