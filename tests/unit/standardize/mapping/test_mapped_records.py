"""What records become: each transformation, several events, lists in records, deletes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from onefold.app.syncs.appending import payloads_of
from onefold.engine import DuckEngine
from onefold.model.errors import Fault
from onefold.model.mapping import SourceDefinition
from onefold.model.pulled import Batch, Record
from onefold.model.records import Event, Reject, decode_accepted
from onefold.pipeline import RecordExpressions
from onefold.standardize import Mappings, standardize
from onefold.standardize.mapping import read_mapping

NOW = 1_790_000_000_000_000
WHO = {"identifiers": {"user_id": "no"}}


def mapped(
    body: dict[str, Any], *records: Record | dict[str, Any], load: str = ""
) -> tuple[list[Event], list[Reject]]:
    faults: list[Fault] = []
    mapping = read_mapping("m", body, faults)
    assert not faults, [str(one) for one in faults]
    engine = DuckEngine(threads=1)
    try:
        ask = RecordExpressions(engine, "UTC").ask
        source = SourceDefinition(name="s", type="csv", mapping=mapping)
        given = [
            one if isinstance(one, Record) else Record(one, "t", f"row {number}")
            for number, one in enumerate(records)
        ]
        payloads = payloads_of("s", Batch(given, {}), at=NOW, load=load)
        accepted = [decode_accepted(one) for one in payloads]
        return standardize(accepted, {}, None, Mappings([], [source], ask))
    finally:
        engine.close()


def value_of(field: Any, record: dict[str, Any]) -> Any:
    """What a field gives; what is wrong with it, if anything."""
    events, rejects = mapped({**WHO, "traits": {"x": field}}, {"no": "1", **record})
    if rejects:
        return rejects[0].reasons[0]
    return events[0].traits.get("x", "absent")


@pytest.mark.parametrize(
    ("field", "record", "value"),
    [
        ("a", {"a": " b "}, "b"),
        ("a", {"a": "  "}, "absent"),
        ("a", {}, "absent"),
        ("a.b", {"a": {"b": 1}}, 1),
        ("a.b", {"a.b": 2, "a": {"b": 1}}, 2),
        ("a.1.b", {"a": [{}, {"b": 3}]}, 3),
        (["a", "b"], {"a": "", "b": "second"}, "second"),
        ({"constant": 7}, {}, 7),
        ({"join": ["a", "b", "c"], "with": "-"}, {"a": "x", "c": 3}, "x-3"),
        ({"from": "a", "split": ",", "part": 2}, {"a": "Li, Wei"}, "Wei"),
        ({"from": "a", "split": ",", "part": -1}, {"a": "Li, Wei"}, "Wei"),
        ({"from": "a", "split": ",", "part": 3}, {"a": "Li, Wei"}, "absent"),
        ({"from": "a", "split": ";", "part": 0}, {"a": "x; y;"}, ["x", "y"]),
        ({"from": "a", "split": ";", "part": 0, "type": "number"}, {"a": "1;2.5"}, [1, 2.5]),
        ({"from": "a", "lookup": {"1": "gold"}}, {"a": 1}, "gold"),
        ({"from": "a", "lookup": {"1": "gold"}, "otherwise": "none"}, {"a": 2}, "none"),
        ({"from": "a", "type": "text"}, {"a": 17.0}, "17"),
        ({"from": "a", "type": "integer"}, {"a": "1,000", "b": 1}, "wrong"),
        ({"from": "a", "type": "integer", "decimal": "."}, {"a": "1,000"}, 1000),
        ({"from": "a", "decimal": ","}, {"a": "1.234,5 €"}, 1234.5),
        ({"from": "a", "type": "number"}, {"a": "１２３"}, 123),
        ({"from": "a", "type": "number"}, {"a": str(2**63 - 1)}, 2**63 - 1),
        ({"from": "a", "type": "number"}, {"a": str(2**63)}, 2.0**63),
        ({"from": "a", "type": "boolean"}, {"a": "Nein"}, False),
        ({"from": "a", "type": "date"}, {"a": "31.12.2025"}, "2025-12-31"),
        ({"from": "a", "format": "dd/MM/yyyy"}, {"a": "03/04/2026"}, "2026-04-03"),
        ({"from": "a", "type": "date", "format": "mdy"}, {"a": "03/04/2026"}, "2026-03-04"),
        ({"from": "a", "type": "date", "format": "excel"}, {"a": 46023}, "2026-01-01"),
        ({"from": "a", "type": "date"}, {"a": "9999-12-31"}, "absent"),
        ({"from": "a", "type": "time"}, {"a": "2026-01-01 08:00"}, "2026-01-01T08:00:00Z"),
        (
            {"from": "a", "type": "time", "format": ["yyyyMMddHHmmss"]},
            {"a": "20260101080000"},
            "2026-01-01T08:00:00Z",
        ),
        ({"from": "a", "unit": {"from": "in", "to": "cm"}}, {"a": "10"}, 25.4),
        ({"from": "a", "type": "list"}, {"a": "x"}, ["x"]),
        ({"from": "a", "type": "json"}, {"a": '{"b": 1}'}, {"b": 1}),
        ({"from": "a", "default": "none"}, {"a": ""}, "none"),
        ({"from": "a", "empty": "clear"}, {"a": ""}, None),
        ({"from": "a", "empty": "clear"}, {}, "absent"),
        ({"from": "a", "when": "b > 1"}, {"a": "x", "b": "2"}, "x"),
        ({"from": "a", "when": "b > 1"}, {"a": "x", "b": None}, "absent"),
        ({"sql": "upper(a)"}, {"a": "x"}, "X"),
        ({"sql": "a + 1"}, {"a": "2"}, 3),
        ({"sql": "date '2026-01-01' + interval 1 day"}, {}, "2026-01-02"),
    ],
)
def test_a_field_gives_a_value(field: Any, record: dict[str, Any], value: Any) -> None:
    found = value_of(field, record)
    if value == "wrong":
        assert found.startswith("traits.x: ")
    else:
        assert found == value


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ({"from": "a", "type": "number"}, "many", "'many' is not a number"),
        ({"from": "a", "type": "number"}, True, "True is not a number"),
        ({"from": "a", "type": "number"}, "1" * 400, "is no number that can be kept"),
        ({"from": "a", "type": "integer"}, "1" * 5_000, "is no number that can be kept"),
        ({"from": "a", "type": "number"}, 10**400, "is no number that can be kept"),
        ({"from": "a", "type": "number"}, "-1e999", "'-1e999' is no number that can be kept"),
        ({"from": "a", "type": "date"}, "03/04/2026", "may be two different days"),
        ({"from": "a", "type": "date"}, "soon", "'soon' is not a date"),
        ({"from": "a", "type": "time"}, "soon", "'soon' is not a time"),
        ({"from": "a", "lookup": {"1": "gold"}}, "2", "'2' is not in the lookup"),
        ({"from": "a", "type": "json"}, "{", "is not JSON"),
        ({"from": "a", "format": "yyyy"}, "x", "'x' has none of its formats"),
    ],
)
def test_what_cannot_be_read_rejects_the_record(field: Any, value: Any, reason: str) -> None:
    assert reason in value_of(field, {"a": value})


def test_a_record_is_rejected_with_all_its_faults_and_gives_no_event() -> None:
    number = {"from": "a", "type": "number"}
    events, (reject,) = mapped(
        {**WHO, "traits": {"x": number, "y": {**number, "from": "b"}}},
        {"no": 1, "a": "q", "b": "r"},
    )
    assert events == []
    assert reject.reasons == (
        "traits.x: 'q' is not a number",
        "traits.y: 'r' is not a number",
    )
    assert msgspec.json.decode(reject.raw)["records"][0]["fields"] == {"no": 1, "a": "q", "b": "r"}


def test_one_record_may_be_several_events_each_under_its_condition() -> None:
    order = {**WHO, "event": "Order Placed", "id": "order", "time": "placed"}
    paid = {**WHO, "event": "Order Paid", "id": "order", "when": "status = 'paid'"}
    row = {"no": "1", "order": "A", "placed": "2026-01-01"}
    body = {"events": [order, paid]}
    events, _ = mapped(body, {**row, "status": "open"}, {**row, "order": "B", "status": "paid"})
    assert [(one.name, one.message_id) for one in events] == [
        ("Order Placed", "A-Order Placed"),
        ("Order Placed", "B-Order Placed"),
        ("Order Paid", "B-Order Paid"),
    ]


def test_items_of_a_list_are_events_that_see_the_record() -> None:
    body = {
        **WHO,
        "event": "Product Bought",
        "each": "order.lines",
        "properties": {"sku": "sku", "order": "parent.id", "id": "id"},
    }
    lines = [{"sku": "A", "id": 1}, {"sku": "B", "id": 2}, "no object"]
    events, rejects = mapped(body, {"no": "1", "id": "O", "order": {"lines": lines}}, {"no": "2"})
    assert [msgspec.json.decode(one.properties) for one in events] == [
        {"sku": "A", "order": "O", "id": 1},
        {"sku": "B", "order": "O", "id": 2},
    ]
    assert len({one.message_id for one in events}) == 2
    assert rejects == []


def test_streams_choose_the_records() -> None:
    body = {"events": [{**WHO, "streams": "cust*"}, {**WHO, "event": "Sold", "streams": ["sales"]}]}
    events, _ = mapped(body, Record({"no": 1}, "customers", "1"), Record({"no": 1}, "sales", "1"))
    assert [one.name for one in events] == ["identify", "Sold"]


@pytest.mark.parametrize(
    ("delete", "said"),
    [
        ("ignore", []),
        ("close", [("Record Deleted", {}, '{"stream":"t","place":"1"}')]),
        ("forget", [("identify", {"city": None}, "{}")]),
    ],
)
def test_a_delete_says_what_the_mapping_says(delete: str, said: list[Any]) -> None:
    body = {**WHO, "traits": {"city": "city"}, "delete": delete}
    gone = Record({"no": "1"}, "t", "1", "delete", NOW, {"no": "1", "city": "Bonn"})
    events, _ = mapped(body, gone)
    assert [
        (one.name, {} if one.name != "identify" else one.traits, one.properties) for one in events
    ] == said


SAID = {
    "ignore": [],
    "close": [("Record Deleted", {}, '{"stream":"t","place":"row 0"}')],
    "forget": [("identify", {"city": None, "email": None}, "{}")],
}


def told(events: list[Event]) -> list[Any]:
    return [
        (one.name, one.traits if one.name == "identify" else {}, one.properties) for one in events
    ]


@pytest.mark.parametrize("delete", SAID)
@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        ("IsDeleted = true", {"IsDeleted": True, "city": "Bonn", "email": "a@example.com"}),
        ("IsDeleted = true", {"IsDeleted": "true", "city": "Bonn", "email": "a@example.com"}),
        ("deleted = true", {"deleted": True}),
        ("deleted_at is not null", {"deleted_at": "2026-03-01", "city": "Bonn"}),
        ("true", {}),
    ],
    ids=["flag", "flag as text", "only its id is left", "time", "a list of what is deleted"],
)
def test_a_record_that_says_itself_that_it_is_deleted_is(
    delete: str, condition: str, fields: dict[str, Any]
) -> None:
    body = {
        "identifiers": {"user_id": "no", "email": "email"},
        "traits": {"city": "city"},
        "delete": delete,
        "deleted_when": condition,
    }
    events, rejects = mapped(body, {"no": "1", **fields})
    assert (told(events), rejects) == (SAID[delete], [])


def test_a_record_that_does_not_say_that_it_is_deleted_is_not() -> None:
    body = {
        "events": [
            {**WHO, "traits": {"city": "city"}, "delete": "close", "deleted_when": "gone = true"},
            {**WHO, "event": "Seen", "when": "city = 'Ulm'", "deleted_when": "gone = true"},
        ]
    }
    records = [{"no": "1", "city": "Ulm", "gone": gone} for gone in (False, None, True)]
    events, _ = mapped(body, *records, {"no": "1", "city": "Ulm"})
    assert [one.name for one in events] == [
        *("identify", "identify", "Record Deleted", "identify"),
        *("Seen", "Seen", "Seen"),
    ]


def test_a_record_that_stays_deleted_is_closed_once_however_often_it_is_read() -> None:
    body = {**WHO, "delete": "close", "deleted_when": "gone = true"}
    ids = {mapped(body, {"no": "1", "gone": True}, load=load)[0][0].message_id for load in "12"}
    restored = mapped(body, {"no": "1", "gone": False}, load="3")[0][0]
    assert (len(ids), restored.name) == (1, "identify")


def test_what_is_deleted_and_says_only_which_it_was_is_forgotten_whole() -> None:
    body = {**WHO, "traits": {"city": "city", "name": "name"}, "delete": "forget"}
    events, _ = mapped(body, Record({"no": "1"}, "t", "row 0", "delete", NOW, {"no": "1"}))
    empty, _ = mapped(body, Record({"no": "1", "city": None, "name": "A"}, "t", "1", "delete", NOW))
    assert [events[0].traits, empty[0].traits] == [{"city": None, "name": None}, {"name": None}]


def test_the_time_of_a_record_is_that_of_its_event_to_the_microsecond() -> None:
    events, _ = mapped(WHO, Record({"no": 1}, "t", "1", "update", 86_400_000_001))
    assert events[0].time == 86_400_000_001


def test_what_was_said_before_and_otherwise_meanwhile_is_said_again_by_the_next_load() -> None:
    body = {**WHO, "traits": {"city": "city"}}
    ids = [mapped(body, {"no": "1", "city": "Bonn"}, load=load)[0][0].message_id for load in "112"]
    assert ids[0] == ids[1] != ids[2]


def test_an_event_says_where_it_comes_from() -> None:
    (event,), _ = mapped(WHO, {"no": "1"}, load="L")
    assert msgspec.json.decode(event.context) == {
        "load": "L",
        "mapping": "m",
        "mapping_version": 1,
        "stream": "t",
        "place": "row 0",
    }


def test_what_no_column_can_hold_is_cleaned() -> None:
    body = {**WHO, "traits": {"x": "x", "y": "y"}}
    (event,), _ = mapped(body, {"no": "1", "x": "a\0b", "y": 2**70})
    assert event.traits == {"x": "ab", "y": str(2**70)}


@pytest.mark.parametrize(
    "traits",
    [
        {"x": "big", "y": "big"},
        {"x": {"constant": "a" * 40_000}},
        {"x": {"join": ["big"] * 3}},
        {"x": {"from": "no", "lookup": {"1": "a" * 40_000}}},
    ],
)
def test_an_event_that_is_too_large_is_rejected(traits: dict[str, Any]) -> None:
    events, (reject,) = mapped({**WHO, "traits": traits}, {"no": "1", "big": "a" * 20_000})
    assert events == []
    assert "at most 32,768 are taken" in reject.reasons[0]
