"""Records of pulled sources become profiles, by the mapping of their source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from onefold.app.imports.importing import import_file
from onefold.app.imports.suggesting import suggest
from onefold.app.imports.wanted import Wanted
from onefold.app.profiles.finding import profile
from onefold.app.profiles.history import profile_events
from onefold.app.rejects import reject_list, reject_replay, reject_show
from onefold.app.replay import replay
from onefold.app.syncs.appending import append_batch
from onefold.app.workspace import now_us
from onefold.model.errors import NotFound
from onefold.model.pulled import Batch, Record, Unreadable
from tests.acceptance.conftest import Stepped

CRM = """
kind: source
name: crm
type: csv
country: DE
mapping:
  identifiers: {user_id: Nr, email: Mail, phone: Tel}
  traits: {first_name: Vorname, city: Ort}
"""

ORDERS = """
kind: source
name: shop
type: sql
mapping: orders
---
kind: mapping
name: orders
event: Order Completed
id: number
time: paid
identifiers: {user_id: who}
properties: {order_id: number, revenue: total, currency: {constant: EUR}}
"""


def pull(onefold: Stepped, *rows: dict[str, Any], source: str = "crm") -> None:
    records = [Record(row, "customers", f"row {number}") for number, row in enumerate(rows)]
    append_batch(onefold.log, source, Batch(records, {}), at=now_us(), load="load-1")
    onefold.settle()


def traits(onefold: Stepped, identifier: str) -> dict[str, Any]:
    return profile(onefold.settings, identifier).traits


ANN = {"Nr": "17", "Mail": "Ann@Example.com", "Tel": "0171 2345678", "Vorname": " Ann ", "Ort": ""}


def test_a_record_becomes_a_profile(onefold: Stepped) -> None:
    onefold.define(CRM)

    pull(onefold, ANN)

    assert traits(onefold, "phone:+491712345678") == {
        "first_name": "Ann",
        "email": "Ann@Example.com",
        "phone": "0171 2345678",
    }


def test_what_is_read_again_counts_once(onefold: Stepped) -> None:
    onefold.define(CRM)
    pull(onefold, ANN)
    pull(onefold, ANN)

    replay(onefold.settings)
    onefold.settle()

    assert profile(onefold.settings, "user_id:17").computed["event_count"] == 1


def test_orders_are_events_with_properties(onefold: Stepped) -> None:
    onefold.define(ORDERS)

    pull(
        onefold,
        {"number": "A1", "who": "17", "total": 9.5, "paid": "2026-01-02T10:00:00Z"},
        source="shop",
    )

    (event,) = profile_events(onefold.settings, "user_id:17").items
    assert (event.name, event.time) == ("Order Completed", 1_767_348_000_000_000)
    assert event.properties == {"order_id": "A1", "revenue": 9.5, "currency": "EUR"}


def test_records_without_a_mapping_wait_as_rejects(onefold: Stepped) -> None:
    pull(onefold, ANN)
    (reject,) = reject_list(onefold.settings)
    assert reject.reasons == (
        "mapping: the source 'crm' has no mapping (give its definition one, then replay this)",
    )

    onefold.define(CRM)
    reject_replay(onefold.settings)
    onefold.settle()

    assert reject_list(onefold.settings) == []
    assert traits(onefold, "user_id:17")["first_name"] == "Ann"


def test_a_record_of_nobody_is_a_reject_with_the_record(onefold: Stepped) -> None:
    onefold.define(CRM)

    pull(onefold, ANN, {"Nr": "", "Mail": "none", "Vorname": "Bob"})

    (reject,) = reject_list(onefold.settings)
    assert reject.reasons[0].startswith("userId: is missing or empty")
    assert '"Vorname":"Bob"' in reject_show(onefold.settings, reject.id).raw


def test_what_was_no_record_is_kept_as_it_stood(onefold: Stepped) -> None:
    onefold.define(CRM)
    unreadable = Unreadable(b"17,Ann,too,many", "customers", "row 3", ("has 4 fields, not 3",))

    append_batch(onefold.log, "crm", Batch([], {}, (unreadable,)), at=now_us())
    onefold.settle()

    (reject,) = reject_list(onefold.settings)
    assert reject.reasons == ("customers row 3: has 4 fields, not 3",)
    assert reject_show(onefold.settings, reject.id).raw == "17,Ann,too,many"


def test_a_mapping_is_suggested_for_a_file_and_can_be_put_in_force(
    onefold: Stepped, tmp_path: Path
) -> None:
    onefold.take({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.com"}})
    file = tmp_path / "kunden.csv"
    file.write_text(
        "x1;Vorname;Geburtsdatum\nann@example.com;Ann;31.12.1980\nb@c.de;Ben;1.2.1990\n"
    )

    found = suggest(onefold.settings, Wanted(file))

    assert [(one.target, one.reason) for one in found.fields] == [
        ("identifiers.email", "50% of its values are known as email"),
        ("traits.first_name", "its name"),
        ("traits.birth_date", "its name; its dates are written dmy"),
    ]
    onefold.define(found.text)
    assert found.rows == 2


def test_a_suggested_mapping_reaches_into_the_objects_of_records(
    onefold: Stepped, tmp_path: Path
) -> None:
    file = tmp_path / "orders.json"
    home = {"city": "Bonn", "zip": "53111"}
    orders = [
        {
            "customer": {"no": str(number), "mail": f"u{number}@example.com", "address": home},
            "shop": {"city": "Berlin"},
            "total": f"{number},50",
            "lines": [{"sku": "tea"}],
        }
        for number in range(10)
    ]
    file.write_text(json.dumps({"orders": orders}))

    found = suggest(onefold.settings, Wanted(file))

    assert {one.field: one.target for one in found.fields} == {
        "customer.no": "identifiers.user_id",
        "customer.mail": "identifiers.email",
        "customer.address.city": "traits.city",
        "customer.address.zip": "traits.postal_code",
        "shop.city": "",
        "total": "",
    }
    onefold.define(found.text)
    import_file(onefold.settings, Wanted(file, mapping="orders"), wait=False)
    onefold.settle()
    assert profile(onefold.settings, "email:u3@example.com").traits["city"] == "Bonn"


def test_expressions_choose_records_and_make_values(onefold: Stepped) -> None:
    onefold.define("""
kind: source
name: crm
type: csv
mapping:
  when: state <> 'test' and points > 10
  identifiers: {user_id: Nr}
  traits: {level: {sql: "case when points > 100 then 'gold' else 'silver' end"}}
""")

    rows = [{"Nr": f"n{number}", "state": "live", "points": str(number)} for number in range(200)]
    pull(onefold, *rows, {"Nr": "t", "state": "test", "points": 500})

    assert traits(onefold, "user_id:n101") == {"level": "gold"}
    assert traits(onefold, "user_id:n11") == {"level": "silver"}
    for missing in ("user_id:n10", "user_id:t"):
        with pytest.raises(NotFound):
            traits(onefold, missing)
