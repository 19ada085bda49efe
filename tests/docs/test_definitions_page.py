"""The examples of the page of definitions are definitions, and its tests pass."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from onefold.app.definitions.checks import KINDS
from onefold.app.definitions.rehearsal import run_tests
from onefold.config import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
NOTATION = re.findall(r"^\| `([^`]+)` \| ", PAGE.split("## Tests")[1], re.MULTILINE)


def test_the_examples_pass_their_own_tests(tmp_path: Path) -> None:
    definitions, tests = BLOCKS
    (tmp_path / "all.yaml").write_text(definitions)
    (tmp_path / "levels.test.yaml").write_text(tests)
    report = run_tests(Settings(), tmp_path)
    assert (report.cases, report.failures) == (2, ())


def test_each_notation_of_an_event_is_one(tmp_path: Path) -> None:
    definitions = BLOCKS[0].partition("tests:")[0]
    given = [yaml.safe_load(one.replace("…", "event: X")) for one in NOTATION]
    case = {"given": {"ann": given}, "expect": {"segments": {"loyal": []}}}
    (tmp_path / "all.yaml").write_text(definitions)
    (tmp_path / "a.test.yaml").write_text(yaml.safe_dump({"tests": [case]}))
    assert run_tests(Settings(), tmp_path).failures == ()
    assert len(NOTATION) == 5


def test_every_kind_stands_in_the_table() -> None:
    table = PAGE.split("## Kinds")[1].split("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(KINDS)
