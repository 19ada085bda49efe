"""What fails is named and left out; what an event cannot change is not looked at."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from onefold.engine import DuckEngine
from onefold.model.profile import Profile
from onefold.pipeline.evaluation import Evaluation, Task
from onefold.segment import Plan, Wanted, compile_plan
from onefold.segment.plan import Key, plan_of
from onefold.segment.sections import Cause

NOW = 1_750_000_000_000_000
WANTED = [
    Wanted("segment", "buyers", "count_of('Order Completed') >= 1"),
    Wanted("segment", "readers", "did('Email Opened')"),
    Wanted("segment", "chinese", "country = 'CN'"),
    Wanted("trait", "orders", "count_of('Order Completed')"),
    Wanted("segment", "regulars", "orders >= 2"),
    Wanted("segment", "thankful_regulars", "orders >= 2 and did('Email Opened')"),
]


def broken(plan: Plan, name: str) -> Plan:
    """The same plan, in which one output fails whenever it is computed."""
    outputs = [
        msgspec.structs.replace(one, expression=f"error('broken: {name}') AND {one.expression}")
        if one.name == name and one.kind == "segment"
        else msgspec.structs.replace(
            one, expression=f"CASE WHEN error('broken: {name}') THEN 1e0 END"
        )
        if one.name == name
        else one
        for one in plan.outputs
    ]
    return plan_of(outputs, {})


def run(evaluation: Evaluation, *causes: Cause, **traits: Any) -> dict[str, Any]:
    """What is computed of a profile with two orders that one of these causes has changed."""
    profile = Profile(1, [], [], traits, {})
    counts = {metric.id: {0: 2} for metric in evaluation.plan.metrics}
    task = Task(profile, causes or None, [counts])
    return {
        one.name: column.to_pylist()[0]
        for found in evaluation.run([task], NOW)
        for one, column in zip(found.outputs, found.columns, strict=True)
    }


def evaluation(plan: Plan) -> Evaluation:
    return Evaluation(DuckEngine(optimizer=False), plan, "UTC")


@pytest.mark.parametrize("name", ["buyers", "chinese", "orders", "regulars"])
def test_what_fails_is_left_out_with_all_that_needs_it_and_the_others_go_on(name: str) -> None:
    plan = compile_plan(WANTED)
    whole = run(evaluation(plan), country="CN")
    needing = {"orders": {"orders", "regulars", "thankful_regulars"}}.get(name, {name})
    one = evaluation(broken(plan, name))
    for _ in range(2):
        assert run(one, country="CN") == {k: v for k, v in whole.items() if k not in needing}
    assert {key[1] for key in one.failing} == needing
    reason = one.failing[key_of(plan, name)]
    assert f"broken: {name}" in reason
    assert "\n" not in reason


def key_of(plan: Plan, name: str) -> Key:
    return next(one.key for one in plan.outputs if one.name == name)


def many() -> Plan:
    """So many definitions that causes do not share a section."""
    rules = [
        Wanted("segment", f"{event}{number}", f"count_of('{event}') >= {number}")
        for event in ("Order Completed", "Email Opened")
        for number in range(50)
    ]
    return compile_plan([*WANTED, *rules])


def test_an_event_pays_only_for_what_it_can_change() -> None:
    found = run(evaluation(many()), ("event", "Email Opened"), country="CN")
    assert {"readers", "thankful_regulars", "orders", "Email Opened7"} <= found.keys()
    assert "buyers" not in found
    assert not any(name.startswith("Order Completed") for name in found)


def test_a_section_says_what_the_whole_plan_says() -> None:
    plan = many()
    whole = run(evaluation(plan), country="CN")
    causes: list[Cause] = [
        ("event", "Email Opened"),
        ("event", "Order Completed"),
        ("trait", "country"),
    ]
    one = evaluation(plan)
    together: dict[str, Any] = {}
    for cause in causes:
        found = run(one, cause, country="CN")
        assert found.items() <= whole.items()
        together |= found
    assert together == whole
