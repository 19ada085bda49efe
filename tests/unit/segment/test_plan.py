"""One plan: outputs that refer to outputs, in levels of one query."""

import duckdb
import pytest

from onefold.model.definitions import TagCase
from onefold.model.errors import InvalidInput
from onefold.segment import Held, Plan, Wanted, checked_plan, compile_plan
from onefold.segment.metric import SQL_TYPES

NOW = 20_000 * 86_400_000_000


def values(plan: Plan, traits: dict[str, object], now: int = NOW) -> dict[str, object]:
    """What the plan makes of one profile, by name of the output."""
    row, _ = plan.features(now, "UTC").row(traits, [])
    connection = duckdb.connect()
    names = "".join(f", {one.name} {SQL_TYPES[one.type]}" for one in plan.columns)
    connection.execute(f"CREATE TABLE profiles (profile BIGINT{names})")
    places = ", ".join("?" * (len(row) + 1))
    connection.execute(f"INSERT INTO profiles VALUES ({places})", [1, *row])
    found = connection.execute(plan.sql).fetchall()[0][1:]
    return dict(zip([one.name for one in plan.outputs], found, strict=True))


def trait(name: str, text: str) -> Wanted:
    return Wanted("trait", name, text)


def segment(name: str, text: str) -> Wanted:
    return Wanted("segment", name, text)


def tag(name: str, *cases: tuple[str, str]) -> Wanted:
    return Wanted("tag", name, cases=tuple(TagCase(*case) for case in cases))


def test_outputs_refer_to_outputs_in_whatever_order_they_are_written() -> None:
    plan = checked_plan(
        [
            segment("gold_cn", "level = 'gold' and country = 'CN'"),
            tag("level", ("gold", "worth > 100"), ("silver", "worth > 10"), ("none", "")),
            trait("worth", "coalesce(spent, 0) * 2"),
        ]
    )
    assert values(plan, {"spent": 60, "country": "CN"}) == {
        "gold_cn": True,
        "worth": 120.0,
        "level": "gold",
    }
    assert values(plan, {"spent": 6})["level"] == "silver"
    assert values(plan, {})["level"] == "none"
    assert [one.level for one in plan.outputs] == [2, 0, 1]


def test_the_first_case_that_holds_gives_the_value() -> None:
    plan = checked_plan([tag("t", ("a", "x = 1"), ("b", "x in (1, 2)"))])
    assert [values(plan, {"x": x})["t"] for x in (1, 2, 3)] == ["a", "b", None]


def test_a_defined_trait_wins_over_a_claimed_one_of_the_same_name() -> None:
    plan = checked_plan([trait("city", "lower(town)"), segment("s", "city = 'bonn'")])
    assert values(plan, {"city": "Rome", "town": "BONN"}) == {"city": "bonn", "s": True}


def test_the_type_of_a_computed_trait_is_that_of_its_expression() -> None:
    plan = checked_plan(
        [trait("a", "x + 1"), trait("b", "x = 'y'"), trait("c", "x"), trait("d", "a > 2 and b")]
    )
    assert [one.type for one in plan.outputs] == ["number", "boolean", "text", "boolean"]


def test_a_computed_number_is_never_compared_with_text() -> None:
    with pytest.raises(InvalidInput, match="s: line 1"):
        checked_plan([trait("n", "x + 1"), segment("s", "n = 'CN'")])


def test_what_is_no_number_is_absent() -> None:
    plan = checked_plan([trait("big", "x * 1e300"), trait("none", "x / 0")])
    assert values(plan, {"x": 1e300}) == {"big": None, "none": None}


def test_a_text_that_traits_double_step_by_step_is_absent_when_it_is_too_long() -> None:
    steps = [trait(f"t{n}", f"t{n - 1} || t{n - 1}") for n in range(1, 16)]
    plan = compile_plan([trait("t0", "name || '!'"), *steps])
    found = values(plan, {"name": "Eva"})
    assert found["t11"] == "Eva!" * 2048
    assert found["t12"] is None
    assert found["t15"] is None


def test_a_circle_is_refused_and_named() -> None:
    wanted = [trait("a", "b + 1"), trait("b", "c + 1"), trait("c", "a + 1"), trait("d", "x + 1")]
    with pytest.raises(InvalidInput, match="in a circle") as caught:
        checked_plan(wanted)
    assert {fault.where for fault in caught.value.faults} == {"a", "b", "c"}
    assert "a → b → c → a" in {fault.message.split(": ")[1] for fault in caught.value.faults}
    # The pipeline goes on with what can be used.
    assert [one.name for one in compile_plan(wanted).outputs] == ["d"]


def test_what_refers_to_itself_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a → a"):
        checked_plan([trait("a", "a + 1")])


def test_what_refers_to_something_unusable_is_left_out_with_it() -> None:
    plan = compile_plan([trait("a", "x +"), segment("s", "a > 1"), segment("other", "x = 1")])
    assert plan.segments == ("other",)
    assert set(plan.refused) == {("value", "a"), ("segment", "s")}
    assert "refers to a" in plan.refused["segment", "s"].faults[0].message


def test_a_fault_in_a_case_names_the_case() -> None:
    with pytest.raises(InvalidInput, match="case 2, line 1"):
        checked_plan([tag("t", ("a", "x = 1"), ("b", "x <"))])


def test_a_long_chain_of_definitions_is_refused_beyond_a_limit() -> None:
    chain = [trait("t0", "x + 1")] + [trait(f"t{n}", f"t{n - 1} + 1") for n in range(1, 40)]
    plan = compile_plan(chain)
    assert values(plan, {"x": 1})["t19"] == 21.0
    assert ("value", "t20") in plan.refused


def test_values_in_cases_are_literals() -> None:
    nasty = "'; drop table profiles; --"
    plan = checked_plan([tag("t", (nasty, "x = 1"))])
    assert values(plan, {"x": 1}) == {"t": nasty}


def test_what_is_given_lasts_as_long_as_it_may() -> None:
    held = Held(("$tag.t", "value"), values=("a", "b"), lifetime=10)
    plan = checked_plan([Wanted("tag", "t", held=held)])
    given = {"$tag.t": {"value": "a", "at": NOW}}
    assert [values(plan, given, NOW + more)["t"] for more in (0, 9, 10)] == ["a", "a", None]
    assert values(plan, {"$tag.t": {"value": "no value of it", "at": NOW}})["t"] is None
    assert turns(plan, given, NOW) == (None, NOW + 10)
    assert turns(plan, given, NOW + 10) == (None, None)


def test_a_tag_ends_on_a_day() -> None:
    plan = checked_plan([Wanted("tag", "t", cases=(TagCase("a"),), until=20_001)])
    assert [values(plan, {}, NOW + days * 86_400_000_000)["t"] for days in (0, 1)] == ["a", None]
    assert turns(plan, {}, NOW) == (20_001, None)


def test_members_of_a_list_have_at_least_its_version() -> None:
    held = Held(("$list.s", "version"), "number", at_least=2)
    plan = checked_plan([Wanted("segment", "s", held=held)])
    found = [values(plan, {"$list.s": {"version": version}})["s"] for version in (1, 2, 3)]
    assert found == [False, True, True]
    assert values(plan, {})["s"] is False


def turns(plan: Plan, traits: dict[str, object], now: int) -> tuple[int | None, int | None]:
    """The day and the moment at which time alone changes something."""
    row, _ = plan.features(now, "UTC").row(traits, [])
    connection = duckdb.connect()
    names = "".join(f", {one.name} {SQL_TYPES[one.type]}" for one in plan.columns)
    connection.execute(f"CREATE TABLE profiles (profile BIGINT{names})")
    places = ", ".join("?" * (len(row) + 1))
    connection.execute(f"INSERT INTO profiles VALUES ({places})", [1, *row])
    return connection.execute(plan.live_sql).fetchall()[0][-2:]
