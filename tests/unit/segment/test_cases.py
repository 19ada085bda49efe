"""Each case of an output is asked of the engine once; the tree of its answers says what it says."""

from __future__ import annotations

from itertools import product
from typing import Any

import pyarrow as pa
import pytest

from onefold.engine import DuckEngine
from onefold.segment import Wanted, compile_plan
from onefold.segment.cases import Choice, cases_of
from onefold.segment.shapes import singles_of

TYPES = {"number": pa.float64(), "text": pa.string(), "boolean": pa.bool_(), "time": pa.int64()}
ORDERS = "count_of('Order Completed', last => interval 30 day)"
SPENT = "sum_of('Order Completed', properties.revenue)"


def ask(rule: str, rows: list[list[Any]]) -> list[Any]:
    """What the engine says of rows of the rule's only output."""
    query = singles_of(compile_plan([Wanted("segment", "s", rule)])).queries[0]
    schema = pa.schema([("shape", pa.int32()), *((name, TYPES[of]) for name, of in query.slots)])
    engine = DuckEngine(optimizer=False)
    asked = pa.table(list(zip(*rows, strict=True)), schema=schema)
    found = [row[0] for row in engine.rows("shapes", query.sql, {"asked": asked})]
    engine.close()
    return found


VALUES: dict[str, list[Any]] = {
    "number": [None, -1.0, 0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 4.0, 100.0, 100.01, 1e9],
    "text": [None, "", "CN", "cn", "DE", "CNDE…", "x"],
    "boolean": [None, False, True],
}


@pytest.mark.parametrize(
    "rule",
    [
        f"{ORDERS} >= 3",
        f"{ORDERS} > 2 and {SPENT} <= 100",
        f"not ({SPENT} > 100)",
        f"{SPENT} = 100 or {ORDERS} <> 2",
        "country = 'CN'",
        "country <> 'CN' and country <> 'DE'",
        "not (country = 'CN')",
        f"country is null or {ORDERS} < 1",
        f"email is not null and ({SPENT} is null or country = 'DE')",
        f"vip is true and did('Order Completed') and age > {2.5}",
        f"vip is not true or {ORDERS} >= 1 and {ORDERS} < 3",
    ],
)
def test_a_tree_says_of_any_values_what_the_engine_says(rule: str) -> None:
    single = singles_of(compile_plan([Wanted("segment", "s", rule)])).singles[0]
    cases = cases_of(single)
    assert cases is not None
    tree = cases.tree(ask(rule, list(cases.rows(single))))
    inputs = list(product(*(VALUES[column.type] for _, column in single.columns)))
    rows = []
    for values in inputs:
        row = list(single.row)
        for (at, _), value in zip(single.columns, values, strict=True):
            row[at] = value
        rows.append(row)
    for values, answer in zip(inputs, ask(rule, rows), strict=True):
        named = {
            column.name: value for (_, column), value in zip(single.columns, values, strict=True)
        }
        found = tree
        while type(found) is Choice:
            found = found.next(named[found.name])
        assert found is answer, values


def test_what_makes_no_difference_is_not_read() -> None:
    rule = f"{ORDERS} >= 3 and country = 'CN'"
    single = singles_of(compile_plan([Wanted("segment", "s", rule)])).singles[0]
    cases = cases_of(single)
    assert cases is not None
    tree = cases.tree(ask(rule, list(cases.rows(single))))
    assert tree.column.path == ("country",)
    assert tree.next("DE") is False
    assert type(tree.next("CN")) is Choice


@pytest.mark.parametrize(
    "rule",
    [
        f"{ORDERS} * 2 >= 3",
        "country like 'C%'",
        "country > 'CN'",
        "age > limit + 1",
        "birthday < today()",
        " and ".join(f"count_of('Event {number}') >= {number}" for number in range(1, 12)),
    ],
)
def test_what_has_too_many_cases_is_asked_each_time(rule: str) -> None:
    single = singles_of(compile_plan([Wanted("segment", "s", rule)])).singles[0]
    assert cases_of(single) is None
