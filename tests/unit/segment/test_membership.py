"""From traits and buckets to columns, and from columns to who is inside."""

import duckdb
import pytest

from onefold.segment import Plan, compile_membership, parse_rule
from onefold.segment.kinds import Edges, Numbers
from onefold.segment.reading import trait_value
from onefold.segment.zone import UTC

DAY, HOUR = 86_400_000_000, 3_600_000_000
NOW = 20_000 * DAY + DAY // 2
TODAY = 20_000
TYPES = {"text": "VARCHAR", "number": "DOUBLE", "boolean": "BOOLEAN"}


def inside(membership: Plan, *rows: tuple[object, ...]) -> list[tuple[bool, ...]]:
    connection = duckdb.connect()
    names = "".join(f", {one.name} {TYPES[one.type]}" for one in membership.columns)
    connection.execute(f"CREATE TABLE profiles (profile BIGINT{names})")
    for number, row in enumerate(rows):
        places = ", ".join("?" * (len(row) + 1))
        connection.execute(f"INSERT INTO profiles VALUES ({places})", [number, *row])
    answers = connection.execute(f"{membership.sql} ORDER BY profile").fetchall()
    return [answer[1:] for answer in answers]


def holds(text: str, traits: dict[str, object] | None = None, **buckets: object) -> bool:
    """Whether a rule of at most one metric holds, given the metric's buckets."""
    membership = compile_membership({"s": parse_rule(text)})
    facts = {metric.id: buckets.get("buckets", {}) for metric in membership.metrics}
    row, _ = membership.features(NOW, "UTC").row(traits or {}, [facts])
    return inside(membership, row)[0][0]


@pytest.mark.parametrize(
    ("value", "text", "number", "boolean"),
    [
        ("CN", "CN", None, None),
        ("12", "12", 12.0, None),
        (" 1e3 ", " 1e3 ", 1000.0, None),
        ("", "", None, None),
        ("true", "true", None, True),
        ("False", "False", None, False),
        (True, "true", None, True),
        (12, "12", 12.0, None),
        (1, "1", 1.0, None),
        (1.5, "1.5", 1.5, None),
        ("nan", "nan", None, None),
        ("inf", "inf", None, None),
        ("1e999", "1e999", None, None),
        (10**400, str(10**400), None, None),
        ("１２", "１２", None, None),
        (["a", 1], '["a",1]', None, None),
        ({"a": None}, '{"a":null}', None, None),
        (None, None, None, None),
    ],
)
def test_a_trait_is_read_as_the_type_it_is_used_as(value, text, number, boolean) -> None:
    found = [
        trait_value({"x": value}, ["x"], wanted, UTC) for wanted in ("text", "number", "boolean")
    ]
    assert found == [text, number, boolean]


def test_a_path_leads_into_nested_traits() -> None:
    traits = {"address": {"city": {"name": "Ürümqi"}}}
    assert trait_value(traits, ["address", "city", "name"], "text", UTC) == "Ürümqi"
    assert trait_value(traits, ["address", "street", "name"], "text", UTC) is None
    assert trait_value(traits, ["address", "city", "name", "x"], "text", UTC) is None
    assert trait_value({"address": None}, ["address", "city"], "text", UTC) is None


def test_who_lacks_the_value_satisfies_neither_a_comparison_nor_its_negation() -> None:
    for text in ("age > 3", "not age > 3", "age <> 3", "age not in (3)", "name not like 'x'"):
        assert not holds(text)
        assert not holds(text, {"age": "unknown"} if "age" in text else {"name": None})
    assert holds("age is null")
    assert holds("not (age is not null)")
    assert holds("age is null or age > 3", {"age": 4})
    assert holds("vip is not true")
    assert not holds("not vip")


def test_a_count_of_nothing_is_zero_and_a_sum_of_nothing_is_absent() -> None:
    assert holds("count_of('A') = 0")
    assert holds("not did('A', last => interval 1 day)")
    assert holds("sum_of('A', properties.x) is null")
    assert holds(
        "last_of('A', properties.x) is null and coalesce(max_of('A', properties.x), 7) = 7"
    )
    assert not holds("sum_of('A', properties.x) < 1")


def test_rules_without_columns_hold_for_all_or_nobody() -> None:
    rules = {"all": parse_rule("true"), "none": parse_rule("1 > 2"), "odd": parse_rule("1 % 0 = 1")}
    assert inside(compile_membership(rules), ()) == [(True, False, False)]


def test_no_rules_are_a_query_too() -> None:
    membership = compile_membership({})
    assert inside(membership, ()) == [()]
    assert membership.features(NOW, "UTC").row({"a": 1}, []) == ((), None)


def test_segments_share_columns() -> None:
    membership = compile_membership(
        {
            "a": parse_rule("country = 'CN' and did('A', last => interval 2 day)"),
            "b": parse_rule("country = 'DE' and count_of('A', last => interval 2 day) > 3"),
            "c": parse_rule("count_of('A', last => interval 3 day) > 3"),
        }
    )
    assert membership.segments == ("a", "b", "c")
    assert [column.kind for column in membership.columns] == ["trait", "window", "window"]
    assert [metric.retention for metric in membership.metrics] == [3]


def test_the_identifiers_of_a_profile_add_up() -> None:
    rule = parse_rule("count_of('A', last => interval 2 day) = 6")
    membership = compile_membership({"s": rule})
    metric = rule.metrics[0].id
    facts = [{metric: {TODAY: 1}}, {}, {metric: {TODAY: 2, TODAY - 1: 3, TODAY - 2: 9}}]
    row, change = membership.features(NOW, "UTC").row({}, facts)
    assert row == (6,)
    assert change == (TODAY + 1) * DAY
    assert facts[0] == {metric: {TODAY: 1}}


def test_first_and_last_over_identifiers_and_days() -> None:
    rule = parse_rule(
        "first_of('A', properties.x, last => interval 2 day) > 1 "
        "and last_of('A', properties.x, last => interval 2 day) = 'b'"
    )
    membership = compile_membership({"s": rule})
    metric = rule.metrics[0].id
    facts = [
        {metric: {TODAY: Edges(5, "m", "12", 6, "m", "a")}},
        {
            metric: {
                TODAY - 1: Edges(4, "m", "nan", 6, "n", "b"),
                TODAY - 2: Edges(1, "", "", 9, "", ""),
            }
        },
    ]
    row, _ = membership.features(NOW, "UTC").row({}, facts)
    assert dict(zip([one.aggregate for one in membership.columns], row, strict=True)) == {
        "first": None,
        "last": "b",
    }


def test_averages_are_of_all_numbers_in_the_window() -> None:
    buckets = {
        TODAY: Numbers(1, 10_000_000, 10.0, 10.0),
        TODAY - 1: Numbers(3, 2_000_000, 0.0, 1.0),
    }
    assert holds("avg_of('A', properties.x, last => interval 2 day) = 3", buckets=buckets)
    assert holds("sum_of('A', properties.x, last => interval 2 day) = 12", buckets=buckets)
    assert holds("min_of('A', properties.x, last => interval 1 day) = 10", buckets=buckets)
    assert holds("max_of('A', properties.x, last => interval 2 day) = 10", buckets=buckets)


def moment(text: str, buckets: dict[int, object], timezone: str = "UTC") -> int | None:
    membership = compile_membership({"s": parse_rule(text)})
    facts = {metric.id: buckets for metric in membership.metrics}
    return membership.features(NOW, timezone).row({}, [facts])[1]


def test_the_next_change_is_when_the_oldest_bucket_leaves() -> None:
    assert moment("did('A', last => interval 3 day)", {TODAY: 1, TODAY - 1: 1}) == (TODAY + 2) * DAY
    assert moment("did('A', last => interval 3 day)", {TODAY - 1: 1, TODAY: 1}) == (TODAY + 2) * DAY
    assert moment("did('A', last => interval 3 day)", {TODAY - 3: 1}) is None
    assert moment("did('A')", {0: 1}) is None
    hour = NOW // HOUR
    assert moment("did('A', last => interval 2 hour)", {hour - 1: 1}) == (hour + 1) * HOUR
    shanghai = moment("did('A', last => interval 1 day)", {TODAY: 1}, "Asia/Shanghai")
    assert shanghai == (TODAY + 1) * DAY - 8 * HOUR


def test_the_next_change_is_the_soonest_of_all_windows() -> None:
    membership = compile_membership(
        {
            "a": parse_rule("did('A', last => interval 3 day)"),
            "b": parse_rule("did('B', last => interval 1 hour)"),
            "c": parse_rule("did('A', last => interval 1 day)"),
        }
    )
    a, b = (metric.id for metric in membership.metrics)
    features = membership.features(NOW, "UTC")
    assert features.row({}, [{a: {TODAY: 1}}])[1] == (TODAY + 1) * DAY
    assert features.row({}, [{a: {TODAY: 1}, b: {NOW // HOUR: 1}}])[1] == NOW + HOUR


def test_an_event_ahead_of_the_clock_counts_when_its_time_comes() -> None:
    text = "did('A', last => interval 1 day)"
    ahead = {TODAY + 2: 1, TODAY + 1: 1}
    assert not holds(text, buckets=ahead)
    assert moment(text, ahead) == (TODAY + 1) * DAY
    assert moment(text, ahead | {TODAY: 1}) == (TODAY + 1) * DAY
    assert moment("did('A', last => interval 9 day)", {TODAY: 1, TODAY + 1: 1}) == (TODAY + 1) * DAY


def test_a_long_rule_runs() -> None:
    chain = " or ".join(f"(a = {number} and b <> 'x')" for number in range(380))
    assert holds(chain, {"a": 379, "b": "y"})
    assert not holds(chain, {"a": 380, "b": "y"})


def test_nothing_in_a_rule_reaches_the_engine_as_sql() -> None:
    for text in (
        "'; drop table profiles; --",
        "x' or true or '",
        'x" or 1',
        "{0}",
        "c0",
        "?",
        "\\",
    ):
        quoted = text.replace("'", "''")
        assert holds(f"a = '{quoted}'", {"a": text})
        assert not holds(f"a = '{quoted}'", {"a": "x"})
        name = text.replace('"', '""')
        assert holds(f"\"{name}\" = 'y'", {text: "y"})
