"""Who wins by each rule; and that neither order, nor repetition, nor the split into nodes' lists matters."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from onefold.model.definitions import TraitDefinition
from onefold.model.golden import Bounds, Survivorship, Way
from onefold.model.profile import Statement
from onefold.unify import GoldenRules, Unit, add_claims, golden_record, refitted
from onefold.unify.explain import explain
from onefold.unify.validity import check_of

SOURCES = ("crm", "shop", "app")


def one(way: Survivorship, check: TraitDefinition | None = None) -> GoldenRules:
    """Rules for the trait x."""
    checks = {"x": found} if check and (found := check_of(check, lambda value: value)) else {}
    return GoldenRules([Unit("x", ("x",), way, checks)])


def told(rules: GoldenRules, *claims: tuple[str, Any]) -> Any:
    """The golden x of claims that sources make one after the other."""
    node: list[Statement] = []
    for time, (source, value) in enumerate(claims):
        add_claims(node, Statement(source, time, f"m{time}", True, {"x": value}), rules)
    won = golden_record([node], rules).traits.get("x")
    return None if won is None else won.value


CASES: list[tuple[Survivorship, list[tuple[str, Any]], Any]] = [
    (Survivorship("latest"), [("a", 1), ("b", 2)], 2),
    (Survivorship("source_priority", ("b", "a")), [("b", 1), ("a", 2), ("c", 3)], 1),
    (Survivorship("source_priority", ("b",)), [("a", 1), ("c", 3)], 3),
    (Survivorship("source_priority", ("b",)), [("b", 1), ("a", 2), ("b", None)], 2),
    (Survivorship("most_frequent"), [("a", 1), ("b", 1), ("a", 2)], 1),
    (Survivorship("most_frequent"), [("a", 1), ("a", 2)], 2),
    (Survivorship("most_frequent", of="last"), [("a", 1), ("a", 1), ("a", 2), ("b", 2)], 2),
    (Survivorship("longest"), [("a", "Anna Maria"), ("b", "Anna")], "Anna Maria"),
    (Survivorship("most_complete"), [("a", {"s": 1, "c": 2}), ("b", {"s": 1, "c": ""})],
     {"s": 1, "c": 2}),
    (Survivorship("minimum"), [("a", 3), ("a", 1), ("b", 2)], 1),
    (Survivorship("minimum", of="last"), [("a", 1), ("a", 3), ("b", 2)], 2),
    (Survivorship("maximum"), [("a", 3), ("a", 10), ("b", 2)], 10),
    (Survivorship("maximum"), [("a", 10), ("a", None), ("a", 2), ("b", 1)], 2),
    (Survivorship("union"), [("a", ["x", "y"]), ("b", ["y", "z"])], ["x", "y", "z"]),
    (Survivorship("union"), [("a", ["x"]), ("a", None)], None),
    (Survivorship("strictest"), [("a", False), ("b", True)], False),
    (Survivorship("strictest", order=("no", "soft", "yes")), [("a", "soft"), ("b", "yes")], "soft"),
    (Survivorship("verified_first", ("b",)), [("b", 1), ("a", 2)], 1),
]  # fmt: skip


@pytest.mark.parametrize(("way", "claims", "golden"), CASES)
def test_who_wins(way: Survivorship, claims: list[tuple[str, Any]], golden: Any) -> None:
    assert told(one(way), *claims) == golden


def test_what_a_source_says_is_verified_comes_first() -> None:
    rules = one(Survivorship("verified_first"))
    node: list[Statement] = []
    add_claims(node, Statement("a", 1, "m1", True, {"x": "old", "x_verified": True}), rules)
    add_claims(node, Statement("b", 2, "m2", True, {"x": "new"}), rules)
    assert golden_record([node], rules).traits["x"].value == "old"


def test_an_invalid_value_is_kept_and_does_not_win() -> None:
    schema = TraitDefinition("x", type="text", pattern="[A-Z]{2}")
    rules = one(Survivorship("latest"), schema)
    assert told(rules, ("a", "CN"), ("a", "China")) == "CN"
    assert told(rules, ("a", "China")) is None
    node: list[Statement] = []
    add_claims(node, Statement("a", 1, "m1", True, {"x": "CN"}), rules)
    add_claims(node, Statement("a", 2, "m2", True, {"x": "China"}), rules)
    found = {row.claim.value: row.why for row in explain([node], "x", rules, 0, {})}
    assert found == {"CN": "latest", "China": "invalid: does not match the pattern"}


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        ({"type": "number"}, 5, None),
        ({"range": Bounds(0, 120)}, 30, 130),
        ({"length": Bounds(2, 3)}, "abc", "abcd"),
        ({"allowed": ("CN", "DE")}, "CN", "FR"),
    ],
)
def test_what_is_valid(schema: dict[str, Any], valid: Any, invalid: Any) -> None:
    check = check_of(TraitDefinition(**{"name": "x", "type": "text", **schema}), lambda one: one)
    assert check is not None
    assert (check(valid), bool(check(invalid))) == ("", True)


def test_traits_that_stay_together_come_from_one_claim() -> None:
    address = Unit("address", ("street", "city"), Survivorship("most_complete"), group=True)
    rules = GoldenRules([address])
    node: list[Statement] = []
    add_claims(node, Statement("a", 1, "m1", True, {"street": "Weg 1", "city": "Bonn"}), rules)
    add_claims(node, Statement("a", 2, "m2", True, {"city": "Rome", "name": "Ann"}), rules)
    golden = golden_record([node], rules).traits
    assert {name: won.value for name, won in golden.items()} == {
        "street": "Weg 1", "city": "Bonn", "name": "Ann",
    }  # fmt: skip


def test_what_is_kept_is_bounded() -> None:
    for way in ("most_frequent", "union", "longest"):
        rules = one(Survivorship(way))  # type: ignore[arg-type]
        node: list[Statement] = []
        for number in range(500):
            add_claims(node, Statement("a", number, f"m{number}", True, {"x": number}), rules)
        assert len(node) == 32


WAYS: list[Way] = [
    "latest", "source_priority", "most_frequent", "longest", "most_complete", "minimum",
    "maximum", "union", "strictest", "verified_first",
]  # fmt: skip
TOGETHER: list[Way] = ["latest", "source_priority", "most_frequent", "most_complete"]
VALUES = [None, 1, 2, "a", "bb", True, ["a"], ["b", "a"], {"s": "x"}, *range(10, 50)]
SEEDS = range(250)


def some_rules(chance: Random) -> GoldenRules:
    """Random rules for x and y alone or together, with a schema or without."""

    def way(ways: list[Way]) -> Survivorship:
        by = chance.choice(ways)
        sources = ("shop", "crm") if by == "source_priority" else ()
        return Survivorship(by, sources, of="last" if chance.random() < 0.3 else "all")

    schema = TraitDefinition("x", type="text", allowed=(1, "a", "bb", ["a"], *range(10, 45)))
    found = check_of(schema, lambda value: value)
    checks = {"x": found} if found and chance.random() < 0.5 else {}
    default = way(WAYS) if chance.random() < 0.5 else Survivorship()
    if chance.random() < 0.3:
        return GoldenRules([Unit("xy", ("x", "y"), way(TOGETHER), group=True)], default)
    return GoldenRules([Unit("x", ("x",), way(WAYS), checks)], default)


def some_statements(chance: Random) -> list[tuple[int, Statement]]:
    """What sources say of two nodes, at few times: often more than can be kept."""
    made = []
    for number in range(chance.randint(1, 90)):
        names = chance.sample(["x", "y", "x_verified"], chance.randint(1, 3))
        traits = {name: chance.choice(VALUES) for name in names}
        source, strong = chance.choice(SOURCES), chance.random() < 0.8
        statement = Statement(source, chance.randint(0, 9), f"m{number:02d}", strong, traits)
        made.append((chance.randint(0, 1), statement))
    return made


def folded(arriving: list[tuple[int, Statement]], rules: GoldenRules) -> list[list[Statement]]:
    nodes: list[list[Statement]] = [[], []]
    for number, statement in arriving:
        add_claims(nodes[number], statement, rules)
    return nodes


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_and_repetition_gives_the_same(seed: int) -> None:
    chance = Random(seed)
    rules, told = some_rules(chance), some_statements(chance)
    arriving = told + chance.sample(told, len(told) // 2)
    chance.shuffle(arriving)
    before, after = folded(told, rules), folded(arriving, rules)
    assert before == after
    golden = golden_record(before, rules).traits
    assert golden == golden_record(before[::-1], rules).traits
    for trait in ("x", "y"):
        won = [
            row.claim.value for row in explain(before, trait, rules, 0, {}) if row.outcome == "won"
        ]
        assert trait not in golden or not won or won == [golden[trait].value]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_past_that_is_read_later_gives_what_would_have_been_kept(seed: int) -> None:
    """Other rules at first; then the past is read again, and what came meanwhile is there twice."""
    chance = Random(seed)
    before, rules, told = some_rules(chance), some_rules(chance), some_statements(chance)
    cut = chance.randint(0, len(told))
    live = folded(told[:cut], before)
    for number, statement in told[cut:]:
        add_claims(live[number], statement, rules)
    past = folded(told[:cut], rules)
    merged = [refitted([*past[number], *live[number]], rules) for number in (0, 1)]
    assert golden_record(merged, rules) == golden_record(folded(told, rules), rules)
