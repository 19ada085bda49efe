"""What fails is named and left out; what an event cannot change is not looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
import pytest

from onefold.engine import DuckEngine
from onefold.model.profile import Profile
from onefold.pipeline.concerned import Changes, Task
from onefold.pipeline.counts import Counts, encode_buckets
from onefold.pipeline.evaluation import Evaluation, Found, Looked
from onefold.segment import Plan, Wanted, compile_plan
from onefold.segment.plan import Key, plan_of
from onefold.segment.shapes import singles_of
from tests.unit.pipeline.touching import Identifiers, looked

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
            one, expression=f"CASE WHEN error('broken: {name}') THEN {one.expression} END"
        )
        if one.name == name
        else one
        for one in plan.outputs
    ]
    return plan_of(outputs, {})


class New(NamedTuple):
    """Which traits were told, and how many events of each metric were new."""

    traits: Iterable[str] = ()
    counts: Mapping[str, int] = {}


def run(evaluation: Evaluation, new: New | None = None, **traits: Any) -> dict[str, Any]:
    """What is computed of a profile with two orders and two opened mails, of which some are new."""
    profile = Profile(1, [], [], traits, {})
    news = new.counts if new else {}
    before = {one.id: {0: 2 - news.get(one.id, 0)} for one in evaluation.plan.metrics}
    before = {metric: one for metric, one in before.items() if one[0]}
    facts = [Counts(encode_buckets(before))]
    if not new or not news:
        changes = None if new is None else Changes(new.traits)
        return computed(evaluation.run([Task(profile, changes, facts)], NOW))
    identifiers = Identifiers(evaluation.plan, NOW, "UTC", {b"one": before})
    touched = identifiers.add([(b"one", one, 0, n, *[None] * 8) for one, n in news.items()])
    task = Task(profile, Changes(new.traits, [0]), touched.counts)
    return computed(evaluation.run([task], NOW, touched))


def computed(found: Iterable[Found | Looked]) -> dict[str, Any]:
    """What was found, by name."""
    values: dict[str, Any] = {}
    for part in found:
        if isinstance(part, Found):
            for one, column in zip(part.outputs, part.columns, strict=True):
                values[one.name] = column.to_pylist()[0]
        else:
            values |= {name: value for (_, name), value in looked(part).items()}
    return values


def happened(plan: Plan, event: str, times: int = 1) -> New:
    """So many of the two events were new."""
    return New((), {metric.id: times for metric in plan.metrics if metric.event == event})


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
    """Segments for each number of two events."""
    rules = [
        Wanted("segment", f"{event}{number}", f"count_of('{event}') >= {number}")
        for event in ("Order Completed", "Email Opened")
        for number in range(1, 50)
    ]
    return compile_plan([*WANTED, *rules])


def test_an_event_pays_only_for_what_it_can_change() -> None:
    plan = many()
    found = run(evaluation(plan), happened(plan, "Email Opened"), country="CN")
    assert found == {"Email Opened2": True}
    found = run(evaluation(plan), happened(plan, "Email Opened", 2), country="CN")
    assert found == dict.fromkeys(
        ("readers", "thankful_regulars", "Email Opened1", "Email Opened2"), True
    )


def test_a_computed_trait_changes_with_each_event_and_what_refers_to_it_as_it_is_compared() -> None:
    plan = many()
    found = run(evaluation(plan), happened(plan, "Order Completed"))
    assert found == {
        "orders": 2.0,
        "regulars": True,
        "thankful_regulars": True,
        "Order Completed2": True,
    }


def test_a_trait_changes_what_reads_it() -> None:
    assert run(evaluation(many()), New({"country"}), country="CN") == {"chinese": True}
    assert run(evaluation(many()), New({"city"}), city="Berlin") == {}


def test_what_changes_says_what_the_whole_plan_says() -> None:
    plan = many()
    whole = run(evaluation(plan), country="CN")
    both = New({"country"}, happened(plan, "Email Opened", 2).counts)
    one = evaluation(plan)
    together = run(one, both, country="CN") | run(one, happened(plan, "Order Completed", 2))
    assert together.items() <= whole.items()
    assert {name for name, value in whole.items() if value} == together.keys()


def test_rules_that_are_written_alike_are_one_expression() -> None:
    assert [query.sql.count("WHEN") for query in singles_of(many()).queries] == [4, 1]


def test_a_text_that_looks_like_a_comparison_stays_a_text() -> None:
    plan = compile_plan([Wanted("segment", "odd", "country = 'it''s (wabcdefghij >= 3)'")])
    odd = {"country": "it's (wabcdefghij >= 3)"}
    assert run(evaluation(plan), New({"country"}), **odd) == {"odd": True}


@pytest.mark.parametrize("name", ["buyers", "orders"])
def test_what_fails_by_an_event_is_left_out_and_the_others_are_answered(name: str) -> None:
    plan = compile_plan(WANTED)
    one = evaluation(broken(plan, name))
    found = run(one, happened(plan, "Order Completed", 2), country="CN")
    assert name in {key[1] for key in one.failing}
    assert found["chinese"] is True
    assert found["readers"] is True
    assert name not in found


def test_what_is_too_long_to_be_a_row_is_computed_with_the_whole_plan() -> None:
    plan = compile_plan(WANTED)
    outputs = [
        msgspec.structs.replace(one, expression=f"({one.expression}{' AND TRUE' * 2_500})")
        if one.name == "readers"
        else one
        for one in plan.outputs
    ]
    found = run(evaluation(plan_of(outputs, {})), happened(plan, "Email Opened", 2), country="CN")
    assert found == run(evaluation(plan), country="CN")
