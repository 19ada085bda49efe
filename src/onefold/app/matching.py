"""Matching of records without a common identifier, on an engine: train, score, cluster."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onefold.engine.duck import DuckEngine
from onefold.model.matching import (
    Frequencies,
    LearnedComparison,
    Level,
    MatchModel,
    Quality,
    SourcePrior,
)
from onefold.model.person import COLUMNS
from onefold.resolve.matching import blocking, clustering, key_choice, records, sampling, training
from onefold.resolve.matching.comparison import (
    Comparison,
    columns_of,
    forms,
    learnt_levels,
    level_names,
    pattern_sql,
)
from onefold.resolve.matching.scoring import Scorer, unpack


class Plan(NamedTuple):
    """What is compared in this data, and how it is found."""

    comparisons: tuple[Comparison, ...]
    keys: list[blocking.Key]
    coded: list[str]
    binned: dict[str, tuple[int, int]]
    sources: dict[str, int]


def prepare(engine: DuckEngine, people: str = "people") -> Plan:
    """Make the tables `rows`, `records`, `prepared`; say what can be compared."""
    (counts,) = engine.rows("presence", records.presence_query(people), {})
    present = dict(zip(COLUMNS, counts, strict=True))
    comparisons = records.usable(present)
    filled = [name for name, count in present.items() if count]
    engine.keep("rows", records.rows_query(filled, people))
    engine.keep("records", records.records_query(filled, people))
    (place,) = engine.rows("places", "SELECT count(place) FROM records", {})
    present["place"] = int(place[0])
    common = {one.common for one in comparisons if one.common}
    coded = [
        name
        for name in dict.fromkeys((*blocking.coded_columns(), *common))
        if present.get(name, 0) >= 2
    ]
    binned = {}
    for name in coded:
        engine.keep(f"values_{name}", records.values_query(name))
        if name in common:
            (total,) = engine.rows("total", f"SELECT sum(n)::BIGINT FROM values_{name}", {})
            binned[name] = (int(total[0]), records.bins_of(int(total[0])))
    engine.keep("values_source", records.sources_query())
    found = engine.rows("sources", "SELECT value, n FROM values_source ORDER BY value", {})
    made = {"rid", "copies", "source", *(f"{name}_bin" for name in binned)}
    columns = [name for name in columns_of(comparisons) if name not in made]
    engine.keep("prepared", records.prepared_query(columns, coded, binned))
    keys = _choose(engine, [name for name, count in present.items() if count >= 2])
    return Plan(comparisons, keys.keys, coded, binned, dict(found))


def _choose(engine: DuckEngine, present: list[str]) -> key_choice.Choice:
    keys = blocking.candidates(present)
    names = sorted({part for key in keys for part in key.parts})
    sample = key_choice.SAMPLE
    found = engine.arrow("parts", blocking.parts_query(names, sample)) if names else pa.table({})
    parts = {
        name: np.asarray(pc.fill_null(found[name].cast(pa.int64()), -1).to_numpy())
        for name in names
    }
    (row,) = engine.rows("size", "SELECT count(*) FROM prepared", {})
    return key_choice.choose(keys, parts, int(row[0]))


def block(engine: DuckEngine, plan: Plan) -> None:
    """Make the table `pairs`."""
    engine.keep("keys", blocking.keys_query(plan.keys))
    engine.keep("sizes", blocking.sizes_query())
    engine.keep("divided", blocking.divided_query(plan.keys, plan.coded))
    engine.keep("divided_sizes", blocking.sizes_query("divided"))
    engine.keep("pairs", blocking.pairs_query())


def compare(engine: DuckEngine, plan: Plan) -> None:
    """Make the table `compared`."""
    engine.keep(
        "compared", blocking.compared_query(pattern_sql(plan.comparisons), len(plan.sources))
    )


def learn(engine: DuckEngine, plan: Plan) -> MatchModel:
    """Train a model on what was compared."""
    names = [one.name for one in plan.comparisons]
    found = engine.arrow(
        "patterns",
        "SELECT pattern, rules, sources, sum(times)::DOUBLE AS count FROM compared GROUP BY ALL"
        " ORDER BY ALL",
    )
    columns = {name: found[name].to_numpy() for name in found.column_names}
    patterns = training.Patterns(
        unpack(columns["pattern"].astype(np.int64), names),
        columns["rules"].astype(np.int64),
        columns["sources"].astype(np.int64),
        columns["count"],
    )
    (row,) = engine.rows("size", "SELECT count(*) FROM prepared", {})
    size = int(row[0])
    seen = _seen(engine, plan, size)
    touches = np.array(
        [[float(name in key.touches) for name in names] for key in plan.keys], dtype=float
    ).reshape(len(plan.keys), len(names))
    learned = training.train(seen, patterns, touches, _pairs(plan.sources))
    return _model(engine, plan, learned)


def _pairs(sources: dict[str, int]) -> training.Floats:
    sizes = np.array(list(sources.values()), dtype=float)
    pairs = np.triu(np.outer(sizes, sizes), 1)
    np.fill_diagonal(pairs, sizes * (sizes - 1) / 2)
    return pairs.ravel()


def _seen(engine: DuckEngine, plan: Plan, size: int) -> list[training.Seen]:
    pattern = pattern_sql(plan.comparisons)
    found = engine.arrow(
        "random",
        f"SELECT pattern, count(*)::DOUBLE AS count FROM (SELECT {pattern} AS pattern"
        f" FROM ({sampling.random_pairs_query(size)}) AS p JOIN prepared AS a ON a.rid = p.l"
        " JOIN prepared AS b ON b.rid = p.r) GROUP BY pattern ORDER BY pattern",
    )
    names = [one.name for one in plan.comparisons]
    levels = unpack(found["pattern"].to_numpy().astype(np.int64), names)
    counts = found["count"].to_numpy()
    seen = []
    for place, one in enumerate(plan.comparisons):
        bins = plan.binned[one.common][1] if one.common else 0
        plain = sum(level[0] != one.same for level in one.levels)
        shares, equal = np.zeros(bins), np.zeros(bins)
        if bins:
            total = plan.binned[one.common][0]
            rows = engine.rows(
                "bins",
                f"SELECT {records.bin_sql(total, bins)} AS bin, sum(n)::DOUBLE,"
                f" sum(n::DOUBLE * (n - 1) / 2) FROM values_{one.common} GROUP BY 1",
                {},
            )
            for number, n, same in rows:
                shares[number - 1], equal[number - 1] = n / total, same
        random = np.bincount(levels[:, place], counts, plain + bins + 1).astype(float)
        seen.append(
            training.Seen(
                one.name,
                one.personal,
                plain,
                shares,
                equal,
                random,
                plain + 1 if bins else 1,
                np.array([0, *forms(one, bins)]),
                np.array([False, *learnt_levels(one, bins)]),
            )
        )
    return seen


def _model(engine: DuckEngine, plan: Plan, learned: training.Learned) -> MatchModel:
    comparisons = []
    for place, one in enumerate(plan.comparisons):
        bins = plan.binned[one.common][1] if one.common else 0
        m, u, h = (probabilities[place][1:].tolist() for probabilities in learned.classes)
        levels = tuple(
            Level(*values) for values in zip(level_names(one, bins), m, u, h, strict=True)
        )
        comparisons.append(LearnedComparison(one.name, levels))
    names = list(plan.sources)
    priors = tuple(
        SourcePrior(
            names[i],
            names[j],
            float(learned.source_match[i * len(names) + j]),
            float(learned.source_household[i * len(names) + j]),
        )
        for i in range(len(names))
        for j in range(i, len(names))
    )
    return MatchModel(
        tuple(comparisons),
        _frequencies(engine, plan),
        learned.match,
        learned.household,
        priors,
        (),
        merge=3.2,
        review=-2.0,
        quality=Quality(0, 0, 0, 0, 0),
    )


def _frequencies(engine: DuckEngine, plan: Plan) -> tuple[Frequencies, ...]:
    found = []
    for column, (total, bins) in plan.binned.items():
        query = (
            f"SELECT value, {records.bin_sql(total, bins)} AS bin FROM values_{column}"
            f" WHERE n > {records.RARE} ORDER BY value"
        )
        rows = engine.rows("frequencies", query, {})
        found.append(
            Frequencies(
                column, bins, {value: int(number) for value, number in rows if number < bins}
            )
        )
    return tuple(found)


def score(engine: DuckEngine, plan: Plan, model: MatchModel, least: float) -> None:
    """Make the table `scored` of pairs with a weight of at least that."""
    found = engine.arrow("patterns", "SELECT DISTINCT pattern, sources FROM compared")
    patterns = found["pattern"].to_numpy().astype(np.int64)
    sources = found["sources"].to_numpy().astype(np.int64)
    weights = Scorer(model).weights(patterns, *_priors(model, plan, sources))
    enough = weights >= least
    given = pa.table(
        {"pattern": patterns[enough], "sources": sources[enough], "weight": weights[enough]}
    )
    engine.keep("weights", "SELECT * FROM given", {"given": given})
    engine.keep(
        "scored",
        "SELECT c.l, c.r, c.rules, c.pattern, c.sources, w.weight FROM compared AS c"
        " JOIN weights AS w ON c.pattern = w.pattern AND c.sources = w.sources",
    )


def _priors(
    model: MatchModel, plan: Plan, sources: training.Ints
) -> tuple[training.Floats, training.Floats]:
    scorer = Scorer(model)
    by_pair = [scorer.priors(left, right) for left in plan.sources for right in plan.sources]
    match, household = np.array(by_pair).reshape(-1, 2).T
    return match[sources], household[sources]


def cluster(engine: DuckEngine, plan: Plan, model: MatchModel) -> None:
    """Make the table `clusters`: the smallest row of the person of each row, `(record_id, profile)`."""
    (row,) = engine.rows("size", "SELECT count(*) FROM prepared", {})
    size = int(row[0]) + 1
    found = engine.arrow(
        "edges",
        f"SELECT l, r, weight FROM scored WHERE weight >= {model.merge} AND l < r ORDER BY l, r",
    )
    left, right = (found[name].to_numpy().astype(np.int64) for name in "lr")
    weight = found["weight"].to_numpy()
    labels = clustering.components(size, left, right)
    labels = clustering.divide(labels, left, right, weight)
    inside = labels[left] == labels[right]
    doubtful = clustering.doubtful(labels, left[inside], right[inside])
    numbers = np.flatnonzero(doubtful)
    if len(numbers):
        members: dict[int, list[int]] = {}
        for number in numbers.tolist():
            members.setdefault(int(labels[number]), []).append(number)
        settled = clustering.settle(
            members, _weights_among(engine, plan, model, members), model.merge
        )
        for number, part in settled.items():
            labels[number] = part
    given = pa.table({"rid": np.arange(size), "label": labels})
    engine.keep("labels", "SELECT * FROM given", {"given": given})
    engine.keep(
        "clusters",
        "SELECT r.record_id, CASE WHEN p.copies > 1 AND s.weight IS NULL AND r.record_id <> f.record_id"
        " THEN r.record_id ELSE min(r.record_id) FILTER (p.copies = 1 OR s.weight IS NOT NULL OR"
        " r.record_id = f.record_id) OVER (PARTITION BY k.label) END AS profile"
        " FROM rows AS r JOIN prepared AS p ON r.rid = p.rid JOIN labels AS k ON r.rid = k.rid"
        " JOIN (SELECT rid, min(record_id) AS record_id FROM rows GROUP BY rid) AS f ON r.rid = f.rid"
        f" LEFT JOIN (SELECT l, weight FROM scored WHERE l = r AND weight >= {model.merge}) AS s"
        " ON r.rid = s.l",
    )


def _weights_among(
    engine: DuckEngine, plan: Plan, model: MatchModel, members: dict[int, list[int]]
) -> dict[tuple[int, int], float]:
    """The weights of all pairs in the same component, whether a key found them or not."""
    pairs = [
        (one, two)
        for numbers in members.values()
        for place, one in enumerate(numbers)
        for two in numbers[place + 1 :]
    ]
    left, right = ([pair[place] for pair in pairs] for place in (0, 1))
    given = pa.table({"l": pa.array(left, pa.int32()), "r": pa.array(right, pa.int32())})
    engine.keep("among", "SELECT *, 0::BIGINT AS rules FROM given", {"given": given})
    query = blocking.compared_query(pattern_sql(plan.comparisons), len(plan.sources), "among")
    found = engine.arrow("among", query)
    patterns = found["pattern"].to_numpy().astype(np.int64)
    sources = found["sources"].to_numpy().astype(np.int64)
    weights = Scorer(model).weights(patterns, *_priors(model, plan, sources))
    return dict(
        zip(
            zip(found["l"].to_pylist(), found["r"].to_pylist(), strict=True),
            weights.tolist(),
            strict=True,
        )
    )
