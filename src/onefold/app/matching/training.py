"""Learning a match model from the records at hand, on an engine."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from onefold.app.matching.steps import Plan, by_source, compared_query, priors_of, size_of
from onefold.engine.interface import Engine
from onefold.model.matching import (
    Frequencies,
    LearnedComparison,
    Level,
    MatchModel,
    Quality,
    SourcePrior,
    decode_model,
    encode_model,
)
from onefold.resolve.matching import blocking, calibration, records, sampling, training
from onefold.resolve.matching.comparison import WHOLE, Comparison
from onefold.resolve.matching.levels import (
    agreements,
    are_among,
    bins_of,
    forms,
    learned_levels,
    level_names,
    plain_levels,
)
from onefold.resolve.matching.scoring import Scorer, unpack
from onefold.resolve.matching.strangers import Floats, Ints, Seen

_NEVER = 1e-15
MOST_PATTERNS = 40_000
"""Patterns that are learned from: of more, those of a part of the records."""


def learn(engine: Engine, plan: Plan, *, link_only: bool = False) -> MatchModel:
    """Train a model on the pairs that were compared: the table `compared`.

    `link_only`: each source has everybody once.
    """
    names = [one.name for one in plan.comparisons]
    packed, patterns = _patterns(engine, names)
    touches = np.array(
        [[float(name in key.touches) for name in names] for key in plan.keys], dtype=float
    ).reshape(len(plan.keys), len(names))
    seen = _seen(engine, plan)
    learned = training.train(seen, patterns, touches, _pairs(plan.sources))
    model = _model(engine, plan, learned)
    if link_only:
        model = _once_a_source(model)
    return decode_model(
        encode_model(_with_quality(plan, model, packed, patterns, touches, size_of(engine)))
    )


def recalibrate(model: MatchModel, decisions: Sequence[tuple[float, bool]]) -> MatchModel:
    """The model with weights that fit what people decided: the weight of a pair, and whether it is one.

    Few decisions change little. The thresholds stay where they are, as probabilities; what comes out
    is a new version.
    """
    if not decisions:
        return model
    weights = np.array([weight for weight, _ in decisions], dtype=float)
    raw = (weights - model.shift) / model.scale
    scale, shift, error = calibration.calibrated(raw, np.array([same for _, same in decisions]))
    quality = msgspec.structs.replace(
        model.quality, calibration_error=float(f"{error:.6g}"), decisions=len(decisions)
    )
    if model.weights:
        known, times = np.array(model.weights, dtype=float).T
        quality = _expecting(
            quality,
            calibration.expected(
                scale * known + shift,
                times,
                model.merge,
                quality.blocking_recall,
                quality.blocking_error,
                error,
            ),
        )
    made = msgspec.structs.replace(model, scale=scale, shift=shift, quality=quality)
    return decode_model(encode_model(made))


def _expecting(quality: Quality, expected: calibration.Expected) -> Quality:
    return msgspec.structs.replace(
        quality,
        precision=expected.precision,
        recall=expected.recall,
        uncertainty=expected.uncertainty,
        precision_error=expected.precision_error,
        recall_error=expected.recall_error,
    )


def _patterns(engine: Engine, names: list[str]) -> tuple[Ints, training.Patterns]:
    """The patterns of compared pairs; of many pairs, those whose first record is in a part."""
    (row,) = engine.rows("pairs", "SELECT count(*) FROM compared", {})
    share = max(1, int(row[0]) // (10 * MOST_PATTERNS))
    found = engine.arrow(
        "patterns",
        f"SELECT pattern, rules, sources, sum(times)::DOUBLE * {share} AS times,"
        f" sum(CASE WHEN l = r THEN copies * (copies - 1e0) / 2 ELSE times END)::DOUBLE * {share}"
        " AS every FROM compared LEFT JOIN (SELECT rid, copies FROM prepared WHERE copies > 1) AS p"
        f" ON l = r AND l = p.rid WHERE l % {share} = 0 GROUP BY pattern, rules, sources ORDER BY ALL",
    )
    columns = {name: found[name].to_numpy() for name in found.column_names}
    packed = columns["pattern"].astype(np.int64)
    return packed, training.Patterns(
        names,
        unpack(packed, names),
        columns["rules"].astype(np.int64),
        columns["sources"].astype(np.int64),
        columns["times"],
        columns["every"],
    )


def _pairs(sources: dict[str, int]) -> Floats:
    """How many pairs there are of each two sources."""
    sizes = np.array(list(sources.values()), dtype=float)
    pairs = np.triu(np.outer(sizes, sizes), 1)
    np.fill_diagonal(pairs, sizes * (sizes - 1) / 2)
    return pairs.ravel()


def _seen(engine: Engine, plan: Plan) -> list[Seen]:
    pairs = sampling.random_pairs_query(size_of(engine))
    engine.keep("random", f"SELECT l::INTEGER AS l, r::INTEGER AS r, 0 AS rules FROM ({pairs})")
    found = engine.arrow(
        "random",
        "SELECT pattern, count(*)::DOUBLE AS times FROM"
        f" ({compared_query(plan, 'random')}) GROUP BY pattern ORDER BY pattern",
    )
    engine.forget("random")
    names = [one.name for one in plan.comparisons]
    levels = unpack(found["pattern"].to_numpy().astype(np.int64), names)
    times = found["times"].to_numpy()
    return [
        _seen_of(engine, plan, one, levels[:, place], times)
        for place, one in enumerate(plan.comparisons)
    ]


def _seen_of(engine: Engine, plan: Plan, one: Comparison, levels: Ints, times: Floats) -> Seen:
    bins = bins_of(one, plan.binned)
    plain = plain_levels(one)
    shares, equal, copied = np.zeros(bins), np.zeros(bins), np.zeros(bins)
    if one.name == WHOLE:
        for number, n, same, twice in engine.rows("whole", records.whole_names_query(), {}):
            shares[number - 1], equal[number - 1], copied[number - 1] = n, same, twice
    elif bins:
        rows = engine.rows(
            "bins",
            f"SELECT coalesce(c.bin, {bins}), sum(v.n)::DOUBLE, sum(v.n::DOUBLE * (v.n - 1) / 2)"
            f" FROM values_{one.common} AS v LEFT JOIN common_{one.common} AS c"
            " ON v.value = c.value GROUP BY 1",
            {},
        )
        for number, n, same in rows:
            shares[number - 1], equal[number - 1] = n, same
        for number, same in engine.rows("copied", records.copied_query(one.common), {}):
            copied[number - 1] = same
    shares /= max(shares.sum(), 1.0)
    return Seen(
        one.name,
        one.personal,
        plain,
        shares,
        equal,
        copied,
        np.bincount(levels, times, plain + bins + 1).astype(float),
        np.array([False, *agreements(one, bins)]),
        np.array([0, *forms(one, bins)]),
        np.array([False, *learned_levels(one, bins)]),
        np.array([False, *are_among(one, bins, one.within)]),
        np.array([False, *are_among(one, bins, one.shared)]),
        one.name in (WHOLE, "email", "phone", "national_id"),
        one.chance,
    )


def _model(engine: Engine, plan: Plan, learned: training.Learned) -> MatchModel:
    comparisons = []
    for place, one in enumerate(plan.comparisons):
        names = level_names(one, bins_of(one, plan.binned))
        m, u, h = (_rounded(probabilities[place][1:]) for probabilities in learned.classes)
        levels = tuple(Level(*values) for values in zip(names, m, u, h, strict=True))
        comparisons.append(LearnedComparison(one.name, levels))
    sources = list(plan.sources) if len(plan.sources) > 1 else []
    priors = tuple(
        SourcePrior(
            left,
            right,
            float(learned.source_match[i * len(sources) + i + j]),
            float(learned.source_household[i * len(sources) + i + j]),
        )
        for i, left in enumerate(sources)
        for j, right in enumerate(sources[i:])
    )
    return MatchModel(
        tuple(comparisons),
        tuple(_frequencies(engine, column, bins) for column, bins in plan.binned.items()),
        learned.match,
        learned.household,
        priors,
        tuple(key.name for key in plan.keys),
        plan.cap,
        calibration.MERGE,
        calibration.REVIEW,
        Quality(0, 0, 1.0, 1.0, 1.0, 0.0),
    )


def _once_a_source(model: MatchModel) -> MatchModel:
    apart = tuple(
        msgspec.structs.replace(one, match=_NEVER) if one.left == one.right else one
        for one in model.sources
    )
    return msgspec.structs.replace(model, sources=apart)


def _rounded(probabilities: Floats) -> list[float]:
    """Without what the order of sums leaves behind."""
    return [float(f"{value:.9g}") for value in probabilities]


def _frequencies(engine: Engine, column: str, bins: int) -> Frequencies:
    rows = engine.rows("common", f"SELECT value, bin FROM common_{column} ORDER BY value", {})
    return Frequencies(column, bins, {str(value): int(number) for value, number in rows})


def _with_quality(
    plan: Plan,
    model: MatchModel,
    packed: Ints,
    patterns: training.Patterns,
    touches: Floats,
    size: int,
) -> MatchModel:
    """The model with what it expects of itself on the pairs that it was learned from."""
    match, household = priors_of(by_source(model, plan), patterns.sources)
    weights = Scorer(model).weights(packed, match, household)
    chance = calibration.probability(weights) * patterns.times
    _, which = np.unique(touches, axis=0, return_inverse=True)
    kinds = np.zeros(int(which.max(initial=-1)) + 1, dtype=np.int64)
    for place, kind in enumerate(which.ravel().tolist()):
        kinds[kind] |= (1 << place) | (1 << (place + blocking.DIVIDED))
    recall, error = calibration.blocking_recall(patterns.rules, chance, kinds)
    expected = calibration.expected(weights, patterns.times, model.merge, recall, error)
    quality = Quality(
        size, int(patterns.times.sum()), recall, 1.0, 1.0, 0.0, error,
        calibration_error=calibration.PRIOR_ERROR,
    )  # fmt: skip
    return msgspec.structs.replace(
        model,
        quality=_expecting(quality, expected),
        weights=calibration.counted(weights, patterns.times),
    )
