"""The page of the rule language names all of it, and its examples are rules."""

import re
from pathlib import Path

import pytest

from onefold.segment import parse_rule
from onefold.segment.events import EVENT_FUNCTIONS, MAX_EVENT_FUNCTIONS, MAX_TEXT
from onefold.segment.expression import FUNCTIONS
from onefold.segment.rule import MAX_PATH, PROFILE_FUNCTIONS
from onefold.segment.syntax import MAX_DEPTH, MAX_LENGTH
from onefold.segment.window_arguments import LONGEST

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
        f"| nesting | {MAX_DEPTH} levels |",
        f"| event functions in a rule | {MAX_EVENT_FUNCTIONS} |",
        f"| names in a path | {MAX_PATH} |",
        f"{MAX_TEXT:,} characters of a text",
        *(f"{most:,} {unit}s" for unit, most in LONGEST.items()),
    ],
)
def test_every_limit_is_named(limit: str) -> None:
    assert limit in PAGE
