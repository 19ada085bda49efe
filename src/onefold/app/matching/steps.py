"""Matching of records without a common identifier, on an engine, step by step.

Each step makes a table that the next one reads: `people` → `rows` → `prepared` → `pairs` → `compared` →
`scored` → `clusters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onefold.engine.interface import Engine
from onefold.model.errors import Fault, InvalidInput
from onefold.model.matching import MatchModel
from onefold.model.person import COLUMNS
from onefold.resolve.matching import blocking, clustering, key_choice, records
from onefold.resolve.matching.comparison import Comparison
from onefold.resolve.matching.levels import by_name, columns_of, pattern_sql
from onefold.resolve.matching.scoring import Scorer
from onefold.resolve.matching.strangers import Floats, Ints


class Plan(NamedTuple):
    """What is compared in this data, and how it is found."""

    comparisons: tuple[Comparison, ...]
    keys: list[blocking.Key]
    coded: list[str]
    binned: dict[str, int]
    """The number of bins of frequency of a column."""
    sources: dict[str, int]
    """How many records each source has."""
    absent: tuple[str, ...]
    """The standard columns in which no record says anything."""
    cap: int = blocking.CAP
    """More records than that with the same key are not compared with each other."""


def prepare(engine: Engine, people: str = "people", model: MatchModel | None = None) -> Plan:
    """Make the tables `rows` and `prepared` of people in standard columns.

    With a model it is asked what the model compares; without one, what these records allow.
    """
    (counts,) = engine.rows("presence", records.presence_query(people), {})
    present = dict(zip(records.PRESENT, counts, strict=True))
    comparisons = records.usable(present) if model is None else _fitting(model, present)
    filled = [name for name in COLUMNS if present[name]]
    engine.keep("rows", records.rows_query(filled, people))
    coded = _values(engine, people, present, comparisons)
    binned = _bins(engine, people, coded, comparisons, model)
    engine.keep("values_source", records.sources_query(people))
    sources = engine.rows("sources", "SELECT value, n FROM values_source ORDER BY value", {})
    made = {"rid", "copies", "source", *(f"{name}_bin" for name in binned)}
    columns = [name for name in columns_of(comparisons) if name not in made]
    columns += [name for name in ("birth_digits", "birth_year", "phone") if name not in columns]
    each = records.records_query(filled, people)
    engine.keep("prepared", records.prepared_query(columns, coded, binned, each))
    absent = tuple(name for name in COLUMNS if not present[name])
    each_source = {str(name): int(n) for name, n in sources}
    plan = Plan(comparisons, [], coded, binned, each_source, absent)
    if model is not None:
        keys = [blocking.key(name) for name in model.keys]
        return plan._replace(keys=[one for one in keys if _has(one, present)], cap=model.cap)
    return plan._replace(keys=_choose(engine, [name for name, n in present.items() if n >= 2]))


def _fitting(model: MatchModel, present: dict[str, int]) -> tuple[Comparison, ...]:
    """The model's comparisons; an error where these records have nothing that it compares."""
    found = by_name(one.name for one in model.comparisons)
    if len(found) != len(model.comparisons):
        names = sorted({one.name for one in model.comparisons} - {one.name for one in found})
        raise InvalidInput(
            "the match model compares what this release does not know",
            [Fault("there is no such comparison", name) for name in names],
        )
    if not any(present[column] for one in found for column in one.columns):
        wanted = sorted({column for one in found for column in one.columns})
        raise InvalidInput(
            "the match model does not fit these records: nothing that it compares is in them",
            [Fault(f"it compares {', '.join(wanted)}", hint="train a model on these records")],
        )
    return found


def _values(
    engine: Engine, people: str, present: dict[str, int], comparisons: tuple[Comparison, ...]
) -> list[str]:
    """Make a table of the values of each column that keys or frequencies need; name these."""
    names = dict.fromkeys((*blocking.coded_columns(), *(one.common for one in comparisons)))
    coded = [name for name in names if present.get(name)]
    for name in coded:
        engine.keep(f"values_{name}", records.values_query(name, people))
    return coded


def _bins(
    engine: Engine,
    people: str,
    coded: list[str],
    comparisons: tuple[Comparison, ...],
    model: MatchModel | None,
) -> dict[str, int]:
    """Make a table of the common values of each column where it matters how common they are."""
    binned = {}
    known = {} if model is None else {one.column: one for one in model.frequencies}
    for name in dict.fromkeys(one.common for one in comparisons if one.common):
        if name not in coded:
            engine.keep(f"values_{name}", records.values_query(name, people))
        if model is not None:
            common = known[name]
            given = pa.table(
                {
                    "value": pa.array(list(common.values), pa.string()),
                    "bin": pa.array(list(common.values.values()), pa.int32()),
                }
            )
            engine.keep(f"common_{name}", "SELECT * FROM given", {"given": given})
            binned[name] = common.bins
        elif name in coded:
            (row,) = engine.rows("total", f"SELECT sum(n)::BIGINT FROM values_{name}", {})
            binned[name] = records.bins_of(int(row[0]))
            engine.keep(f"common_{name}", records.common_query(name, int(row[0]), binned[name]))
        else:
            binned[name] = 1
            engine.keep(f"common_{name}", records.common_query(name, 0, 1))
    return binned


def _has(key: blocking.Key, present: dict[str, int]) -> bool:
    return all(present.get(blocking.PARTS[part].column) for part in key.parts)


def _choose(engine: Engine, present: list[str]) -> list[blocking.Key]:
    keys = blocking.candidates(present)
    names = sorted({part for key in keys for part in key.parts})
    if not names:
        return []
    found = engine.arrow("parts", blocking.parts_query(names, key_choice.SAMPLE))
    parts = {
        name: np.asarray(pc.fill_null(found[name].cast(pa.int64()), -1).to_numpy())
        for name in names
    }
    return key_choice.choose(keys, parts, size_of(engine))


def size_of(engine: Engine) -> int:
    """How many different records there are."""
    (row,) = engine.rows("size", "SELECT count(*) FROM prepared", {})
    return int(row[0])


def block(engine: Engine, plan: Plan) -> None:
    """Make the table `pairs`."""
    engine.keep("keys", blocking.keys_query(plan.keys))
    engine.keep("sizes", blocking.sizes_query())
    engine.keep("divided", blocking.divided_query(plan.keys, plan.coded, plan.cap))
    engine.keep("divided_sizes", blocking.sizes_query("divided"))
    engine.keep("blocks", blocking.blocks_query(plan.cap))
    engine.keep("pairs", blocking.pairs_query(plan.cap))
    engine.forget("keys", "sizes", "divided", "divided_sizes", "blocks")


def compare(engine: Engine, plan: Plan) -> int:
    """Make the table `compared`; count the pairs."""
    count = engine.keep("compared", compared_query(plan))
    engine.forget("pairs")
    return count


def compared_query(plan: Plan, pairs: str = "pairs") -> str:
    """The query of pairs with their patterns."""
    return blocking.compared_query(
        pattern_sql(plan.comparisons),
        len(plan.sources),
        pairs,
        binned=list(plan.binned),
        absent=plan.absent,
    )


def score(engine: Engine, plan: Plan, model: MatchModel) -> None:
    """Make the table `scored`, of the pairs that are to be merged or looked at."""
    found = engine.arrow("patterns", "SELECT DISTINCT pattern, sources FROM compared")
    weights = _weights(plan, model, found)
    given = found.append_column("weight", pa.array(weights)).filter(
        pa.array(weights >= model.review)
    )
    engine.keep("weights", "SELECT * FROM given", {"given": given})
    engine.keep(
        "scored",
        "SELECT c.l, c.r, c.rules, c.pattern, c.sources, w.weight FROM compared AS c"
        " JOIN weights AS w ON c.pattern = w.pattern AND c.sources = w.sources",
    )


def _weights(plan: Plan, model: MatchModel, pairs: pa.Table) -> Floats:
    sources = pairs["sources"].to_numpy().astype(np.int64)
    match, household = priors_of(by_source(model, plan), sources)
    patterns = pairs["pattern"].to_numpy().astype(np.int64)
    return Scorer(model).weights(patterns, match, household)


def by_source(model: MatchModel, plan: Plan) -> Floats:
    """How likely a match and a household are, for each two sources by their numbers."""
    scorer = Scorer(model)
    found = [scorer.priors(left, right) for left in plan.sources for right in plan.sources]
    return np.array(found, dtype=float).reshape(-1, 2)


def priors_of(priors: Floats, sources: Ints) -> tuple[Floats, Floats]:
    """The two columns of priors, for each pair of sources."""
    return priors[sources, 0], priors[sources, 1]


def cluster(engine: Engine, plan: Plan, model: MatchModel) -> None:
    """Make the table `clusters`: each row with the first row of its person."""
    size = size_of(engine) + 1
    merged = f"SELECT l, r, weight FROM scored WHERE weight >= {model.merge}"
    found = engine.arrow("merged", f"{merged} AND l < r ORDER BY l, r")
    left, right = (found[name].to_numpy().astype(np.int64) for name in "lr")
    weight = found["weight"].to_numpy()
    labels = clustering.grouped(
        size,
        left,
        right,
        weight,
        model.merge,
        lambda members: _weights_among(engine, plan, model, members),
    )
    given = pa.table({"rid": np.arange(size), "label": labels})
    engine.keep("labels", "SELECT * FROM given", {"given": given})
    engine.keep("alike", f"SELECT l FROM ({merged}) WHERE l = r")
    engine.keep("clusters", records.clusters_query())


def _weights_among(
    engine: Engine, plan: Plan, model: MatchModel, members: Mapping[int, list[int]]
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
    found = engine.arrow("among", compared_query(plan, "among"))
    keys = zip(found["l"].to_pylist(), found["r"].to_pylist(), strict=True)
    return dict(zip(keys, _weights(plan, model, found).tolist(), strict=True))
