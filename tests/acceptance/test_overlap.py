"""How segments overlap, and how one differs from everybody else."""

from __future__ import annotations

from onefold.app.questions.audiences import (
    CompareQuestion,
    OverlapQuestion,
    Pair,
    Part,
    PreviewQuestion,
    ValueCount,
)
from onefold.app.questions.compare import compare
from onefold.app.questions.overlap import overlap
from onefold.app.questions.preview import preview
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_preview import order, people, person
from tests.acceptance.test_refreshing import refresh


def test_every_part_is_counted_once(onefold: Stepped) -> None:
    people(onefold)
    onefold.define("kind: segment\nname: chinese\nrule: country = 'CN'\n")
    onefold.settle()
    rules = {
        "chinese": "segment:chinese",
        "twice": "count_of('Order Completed') >= 2",
        "opened": "did('Email Opened')",
    }
    found = overlap(onefold.settings, OverlapQuestion(rules))
    assert found.sizes == {"chinese": 3, "twice": 3, "opened": 1}
    assert (found.total, found.none) == (4, 0)
    assert set(found.parts) == {
        Part(("chinese", "twice", "opened"), 1),
        Part(("chinese", "twice"), 1),
        Part(("chinese",), 1),
        Part(("twice",), 1),
    }
    assert found.pairs[0] == Pair("chinese", "twice", 2, 0.5)


def test_what_differs_most_comes_first(onefold: Stepped) -> None:
    onefold.take(
        *(
            person(
                f"m{n}", tier="gold" if n < 9 else "basic", age=40 + n, city="X" if n % 2 else "Y"
            )
            for n in range(10)
        ),
        *(
            person(
                f"o{n}", tier="gold" if n < 1 else "basic", age=30 + n, city="X" if n % 2 else "Y"
            )
            for n in range(20)
        ),
        *(order(f"m{n}", number) for n in range(10) for number in range(n % 3 + 1)),
        order("o1", 1),
    )
    found = compare(onefold.settings, CompareQuestion("age >= 40 and did('Order Completed')"))
    assert (found.members, found.others) == (10, 20)
    by = {(one.kind, one.what, one.value): one for one in found.differences}
    gold = by["value", "tier", "gold"]
    assert (gold.members, gold.others, gold.lift) == (0.9, 0.05, 18.0)
    did = by["event", "Order Completed", None]
    assert (did.members, did.others) == (1.0, 0.05)
    assert by["events", "Order Completed", None].members == 1.9
    age = by["average", "age", None]
    assert (age.members, age.others) == (44.5, 39.5)
    assert abs(by["value", "city", "X"].difference) < 0.01
    order_of = [(one.kind, one.what) for one in found.differences]
    assert order_of.index(("value", "tier")) < order_of.index(("value", "city"))


def test_nobody_can_be_compared_with_everybody(onefold: Stepped) -> None:
    people(onefold)
    found = compare(onefold.settings, CompareQuestion("country = 'Atlantis'"))
    assert (found.members, found.others, found.members_seen) == (0, 4, 0)
    everybody = compare(onefold.settings, CompareQuestion("country is not null", ("city",), 7, 3))
    assert (everybody.members, everybody.others) == (4, 0)
    assert len(everybody.differences) <= 3


def test_tags_and_computed_traits_are_compared_by_what_they_are(onefold: Stepped) -> None:
    people(onefold)
    onefold.define(
        "kind: trait\nname: orders\nexpression: count_of('Order Completed')\n---\n"
        "kind: tag\nname: level\ncases: [{value: twice, when: orders > 1}, {value: less}]\n---\n"
        "kind: tag\nname: buyer\nrank: {by: orders, top: {many: 80}, otherwise: few}\n"
    )
    onefold.settle()
    refresh(onefold, "buyer")
    found = compare(onefold.settings, CompareQuestion("orders = 2"))
    by = {(one.what, one.value): (one.members, one.others) for one in found.differences}
    assert by["level", "twice"] == (1.0, 0.0)
    assert by["orders", "1"] == (0.0, 1.0)
    assert by["buyer", "few"] == (0.0, 1.0)
    assert not [one.what for one in found.differences if one.what.startswith("$")]
    asked = compare(onefold.settings, CompareQuestion("orders = 2", ("level",)))
    assert {one.what for one in asked.differences if one.kind == "value"} == {"level"}


def test_a_preview_is_broken_down_by_tags_and_computed_traits(onefold: Stepped) -> None:
    people(onefold)
    onefold.define(
        "kind: trait\nname: orders\nexpression: count_of('Order Completed')\n---\n"
        "kind: tag\nname: level\ncases: [{value: twice, when: orders > 1}]\n"
    )
    onefold.settle()
    found = preview(
        onefold.settings, PreviewQuestion("country is not null", 0, ("level", "orders"))
    )
    assert [one.values for one in found.by] == [
        (ValueCount("twice", 3),),
        (ValueCount("2", 3), ValueCount("1", 1)),
    ]
    assert [one.absent for one in found.by] == [1, 0]
