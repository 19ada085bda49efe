"""Tracking plans from their definition to what is told of events that break them."""

from __future__ import annotations

import msgspec
import pytest

from onefold.app.definitions.rehearsal import run_tests
from onefold.app.questions.drafting import plan_draft
from onefold.app.rejects import reject_list, reject_replay
from onefold.app.tracking_plans import violation_list
from onefold.app.worker.read_ahead import parts_of, prepared_from
from onefold.config import Settings
from onefold.eventlog import LogRecord
from onefold.model.errors import InvalidInput, NotFound
from onefold.model.plans import TrackingPlan
from onefold.model.records import Accepted, encode_accepted
from onefold.pipeline import prepare
from onefold.standardize import Plans, Wording

PLAN = """
kind: tracking_plan
name: orders
event: Order
mode: {mode}
schema:
  required: [order_id]
  properties:
    order_id: {{type: string}}
    revenue: {{type: number}}
"""


def order(number: int, **properties: object) -> dict[str, object]:
    return {
        "type": "track",
        "event": "Order",
        "userId": f"u{number}",
        "messageId": f"m{number}",
        "properties": properties,
    }


def test_violations_are_counted_once_by_plan_source_event_and_field(onefold):
    onefold.define(PLAN.format(mode="observe"))
    onefold.take(order(1, revenue="x"), order(2, order_id="o"), order(3, order_id="o", revenue="y"))
    onefold.take(order(1, revenue="x"), order(3, order_id="o", revenue="y"))

    found = violation_list(onefold.settings)
    assert [
        (one.plan, one.source, one.event, one.field, one.fault, one.events) for one in found
    ] == [
        ("orders", "default", "Order", "revenue", "type", 2),
        ("orders", "default", "Order", "order_id", "required", 1),
    ]
    assert violation_list(onefold.settings, source="other") == []
    assert len(violation_list(onefold.settings, by_hour=True)) >= 2
    assert onefold.store.counters()["events"] == 3


def test_what_is_quarantined_comes_back_when_the_plan_is_mended(onefold):
    onefold.define(PLAN.format(mode="quarantine"))
    onefold.take(order(1, revenue="x"))
    assert onefold.store.counters().get("events", 0) == 0
    assert len(reject_list(onefold.settings)) == 1

    onefold.define(PLAN.format(mode="flag"))
    reject_replay(onefold.settings)
    onefold.settle()
    assert onefold.store.counters()["events"] == 1
    assert {one.version for one in violation_list(onefold.settings)} == {1, 2}


def test_a_batch_prepared_ahead_tells_the_same():
    plan = TrackingPlan(name="orders", event="Order", schema={"required": ["order_id"]})
    body = msgspec.json.encode({"batch": [order(1), order(1), order(2, order_id="o")]})
    record = LogRecord("web-1", 0, 1, encode_accepted(Accepted("shop", 1, "batch", body)))
    made = prepare([record], b"k" * 32, Wording(plans=Plans([plan])))

    assert len(made.violations) == 1
    assert list(prepared_from(parts_of(made)).violations) == list(made.violations)


def test_a_plan_is_drafted_from_what_came_in(onefold):
    onefold.take(*(order(number, order_id=f"o{number}", revenue=1.5) for number in range(5)))

    draft = plan_draft(onefold.settings, "Order")
    assert draft.events == 5
    assert draft.definition["schema"]["required"] == ["order_id", "revenue"]
    onefold.define(draft.yaml.replace("observe", "quarantine"))
    onefold.take(order(7, order_id="o7", revenue=2.5), order(8, revenue=2.5))
    assert onefold.store.counters()["events"] == 6
    with pytest.raises(NotFound):
        plan_draft(onefold.settings, "Nothing")


SAMPLES = """samples:
  - event: {properties: {order_id: o, revenue: 1}}
  - event: {properties: {revenue: x}}
    faults: [order_id, revenue]
"""


def test_samples_of_a_plan_are_tests(tmp_path):
    file = tmp_path / "orders.yaml"
    file.write_text(PLAN.format(mode="observe") + SAMPLES)
    report = run_tests(Settings(), tmp_path)
    assert (report.cases, report.failures) == (2, ())

    file.write_text(
        file.read_text().replace("faults: [order_id, revenue]", "faults: [order_id, x]")
    )
    (failure,) = run_tests(Settings(), tmp_path).failures
    assert failure.name == "orders, sample 2"
    assert failure.where.startswith("orders.yaml:")
    assert [problem.partition(":")[0] for problem in failure.problems] == [
        "properties.revenue",
        "x",
    ]


def test_the_events_of_a_file_are_held_against_the_plans(tmp_path):
    (tmp_path / "orders.yaml").write_text(PLAN.format(mode="observe"))
    events = tmp_path / "events.ndjson"
    lines = [order(1, order_id="o"), order(2), {"batch": [order(3, order_id=3)]}, {"type": "track"}]
    events.write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    report = run_tests(Settings(), tmp_path, events=events)

    assert [(one.name, one.where) for one in report.failures] == [
        ("Order", "events.ndjson:2"),
        ("Order", "events.ndjson:3"),
        ("not an event", "events.ndjson:4"),
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (PLAN.format(mode="shout"), "mode"),
        (PLAN.format(mode="flag").replace("event: Order", "type: identify\nevent: x"), "event"),
        (PLAN.format(mode="flag").replace("event: Order", ""), "event"),
        (PLAN.format(mode="flag").replace("type: number", "type: nuber"), "schema"),
        (PLAN.format(mode="flag") + "sources: web", "sources"),
        (PLAN.format(mode="flag") + "samples: [{faults: [x]}]", "samples[0]"),
        (PLAN.format(mode="flag") + "schemas: {}", "schemas"),
    ],
)
def test_every_fault_of_a_plan_is_told(onefold, text, where):
    with pytest.raises(InvalidInput) as told:
        onefold.define(text)
    assert where in str(told.value)


def test_names_made_up_by_senders_do_not_fill_the_store(onefold, monkeypatch):
    monkeypatch.setattr("onefold.store.violations._MOST_AN_HOUR", 20)
    onefold.define(PLAN.format(mode="observe") + "  additionalProperties: false\n")
    made_up = [order(n, order_id="o", **{f"field {n}": 1}) for n in range(60)]
    onefold.take(*made_up[:30])
    onefold.take(*made_up[30:], order(99, order_id="o", **{"field 1": 1}))

    found = {one.field: one.events for one in violation_list(onefold.settings)}
    assert len(found) == 21
    assert (found["(more)"], found["field 1"]) == (40, 2)
