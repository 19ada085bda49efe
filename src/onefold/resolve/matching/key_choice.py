"""Which keys find most of the pairs at the least cost, in this data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from onefold.resolve.matching.blocking import CAP, COARSER, PARTS, Key

MOST_KEYS = 30
BUDGET = 8.0
"""Pairs a record, of many records."""
SAMPLE = 50_000
_SIMULATED = 20_000
_SEED = 20240229
# How often records of one person agree on a column, before anything is learned; and on a part of it
# where they do not agree on all of it.
_AGREE = 0.88
_SEVERAL = {"email": 0.75, "email_local": 0.75, "phone": 0.7}
"""Of these people have more than one, or had another one."""
_PARTLY = {
    "email_local": 0.3, "phone_end": 0.3, "birth_year": 0.6, "birth_day": 0.6, "given_sound": 0.4,
    "family_sound": 0.5, "given_3": 0.5, "family_4": 0.5, "given_1": 0.7, "family_1": 0.8,
    "area": 0.6, "family_end": 0.4,
}  # fmt: skip
_MOVED = 0.25
# Who is called otherwise in one record is so in both names more often than chance would have it: an English name
# beside a Chinese one, a nickname beside a maiden name. Then no beginning or sound agrees, either.
_RENAMED, _OTHER_NAME = 0.06, 0.6
_SOUND_OF = {"given_sound": "given_name", "family_sound": "family_name"}
# What agrees must add up to that, or nobody could tell that it is one person: finding such a pair gains nothing.
_TELLS = {
    "given": 0.3, "given_3": 0.7, "family": 0.3, "family_4": 0.7, "rare_family": 1.0, "birth": 2.0, "email": 2.0,
    "area": 0.5, "phone": 1.5, "national_id": 3.0, "place": 2.0, "city": 0.5, "postcode": 0.5,
}  # fmt: skip
_TOLD = 3.0
_LEAST_GAIN = 2e-4  # of a million records; of fewer less, as keys cost less
_DEARER = 5.0
"""So much more must be gained by a key that costs a pair a record."""


def choose(keys: Sequence[Key], parts: Mapping[str, NDArray[np.int64]], records: int) -> list[Key]:
    """Choose keys one by one: each finds most new pairs for its cost, within a budget.

    `parts` holds for each part a number for each record of a sample, below 0 where absent.
    """
    found = _agreements(parts)
    size = len(next(iter(parts.values()))) if parts else 0
    if not size or not keys:
        return []
    hits = {key.name: np.all([found[part] for part in key.parts], axis=0) for key in keys}
    costs = {key.name: _cost(key, parts, records) for key in keys}
    budget = max(BUDGET * records, min(100.0 * records, 1e6))
    chosen: list[Key] = []
    missed = _tellable(found).astype(float)
    left = [key for key in keys if costs[key.name] <= budget]
    while left and len(chosen) < MOST_KEYS:
        gains = {key.name: float((hits[key.name] * missed).mean()) for key in left}
        best = max(left, key=lambda key: gains[key.name] / (costs[key.name] + 0.2 * records))
        least = _LEAST_GAIN * min(1.0, records / 1e6) * (1.0 + _DEARER * costs[best.name] / records)
        if gains[best.name] < least or costs[best.name] > budget:
            left.remove(best)
            continue
        chosen.append(best)
        left.remove(best)
        budget -= costs[best.name]
        left = [key for key in left if not _implied(key, best)]
        # What was found once may be missed in truth: agreement is only guessed.
        missed *= np.where(hits[best.name], 0.1, 1.0)
    return chosen


def _implied(key: Key, by: Key) -> bool:
    """Do records that agree on the one key always agree on the other?"""
    said = {coarse for part in key.parts for coarse in (part, *COARSER.get(part, ()))}
    return set(by.parts) <= said


def _cost(key: Key, parts: Mapping[str, NDArray[np.int64]], records: int) -> float:
    """How many pairs of strangers the key gives, blocks that are too large left out."""
    known = np.all([parts[part] >= 0 for part in key.parts], axis=0)
    mixed = np.zeros(int(known.sum()), dtype=np.uint64)
    for part in key.parts:
        mixed = (mixed ^ parts[part][known].astype(np.uint64)) * np.uint64(11400714819323198485)
    _, counts = np.unique(mixed, return_counts=True)
    scale = records / len(known)
    expected = (counts - 1) * scale + 1
    pairs = counts * scale * np.minimum(expected - 1, CAP) / 2
    return float(pairs.sum())


def _tellable(found: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Which of the simulated pairs agree on enough; where records say little, on most of what there is."""
    said = {part: weight for part, weight in _TELLS.items() if part in found}
    most = sum(said.values())
    if not said:
        return np.ones(_SIMULATED, dtype=bool)
    told = sum((found[part] * weight for part, weight in said.items()), np.zeros(_SIMULATED))
    return np.asarray(told >= min(_TOLD, 0.5 * most))


def _agreements(parts: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.bool_]]:
    """For simulated pairs of one person's records: on which parts do they agree?"""
    random = np.random.default_rng(_SEED)
    if not parts:
        return {}
    size = len(next(iter(parts.values())))
    left, right = random.integers(0, max(size, 1), (2, _SIMULATED))
    moved = random.random(_SIMULATED) < _MOVED
    columns = sorted({PARTS[part].column for part in parts} | {"house_number", "street"})
    agree = {column: random.random(_SIMULATED) < _SEVERAL.get(column, _AGREE) for column in columns}
    agree["place"] = agree["house_number"] & agree["street"]
    renamed = random.random(_SIMULATED) < _RENAMED
    others = {
        column: renamed & (random.random(_SIMULATED) < _OTHER_NAME)
        for column in ("given_name", "family_name")
    }
    for column in others.keys() & agree.keys():
        agree[column] &= ~others[column]
    agree["name_sorted"] = np.asarray(
        agree.get("given_name", moved) & agree.get("family_name", moved)
    ) | (random.random(_SIMULATED) < 0.02)
    result = {}
    # How much is left of a column that does not agree: the sound, the beginning, or a letter.
    alike = {column: random.random(_SIMULATED) for column in columns}
    for part in sorted(parts):
        column = PARTS[part].column
        same = agree[column]
        if part in _PARTLY:
            whole = _SOUND_OF.get(part, column)
            partly = alike.get(whole, alike[column]) < _PARTLY[part]
            same = agree.get(whole, same) | (partly & ~others.get(whole, np.False_))
        if PARTS[part].comparison == "address":
            same = same & (~moved | ((part == "city") & (random.random(_SIMULATED) < 0.5)))
        # Who has the same rare name has a rare name.
        other = left if part == "rare_family" else right
        result[part] = same & (parts[part][left] >= 0) & (parts[part][other] >= 0)
    return result
