"""A rule taken apart and put together again is the same rule."""

import pytest
from hypothesis import HealthCheck, given, settings

from onefold.model.errors import InvalidInput
from onefold.segment.clauses import Clause, clauses_of, event_calls
from onefold.segment.population import features_query
from tests.unit.segment.test_population import TABLES, connect
from tests.unit.segment.test_reference import histories, rules


def together(clause: Clause) -> str:
    """The SQL of a clause, made of its tests."""
    parts = [together(part) for part in clause.parts]
    if clause.kind == "test":
        return clause.rule.expression
    if clause.kind == "not":
        return f"(NOT {parts[0]})"
    return f"({f' {clause.kind.upper()} '.join(parts)})"


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(histories(), rules())
def test_the_tests_together_are_the_rule(history, text: str) -> None:
    now, timezone, traits, events = history
    clause = clauses_of(text)
    rule = clause.rule
    connection = connect({1: (traits, events)})
    features = features_query(rule.columns, rule.metrics, now, timezone, TABLES)
    whole, parts = connection.execute(
        f"SELECT {rule.expression}, {together(clause)} FROM ({features})"
    ).fetchone()
    assert whole is parts


def kinds(clause: Clause) -> object:
    return clause.text if clause.kind == "test" else (clause.kind, *map(kinds, clause.parts))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a between 1 and 2 and b", ("and", "a between 1 and 2", "b")),
        ("(a or b) and not c", ("and", ("or", "a", "b"), ("not", "c"))),
        ("not a = 1 or b is not null", ("or", ("not", "a = 1"), "b is not null")),
        ("((a))", "((a))"),
        ("(a) or (b)", ("or", "(a)", "(b)")),
        ("x = 'and' and y = ') or ('", ("and", "x = 'and'", "y = ') or ('")),
        ("did('A', where => name = 'x' and name = 'y')",) * 2,
        ("a not in (1, 2) and b not like 'x'", ("and", "a not in (1, 2)", "b not like 'x'")),
    ],
)
def test_where_a_rule_is_cut(text: str, expected: object) -> None:
    assert kinds(clauses_of(text)) == expected


def test_what_is_no_rule_has_no_clauses() -> None:
    with pytest.raises(InvalidInput):
        clauses_of("a and")


def test_the_calls_in_a_rule() -> None:
    text = "count_of('A)', where => (properties.x + 1) > 2) >= 3 and note = 'did(1)'"
    assert event_calls(text, ("count_of", "did")) == [
        "count_of('A)', where => (properties.x + 1) > 2)"
    ]
