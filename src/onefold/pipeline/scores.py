"""How much each claim is preferred, where the rule is an expression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from onefold.engine import DuckEngine, PlannedQuery
from onefold.model.errors import Fault, InvalidInput
from onefold.pipeline.evaluation import plan_schema
from onefold.segment import compile_plan
from onefold.segment.metric import Type
from onefold.segment.plan import Plan, Wanted
from onefold.unify import Claim, GoldenRules
from onefold.unify.contest import Scores
from onefold.unify.golden import Nodes, units_of

CLAIM: dict[str, Type] = {"source": "text", "kind": "text", "time": "number", "stated": "boolean"}
"""What an expression may name beside `value`."""


class About(NamedTuple):
    """A profile whose claims are to be scored: the statements and the kind of each identifier."""

    nodes: Nodes
    kinds: Sequence[str]


def preference(text: str, value_type: Type | None = None) -> Plan:
    """An expression over one claim, compiled; `InvalidInput` lists what is wrong with it."""
    types = {**CLAIM, **({"value": value_type} if value_type else {})}
    plan = compile_plan([Wanted("trait", "preferred", text)], types)
    for error in plan.refused.values():
        raise error
    faults = [
        Fault(f"{'.'.join(one.path)} is nothing that a claim has", "prefer", _HINT)
        for one in plan.columns
        if one.kind != "trait" or one.path[0] not in {"value", *CLAIM}
    ]
    if faults or plan.metrics:
        faults = faults or [Fault("looks at events", "prefer", _HINT)]
        raise InvalidInput("the expression cannot be used", faults)
    return plan


_HINT = f"use value, {', '.join(CLAIM)}"


class Preferences:
    """The expressions of the rules in force, each planned once."""

    def __init__(self, engine: DuckEngine, rules: GoldenRules) -> None:
        self._engine = engine
        self._rules = rules
        self._plans: dict[str, Plan] = {}
        self._queries: dict[str, PlannedQuery] = {}
        ways = [unit.way for unit in rules.declared] + [rules.default]
        for way in ways:
            if way.by == "expression":
                self._plans[way.prefer] = preference(way.prefer)

    def scores(self, people: Sequence[About]) -> Iterator[Scores]:
        """For each of these profiles the scores of its claims."""
        found: list[dict[Any, Any]] = [{} for _ in people]
        asked: dict[str, list[tuple[int, str, Claim]]] = {}
        for number, about in enumerate(people) if self._plans else ():
            for unit, claims in units_of(about.nodes, self._rules):
                if unit.way.by == "expression":
                    some = asked.setdefault(unit.way.prefer, [])
                    some += [(number, unit.name, one) for one in claims if one.value is not None]
        for text, some in asked.items():
            rows = ((claim, people[number].kinds[claim.node]) for number, _, claim in some)
            for (number, unit_name, claim), score in zip(some, self._run(text, rows), strict=True):
                found[number][unit_name, claim.key] = score
        yield from found

    def close(self) -> None:
        """Forget the plans."""
        for query in self._queries.values():
            query.close()
        self._queries.clear()

    def _run(self, text: str, claims: Iterable[tuple[Claim, str]]) -> list[Any]:
        plan = self._plans[text]
        features = plan.features(0, "UTC")
        rows = []
        for number, (claim, kind) in enumerate(claims):
            about = {"value": claim.value, "source": claim.source, "kind": kind}
            row, _ = features.row({**about, "time": claim.time, "stated": claim.strong}, [])
            rows.append((number, *row))
        schema = plan_schema(plan)
        query = self._queries.get(text)
        if query is None:
            query = self._engine.prepare("preferences", plan.sql, "profiles", schema)
            self._queries[text] = query
        scored = query.run(pa.table(list(zip(*rows, strict=True)), schema=schema))
        by_row = zip(scored.columns[0].to_pylist(), scored.columns[1].to_pylist(), strict=True)
        return [value for _, value in sorted(by_row, key=lambda pair: pair[0])]
