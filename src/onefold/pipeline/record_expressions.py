"""Expressions of mappings, asked of many records at once: the rule language, by the same engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from onefold.engine import DuckEngine
from onefold.engine.duck import PlannedQuery
from onefold.pipeline.evaluation import plan_schema
from onefold.segment import Plan
from onefold.segment.of_records import Expression, expressions_plan
from onefold.segment.reading import told


class RecordExpressions:
    """Gives the values of expressions over the fields of records; each query is planned once."""

    def __init__(self, engine: DuckEngine, timezone: str) -> None:
        self._engine = engine
        self._timezone = timezone
        self._plans: dict[tuple[Expression, ...], tuple[Plan, PlannedQuery]] = {}

    def ask(
        self, expressions: tuple[Expression, ...], rows: Sequence[dict[str, Any]], at: int
    ) -> list[tuple[Any, ...]]:
        """Of each row the value of each expression, as of a time (µs); conditions are true or not."""
        plan, query = self._planned(expressions)
        features = plan.features(at, self._timezone)
        read = [(number, *features.row(row, [])[0]) for number, row in enumerate(rows)]
        table = pa.table(list(zip(*read, strict=True)), schema=plan_schema(plan))
        found = query.run(table)
        places = {(one.kind, one.name): number for number, one in enumerate(plan.outputs, 1)}
        columns = []
        for number, (_, is_condition) in enumerate(expressions):
            place = places[("segment" if is_condition else "trait", f"e{number}")]
            kind = plan.outputs[place - 1].type
            columns.append([told(one, kind) for one in found.columns[place].to_pylist()])
        numbers = found.columns[0].to_pylist()
        by_number = dict(zip(numbers, zip(*columns, strict=True), strict=True))
        return [by_number[number] for number in range(len(rows))]

    def close(self) -> None:
        """Forget the plans."""
        for _, query in self._plans.values():
            query.close()
        self._plans.clear()

    def _planned(self, expressions: tuple[Expression, ...]) -> tuple[Plan, PlannedQuery]:
        known = self._plans.get(expressions)
        if known is None:
            plan = expressions_plan(expressions)
            for error in plan.refused.values():
                raise error
            query = self._engine.prepare("mapping", plan.sql, "profiles", plan_schema(plan))
            known = self._plans[expressions] = plan, query
        return known
