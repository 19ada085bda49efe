"""The canonical schema of a workspace: fields added to what is shipped, and entities of its own."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from onefold.app.definitions.applying import apply, put
from onefold.app.definitions.export import export
from onefold.app.definitions.files import read_text
from onefold.app.imports.importing import import_file
from onefold.app.imports.suggesting import suggest
from onefold.app.imports.wanted import Wanted
from onefold.app.profiles.history import profile_events
from onefold.model.errors import Conflict, InvalidInput
from tests.acceptance.conftest import Stepped

ENTITIES = """
kind: entity
name: order
fields:
  gift_wrap: {type: boolean, words: [Geschenk]}
---
kind: entity
name: subscription
event: Subscription Started
fields:
  subscription_id: {place: id, words: [Abonummer]}
  started_at: {place: time, words: [Abobeginn]}
  plan: {type: text, words: [Tarif]}
  store_id: {place: identifiers.store_id, words: [Filiale]}
"""
MAPPINGS = """
kind: source
name: shop
type: csv
mapping:
  to: order
  fields: {order_id: Beleg, user_id: Kunde, revenue: Summe, gift_wrap: Geschenk}
---
kind: source
name: abos
type: csv
mapping: subscriptions
---
kind: mapping
name: subscriptions
to: subscription
fields: {subscription_id: Abonummer, started_at: Abobeginn, user_id: Kundennummer, plan: Tarif}
"""
ABOS = "Abonummer,Abobeginn,Kundennummer,Tarif\nA1,2026-01-05,ann,gold\nA2,2026-01-06,bob,basic\n"


def test_records_become_what_the_schema_of_the_workspace_says(
    onefold: Stepped, tmp_path: Path
) -> None:
    onefold.define(f"{ENTITIES}---{MAPPINGS}")
    (orders := tmp_path / "orders.csv").write_text("Beleg,Kunde,Summe,Geschenk\n1,ann,5,ja\n")
    (abos := tmp_path / "abos.csv").write_text(ABOS)

    import_file(onefold.settings, Wanted(orders, "shop"), wait=False)
    import_file(onefold.settings, Wanted(abos, "abos"), wait=False)
    onefold.settle()

    found = profile_events(onefold.settings, "user_id:ann", 10, "").items
    told = {
        one["name"]: one["properties"] for one in msgspec.json.decode(msgspec.json.encode(found))
    }
    assert told == {
        "Order Completed": {"order_id": "1", "revenue": 5, "gift_wrap": True},
        "Subscription Started": {"subscription_id": "A1", "plan": "gold"},
    }


def test_a_mapping_to_it_is_suggested(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(ENTITIES)
    (abos := tmp_path / "abos.csv").write_text(ABOS)

    found = suggest(onefold.settings, Wanted(abos))

    assert found.body["event"] == "Subscription Started"
    assert {one.field: one.target for one in found.fields} == {
        "Abonummer": "id",
        "Abobeginn": "time",
        "Kundennummer": "identifiers.user_id",
        "Tarif": "properties.plan",
    }
    put(onefold.store, read_text(found.text), "test")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "kind: mapping\nname: m\nto: subscripton\nfields: {user_id: a}\n",
            ["'subscripton' is not in the canonical schema", "says of nobody whom it is about"],
        ),
        (
            "kind: entity\nname: order\ntype: track\nfields: {revenue: {}, gift: {place: trait.x, typ: text}}\n",
            [
                "'typ' is not known",
                "'trait.x' is no place in an event",
                "order is shipped: what it becomes is known",
                "revenue is shipped already",
            ],
        ),
        ("kind: entity\nname: Abo\nfields: {}\n", ["must have 1 to 200 fields", "an entity cannot be called 'Abo'"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_once(onefold: Stepped, text: str, told: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        onefold.define(text)
    assert sorted(one.message for one in refused.value.faults) == sorted(told)


def test_what_a_mapping_needs_stays(onefold: Stepped) -> None:
    onefold.define(f"{ENTITIES}---{MAPPINGS}")

    with pytest.raises(Conflict) as needed:
        put(onefold.store, read_text(""), "test", gone=[("entity", "subscription")])
    assert "is needed by mapping subscriptions" in str(needed.value.faults[0])
    with pytest.raises(InvalidInput) as left:
        onefold.define("kind: entity\nname: order\nfields: {other: {}}\n")
    assert "gift_wrap" in str(left.value.faults[0])
    with pytest.raises(InvalidInput):
        put(onefold.store, read_text(""), "test", gone=[("entity", "order")])
    other = "kind: source\nname: shop\ntype: csv\nmapping: subscriptions\n"
    onefold.define(f"kind: entity\nname: order\nfields: {{other: {{}}}}\n---\n{other}")


def test_it_goes_into_files_and_back(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(ENTITIES)
    export(onefold.settings, tmp_path)
    assert {one.name for one in (tmp_path / "entities").iterdir()} == {
        "order.yaml",
        "subscription.yaml",
    }
    assert apply(onefold.settings, tmp_path, prune=True).changes == ()
