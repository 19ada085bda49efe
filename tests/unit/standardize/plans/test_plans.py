"""Tracking plans over events: each mode, each source, every fault, and nothing where there is no plan."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from onefold.model.plans import TrackingPlan
from onefold.model.records import Accepted, Event, Reject
from onefold.standardize import Judging, Plans, standardize
from onefold.standardize.plans import infer, schema_faults

SCHEMA = {
    "type": "object",
    "required": ["order_id", "revenue"],
    "properties": {
        "order_id": {"type": "string"},
        "revenue": {"type": "number", "minimum": 0},
        "coupon": {"type": "string", "pattern": "^(a+)+$"},
        "products": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["sku"],
                "properties": {"price": {"type": "number"}},
            },
        },
    },
    "additionalProperties": False,
}
WRONG = {
    "revenue": "secret@example.com",
    "color": "crimson",
    "products": [{"sku": "a", "price": "9"}, {"price": 1}],
}


def plan(mode: str = "observe", **more: Any) -> TrackingPlan:
    given = {"name": "orders", "event": "Order", "schema": SCHEMA, "mode": mode, "version": 3}
    return TrackingPlan(**{**given, **more})


def judged(
    plans: list[TrackingPlan], event: dict[str, Any], source: str = "shop"
) -> tuple[list[Event], list[Reject], Judging]:
    judging = Judging(Plans(plans))
    body = msgspec.json.encode({"type": "track", "event": "Order", "userId": "u", **event})
    events, rejects = standardize([Accepted(source, 1, "event", body)], {}, plans=judging)
    return events, rejects, judging


def faults(judging: Judging) -> set[tuple[str, str]]:
    return {(one.breach.field, one.breach.fault) for one in judging.violations}


ALL = {
    ("order_id", "required"),
    ("revenue", "type"),
    ("color", "additionalProperties"),
    ("products[].price", "type"),
    ("products[].sku", "required"),
}


def test_every_fault_is_told_with_its_field():
    events, _, judging = judged([plan()], {"properties": WRONG})

    assert faults(judging) == ALL
    breaches = [one.breach for one in judging.violations]
    assert {(one.plan, one.version, one.source, one.event) for one in breaches} == {
        ("orders", 3, "shop", "Order")
    }
    assert msgspec.json.decode(events[0].properties) == WRONG
    assert events[0].context == "{}"


@pytest.mark.parametrize("mode", ["observe", "flag", "quarantine", "drop_field"])
def test_no_value_gets_into_a_violation(mode):
    _, rejects, judging = judged([plan(mode)], {"properties": WRONG})

    told = [*map(str, judging.violations), *(why for one in rejects for why in one.reasons)]
    assert told
    assert not any("secret" in one or "crimson" in one for one in told)


def test_flagged_events_say_what_is_wrong():
    events, rejects, _ = judged([plan("flag")], {"properties": {"order_id": "o", "revenue": -1}})

    assert rejects == []
    assert msgspec.json.decode(events[0].context)["violations"] == [
        {"plan": "orders", "version": 3, "field": "revenue", "fault": "minimum"}
    ]


def test_what_is_quarantined_is_a_reject_as_it_came():
    event = {"properties": {"revenue": 1}}
    events, rejects, _ = judged([plan("quarantine")], event)

    assert events == []
    assert msgspec.json.decode(rejects[0].raw)["properties"] == {"revenue": 1}
    assert rejects[0].reasons == (
        "properties.order_id: is missing (tracking plan 'orders', version 3)",
    )


def test_fields_that_are_wrong_are_dropped_and_the_rest_is_kept():
    properties = {"order_id": "o", **WRONG, "products": [*WRONG["products"], {"sku": "c"}]}
    events, _, judging = judged([plan("drop_field")], {"properties": properties})

    assert msgspec.json.decode(events[0].properties) == {
        "order_id": "o",
        "products": [{"sku": "a"}, {"price": 1}, {"sku": "c"}],
    }
    assert faults(judging) == ALL - {("order_id", "required")}


def test_a_dropped_email_names_nobody():
    schema = {"properties": {"email": {"pattern": "@example.com$"}}}
    of_people = plan("drop_field", type="identify", event="", schema=schema)
    event = {"type": "identify", "event": None, "traits": {"email": "ann@test.org", "a": 1}}
    events, _, _ = judged([of_people], event)

    assert events[0].traits == {"a": 1}
    assert [one.kind for one in events[0].identifiers] == ["user_id"]
    nobody, rejects, _ = judged([of_people], {**event, "userId": None})
    assert (nobody, len(rejects)) == ([], 1)


@pytest.mark.parametrize(
    ("sources", "source", "found"), [((), "shop", 1), (("shop",), "shop", 1), (("app",), "shop", 0)]
)
def test_a_plan_holds_for_its_sources(sources, source, found):
    event = {"properties": {"order_id": "o", "revenue": "x"}}
    _, _, judging = judged([plan(sources=sources)], event, source)

    assert len(judging.violations) == found


@pytest.mark.parametrize(
    "event",
    [
        {"event": "Other", "properties": WRONG},
        {"type": "page", "properties": WRONG},
        {"properties": {"order_id": "o", "revenue": 1, "coupon": "aaa", "products": []}},
    ],
)
def test_what_has_no_plan_or_obeys_it_is_left_as_it_is(event):
    events, rejects, judging = judged([plan("quarantine")], event)
    plain, _ = standardize(
        [
            Accepted(
                "shop", 1, "event",
                msgspec.json.encode({"type": "track", "event": "Order", "userId": "u", **event}),
            )
        ],
        {},
    )  # fmt: skip

    assert (events, rejects, judging.violations) == (plain, [], [])


def test_all_plans_of_an_event_are_asked():
    strict = plan("quarantine", name="strict", schema={"required": ["x"]})
    _, rejects, judging = judged([plan(), strict], {"properties": {"revenue": 1}})

    assert {one.breach.plan for one in judging.violations} == {"orders", "strict"}
    assert len(rejects[0].reasons) == 1


def test_a_pattern_takes_no_time():
    event = {"properties": {"order_id": "o", "revenue": 1, "coupon": "a" * 20_000 + "b"}}

    assert faults(judged([plan()], event)[2]) == {("coupon", "pattern")}


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("x", "JSON Schema"),
        ({"type": "string"}, "object"),
        ({"properties": {"a": {"type": "nuber"}}}, "schema"),
        ({"$ref": "http://127.0.0.1:1/schema"}, "schema"),
        ({"$ref": "file:///etc/passwd"}, "schema"),
        ({"properties": {"a": {"pattern": "(a"}}}, "schema"),
    ],
)
def test_what_is_no_schema_is_told(schema, says):
    assert says in " ".join(map(str, schema_faults(schema)))


def test_a_draft_holds_for_all_that_it_was_made_of():
    values = [
        {
            "id": f"o{n}",
            "n": n if n % 2 else n + 0.5,
            "state": "new" if n % 3 else "paid",
            "at": "2026-01-02T03:04:05Z",
            "note": None if n % 5 else "x",
            "lines": [{"sku": "a", "price": 1.5}, {"sku": "b"}],
            **({"extra": True} if n == 7 else {}),
        }
        for n in range(60)
    ]
    schema = infer(values)

    assert schema["required"] == ["at", "id", "lines", "n", "state"]
    assert schema["properties"]["state"] == {"type": "string", "enum": ["new", "paid"]}
    assert schema["properties"]["at"] == {"type": "string", "format": "date-time"}
    assert schema["properties"]["n"] == {"type": "number"}
    assert schema["properties"]["lines"]["items"]["required"] == ["sku"]
    assert list(schema_faults(schema)) == []
    made = plan("quarantine", schema=schema)
    assert all(judged([made], {"properties": one})[0] for one in values)


def test_a_draft_of_nothing_allows_everything():
    assert infer([]) == {"type": "object", "properties": {}}
