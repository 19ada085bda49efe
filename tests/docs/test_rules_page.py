"""The page of the rule language names all of it, and its examples are rules."""

import re
from pathlib import Path

import pytest

from onefold.segment import parse_rule
from onefold.segment.events import (
    EVENT_FUNCTIONS,
    MAX_EVENT_FUNCTIONS,
    MAX_STEPS,
    MAX_TALLIED_TEXT,
    MAX_TEXT,
)
from onefold.segment.expression import FUNCTIONS
from onefold.segment.kinds import MOST_MOMENTS, MOST_TALLIED, MOST_VALUES, SESSION_GAP
from onefold.segment.rule import MAX_PATH, PROFILE_FUNCTIONS
from onefold.segment.syntax import MAX_DEPTH, MAX_LENGTH, MAX_NESTED
from onefold.segment.window_arguments import LONGEST, PERIODS, WINDOW_ARGUMENTS

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()


@pytest.mark.parametrize("name", [*FUNCTIONS, *EVENT_FUNCTIONS, *PROFILE_FUNCTIONS])
def test_every_function_is_described(name: str) -> None:
    assert f"`{name}(" in PAGE


@pytest.mark.parametrize("example", re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL))
def test_every_example_is_a_rule(example: str) -> None:
    assert parse_rule(example).columns


@pytest.mark.parametrize(
    "limit",
    [
        f"| {MAX_LENGTH:,} characters |",
        f"| nesting | {MAX_NESTED} parentheses in one another, {MAX_DEPTH} levels of operators |",
        f"| event functions in a rule | {MAX_EVENT_FUNCTIONS} |",
        f"| events in a sequence | {MAX_STEPS} |",
        f"exact up to {MOST_VALUES} different values",
        f"chooses from {MOST_TALLIED} different values",
        f"the first {MOST_MOMENTS} and the last {MOST_MOMENTS} moments",
        f"`most_frequent_of` the first {MAX_TALLIED_TEXT}",
        f"less than {SESSION_GAP // 60_000_000} minutes",
        f"| names in a path | {MAX_PATH} |",
        f"{MAX_TEXT:,} characters of a text",
        *(f"{most:,} {unit}s" for unit, most in LONGEST.items()),
    ],
)
def test_every_limit_is_named(limit: str) -> None:
    assert limit in PAGE


@pytest.mark.parametrize("argument", [*WINDOW_ARGUMENTS, "within", "not_followed_by", *PERIODS])
def test_every_window_is_described(argument: str) -> None:
    assert f"`{argument}`" in PAGE or f"{argument} =>" in PAGE or f"=> {argument}" in PAGE
