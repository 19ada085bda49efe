"""A mapping to an entity of the canonical schema names its fields only."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.model.errors import Fault
from onefold.standardize.mapping import read_mapping
from onefold.standardize.mapping.canonical import CANONICAL

LONG = {
    "type": "track",
    "event": "Order Completed",
    "id": {"from": "Beleg", "type": "text"},
    "time": "Datum",
    "identifiers": {"user_id": {"from": "Kunde", "type": "text"}},
    "properties": {
        "order_id": {"from": "Beleg", "type": "text"},
        "revenue": {"from": "Summe", "decimal": ",", "type": "number"},
        "till": "Kasse",
    },
}
SHORT = {
    "to": "order",
    "fields": {
        "order_id": "Beleg",
        "ordered_at": "Datum",
        "user_id": "Kunde",
        "revenue": {"from": "Summe", "decimal": ","},
    },
    "properties": {"till": "Kasse"},
}


def read(body: dict[str, Any]) -> Any:
    faults: list[Fault] = []
    found = read_mapping("m", body, faults)
    return [str(one) for one in faults] or found


def test_it_is_what_would_be_written_out() -> None:
    assert read(SHORT) == read(LONG)


@pytest.mark.parametrize("entity", CANONICAL)
def test_every_entity_with_all_its_fields_is_a_mapping(entity: str) -> None:
    fields = {name: f"field of {name}" for name in CANONICAL[entity].fields}
    (event,) = read({"to": entity, "fields": fields}).events
    assert event.type == CANONICAL[entity].type


def test_a_field_that_it_lacks_is_told_with_the_nearest() -> None:
    (fault,) = read({"to": "order", "fields": {"user_id": "a", "revenu": "b"}})
    assert fault.startswith(
        "fields.revenu: order has no 'revenu' (did you mean 'revenue'?; what it"
    )
    (fault,) = read({"to": "invoice", "fields": {}, "identifiers": {"user_id": "a"}})
    assert fault.startswith("to: 'invoice' is not in the canonical schema (use one of person,")
