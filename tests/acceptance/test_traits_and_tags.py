"""Computed traits and tags: live on the profile, in its history, in the lake."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from onefold.app.answers import ChangeRow
from onefold.app.lake.tables import add_views, table_now
from onefold.app.profiles.finding import profile
from onefold.app.profiles.history import profile_changes
from onefold.app.questions.audiences import PreviewQuestion
from onefold.app.questions.preview import preview
from onefold.app.questions.query import sql
from onefold.engine import short_session
from onefold.model.errors import InvalidInput
from tests.acceptance.conftest import Stepped

ORDER = {"type": "track", "event": "Order Completed", "userId": "ann"}
DEFINED = """
kind: trait
name: orders
expression: count_of('Order Completed', last => interval 30 day)
---
kind: trait
name: spent
expression: sum_of('Order Completed', properties.revenue)
---
kind: tag
name: level
owner: Ann
cases:
  - value: gold
    when: spent > 100
  - value: silver
    when: orders >= 1
---
kind: segment
name: vips
rule: level = 'gold' and orders > 1
"""


def order(revenue: float) -> dict[str, Any]:
    return {**ORDER, "messageId": uuid4().hex, "properties": {"revenue": revenue}}


def seen(onefold: Stepped) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    found = profile(onefold.settings, "user_id:ann")
    own = {name: found.computed[name] for name in ("orders", "spent") if name in found.computed}
    return own, found.tags, [one.name for one in found.segments]


def test_they_follow_each_event(onefold: Stepped) -> None:
    onefold.define(DEFINED)
    onefold.take({"type": "identify", "userId": "ann", "traits": {"city": "Bonn"}})
    assert seen(onefold) == ({"orders": 0}, {}, [])
    onefold.take(order(60))
    assert seen(onefold) == ({"orders": 1, "spent": 60}, {"level": "silver"}, [])
    onefold.take(order(60.5))
    assert seen(onefold) == ({"orders": 2, "spent": 120.5}, {"level": "gold"}, ["vips"])


def test_new_definitions_are_evaluated_for_everybody(onefold: Stepped) -> None:
    onefold.take(order(60), order(60))
    onefold.define(DEFINED)
    onefold.settle()
    assert seen(onefold) == ({"orders": 2, "spent": 120}, {"level": "gold"}, ["vips"])
    cases = "[{value: any, when: orders > 1}, {value: gold, when: orders > 9}]"
    onefold.define(f"kind: tag\nname: level\ncases: {cases}\n")
    onefold.settle()
    assert seen(onefold)[1:] == ({"level": "any"}, [])


def test_what_is_taken_out_or_only_a_draft_has_no_value(onefold: Stepped) -> None:
    onefold.define(DEFINED)
    onefold.take(order(60))
    onefold.define("kind: tag\nname: level\nstate: draft\ncases: [{value: any}]\n")
    onefold.store.registry.put_definitions([], [("trait", "spent")], 1, "test")
    onefold.settle()
    assert seen(onefold) == ({"orders": 1}, {}, [])


def test_each_change_stands_in_the_history(onefold: Stepped) -> None:
    onefold.define(DEFINED)
    onefold.take(order(60))
    onefold.take(order(60))
    changes = profile_changes(onefold.settings, "user_id:ann").items
    assert [
        (one.what, one.name, one.old, one.new)
        for one in reversed(changes)
        if one.what in ("computed", "tag")
    ] == [
        ("computed", "orders", None, 1),
        ("computed", "spent", None, 60),
        ("tag", "level", None, "silver"),
        ("computed", "orders", 1, 2),
        ("computed", "spent", 60, 120),
        ("tag", "level", "silver", "gold"),
    ]


def test_they_are_in_the_tables(onefold: Stepped) -> None:
    onefold.define(DEFINED)
    onefold.take(order(60))
    found = sql(onefold.settings, "select computed, tags from profiles")
    assert found.rows == [('{"orders":1,"spent":60}', '{"level":"silver"}')]


def test_identifiers_that_become_one_person_add_up(onefold: Stepped) -> None:
    onefold.define(DEFINED)
    onefold.take(order(60), {**order(50), "userId": None, "anonymousId": "a1"})
    assert seen(onefold)[1] == {"level": "silver"}
    onefold.take({"type": "identify", "userId": "ann", "anonymousId": "a1"})
    assert seen(onefold) == ({"orders": 2, "spent": 110}, {"level": "gold"}, ["vips"])


def test_whatever_functions_count_the_same_event_it_is_counted(onefold: Stepped) -> None:
    onefold.define(
        "kind: trait\nname: orders\nexpression: count_of('Order Completed')\n---\n"
        "kind: trait\nname: amounts\nexpression: unique_of('Order Completed', properties.revenue)\n---\n"
        "kind: trait\nname: visits\nexpression: sessions('Order Completed')\n---\n"
        "kind: trait\nname: best\nexpression: max_of('Order Completed', properties.revenue)"
    )
    onefold.take(order(60), order(60), order(70))
    found = profile(onefold.settings, "user_id:ann").computed
    del found["event_count"], found["first_seen"], found["last_seen"]
    assert found == {"orders": 3, "amounts": 2, "visits": 1, "best": 70}


FAVORITE = """
kind: tag
name: favorite
product_preference:
  event: Order Completed
  property: products[].category
  days: 30
  least: 2
  otherwise: none yet
---
kind: segment
name: shoe-lovers
rule: favorite = 'Shoes'
"""


def test_what_somebody_buys_most_is_a_ready_made_tag(onefold: Stepped) -> None:
    def buys(*categories: str) -> tuple[dict[str, str], list[str], int]:
        products = [{"category": one} for one in categories]
        onefold.take({**order(1), "properties": {"products": products}})
        found = profile(onefold.settings, "user_id:ann")
        everybody = preview(onefold.settings, PreviewQuestion("favorite = 'Shoes'")).count
        return found.tags, [one.name for one in found.segments], everybody

    onefold.define(FAVORITE)
    long_ago = {
        "timestamp": "2020-01-01T00:00:00Z",
        "properties": {"products": [{"category": "Tie"}]},
    }
    onefold.take(*({**order(1), **long_ago} for _ in range(5)))
    assert buys("Shoes", "Shoes", "Hats") == ({"favorite": "none yet"}, [], 0)
    assert buys("Hats") == ({"favorite": "Hats"}, [], 0)  # as often: the first in the alphabet
    assert buys("Shoes", "Shoes") == ({"favorite": "Shoes"}, ["shoe-lovers"], 1)


@pytest.mark.parametrize(
    ("about", "fault"),
    [
        ("{property: price * 2}", "must be a property (for example: category, products[].cat"),
        ("{property: 'products[].category, 1'}", "must be a property"),
        ("{least: 0}", "must be from 1 to 1,000,000 events"),
        ("{days: 10000}", "must be from 1 to 3660 days"),
        ("{event: ''}", "must name an event"),
        ("{among: ['']}", "a value has 1 to 100 characters"),
        ("{propery: category}", "Object contains unknown field `propery`"),
    ],
)
def test_a_product_preference_that_cannot_be_is_refused(
    onefold: Stepped, about: str, fault: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        onefold.define(f"kind: tag\nname: favorite\nproduct_preference: {about}\n")
    assert fault in str(refused.value)


def test_what_changes_at_once_is_one_row_of_history_and_is_read_value_by_value(
    onefold: Stepped,
) -> None:
    onefold.define(DEFINED)
    onefold.take(order(60))
    onefold.take(order(60))
    stored = table_now(onefold.store, onefold.lake, "changes")
    with short_session() as engine:
        add_views(engine, {"changes": stored})
        rows = engine.rows(
            "stored",
            "select name, old, new from all_changes where what = 'computed' order by batch",
            {},
        )
    assert rows == [
        (None, '{"orders":null,"spent":null}', '{"orders":1,"spent":60}'),
        (None, '{"orders":1,"spent":60}', '{"orders":2,"spent":120}'),
    ]
    asked = "select name, old, new from changes where what = 'computed' order by batch, number"
    assert sql(onefold.settings, asked).rows == [
        ("orders", None, "1"),
        ("spent", None, "60"),
        ("orders", "1", "2"),
        ("spent", "60", "120"),
    ]
    pages: list[ChangeRow] = []
    cursor: str | None = ""
    while cursor is not None:
        page = profile_changes(onefold.settings, "user_id:ann", 1, cursor)
        pages += page.items
        cursor = page.next
    whole = profile_changes(onefold.settings, "user_id:ann").items
    assert pages == whole
    assert len({one.id for one in whole}) == len(whole)
