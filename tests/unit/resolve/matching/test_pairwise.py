"""Records compared one pair at a time: the numbers are those of a batch on the engine."""

from __future__ import annotations

import pyarrow as pa
import pytest

from onefold.app.matching import steps, training
from onefold.app.people.tables import standardize_table
from onefold.engine.duck import DuckEngine
from onefold.model.matching import MatchModel
from onefold.model.person import COLUMNS, Person
from onefold.resolve.matching.comparison import COMPARISONS
from onefold.resolve.matching.levels import SHIFTS, WIDTHS
from onefold.resolve.matching.pairwise import Matcher, Ready
from onefold.standardize.people.recognition import recognize
from onefold.standardize.people.roles import Layout
from onefold.testing.people import make_people

ROWS = 2_000


@pytest.fixture(scope="module")
def engine() -> DuckEngine:
    """People of every kind, blocked and compared; `random` are pairs of anybody."""
    engine = DuckEngine(threads=1, memory_mb=2000)
    table = make_people(ROWS, seed=5)
    engine.keep("file", "SELECT * FROM given", {"given": table})
    guesses = recognize(table.slice(0, 500).to_pydict())
    layout = Layout({name: one.role for name, one in guesses.items()} | {"entity_id": "ignore"})
    standardize_table(engine, "file", layout)
    return engine


@pytest.fixture(scope="module")
def model(engine: DuckEngine) -> MatchModel:
    plan = steps.prepare(engine)
    steps.block(engine, plan)
    steps.compare(engine, plan)
    return training.learn(engine, plan)


@pytest.fixture(scope="module")
def ready(engine: DuckEngine, model: MatchModel) -> dict[int, Ready]:
    """Each record by its number on the engine."""
    matcher = Matcher(model)
    rows = engine.rows("rid", "SELECT rid, record_id FROM rows", {})
    people = engine.arrow("people", "SELECT * FROM people ORDER BY record_id").to_pylist()
    found = {}
    for rid, number in rows:
        row = people[number]
        values = {
            name: tuple(row[name]) if isinstance(row[name], list) else row[name] for name in COLUMNS
        }
        found[rid] = matcher.ready(Person(**values), row["source"] or "")
    return found


def patterns(engine: DuckEngine, model: MatchModel, pairs: str) -> pa.Table:
    plan = steps.prepare(engine, model=model)
    return engine.arrow("patterns", steps.compared_query(plan, f"({pairs})"))


def differing(
    engine: DuckEngine, model: MatchModel, ready: dict[int, Ready], pairs: str
) -> tuple[int, list[tuple[str, object, object]]]:
    """How many pairs there are, and those of which the compiled comparisons say something else."""
    matcher = Matcher(model)
    found = patterns(engine, model, pairs).select(["l", "r", "pattern"]).to_pylist()
    wrong = []
    for row in found:
        one, two = ready[row["l"]], ready[row["r"]]
        mine = matcher.pattern(one, two)
        for comparison in COMPARISONS:
            place, mask = SHIFTS[comparison.name], (1 << WIDTHS[comparison.name]) - 1
            if (mine >> place & mask) != (row["pattern"] >> place & mask):
                wrong.append((comparison.name, one.values, two.values))
    return len(found), wrong


def test_patterns_are_those_of_the_engine(
    engine: DuckEngine, model: MatchModel, ready: dict[int, Ready]
) -> None:
    count, wrong = differing(engine, model, ready, "SELECT l, r, rules FROM compared WHERE l <> r ")
    assert (count > 500, wrong) == (True, [])
    count, wrong = differing(
        engine,
        model,
        ready,
        f"SELECT i * 7919 % {len(ready)} + 1 AS l, i * 104729 % {len(ready)} + 1 AS r,"
        " 0::BIGINT AS rules FROM range(20000) AS s(i)",
    )
    assert (count > 15_000, wrong) == (True, [])
