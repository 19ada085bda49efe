"""The page about records of people: its examples run, and it names every role."""

import doctest
from pathlib import Path

import pytest

from onefold.standardize.people.roles import ROLES

PAGE = Path(__file__).parents[2] / "docs" / "people.md"


def test_the_examples_run():
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert found.attempted > 20
    assert found.failed == 0


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_named(role):
    assert f"`{role}`" in PAGE.read_text(encoding="utf-8")
