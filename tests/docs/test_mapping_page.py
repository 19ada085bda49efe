"""The page on mappings names all that there is, and its examples can be put in force."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onefold.app.definitions.checks import faults_of
from onefold.app.definitions.entities import entities_of, schema_in
from onefold.app.definitions.files import read_text
from onefold.standardize.mapping.canonical import CANONICAL

PAGE = Path("docs/mapping.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS)
def test_the_examples_are_definitions_without_fault(text: str) -> None:
    reading = read_text(text)
    assert reading.faults == []
    bodies = {(one.kind, one.name): one.body for one in reading.written}
    schema = schema_in(entities_of(bodies))
    assert [
        fault for one in reading.written for fault in faults_of(one.kind, one.body, schema)
    ] == []


def test_the_schema_stands_there_with_all_its_fields() -> None:
    told = {
        entity: re.findall(r"`(\w+)`", fields)
        for entity, fields in re.findall(r"^\| `(\w+)` \| `[\w ]+` \| (.*) \|$", PAGE, re.MULTILINE)
    }
    who = ("user_id", "email", "phone")
    assert told == {
        name: [field for field in entity.fields if field not in who]
        for name, entity in CANONICAL.items()
    }
