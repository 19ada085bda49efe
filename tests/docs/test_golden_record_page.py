"""The page of the golden record: its examples can be put in force, and its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from onefold.app.definitions.files import read_text
from onefold.app.definitions.golden_checks import TRAIT_KEYS, survivorship_faults
from onefold.app.folding.rebuild import check_rebuild
from onefold.app.profiles.finding import profile
from onefold.app.workspace import open_lake
from onefold.model.golden import PII, WAYS
from tests.acceptance.conftest import Stepped, onefold
from tests.acceptance.test_golden_record import said, take

__all__ = ["onefold"]
PAGE = (Path(__file__).parents[2] / "docs" / "golden-record.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]


def test_the_example_is_in_force_and_does_what_the_page_says(onefold: Stepped) -> None:
    onefold.define(EXAMPLE)
    take(
        onefold,
        said("crm", "08:00:00", name="Ann B.", street="Weg 1", city="Bonn", postcode="53111"),
        said("shop", "09:00:00", name="A. B.", city="Berlin", country="DE", age=34),
        said("app", "10:00:00", country="DE", age=340),
        said("app", "11:00:00", country="FR"),
        said("app", "12:00:00", country="France"),
    )
    assert profile(onefold.settings, "user_id:ann").traits == {
        "name": "Ann B.", "street": "Weg 1", "city": "Bonn", "postcode": "53111",
        "country": "DE", "age": 34,
    }  # fmt: skip
    assert open_lake(onefold.settings).snapshot("profiles")[1]
    assert check_rebuild(onefold.settings).differences == ()


def test_every_way_stands_in_the_table() -> None:
    table = PAGE.split("## Who wins")[1].split("- Whatever ties")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", table, re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"\w+", row)] == list(WAYS)


def test_all_that_a_trait_may_say_is_told() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE.split("## Which values are valid")[1]))
    assert TRAIT_KEYS - told - {"survivorship"} == set()
    assert set(PII) <= told
    assert len(read_text(EXAMPLE).written) == 4


def test_the_expression_on_the_page_can_be_used() -> None:
    (text,) = re.findall(r"`(\{by: expression.*?\})`", PAGE)
    assert list(survivorship_faults(yaml.safe_load(text))) == []
