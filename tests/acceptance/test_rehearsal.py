"""Tests of definitions: run on the real pipeline, each on its own, told apart to the person."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.app.definitions.rehearsal import TestReport, run_tests
from onefold.config import Settings
from onefold.model.errors import InvalidInput

DEFINED = """
kind: trait
name: spent
expression: sum_of('Order Completed', properties.revenue, last => interval 30 day)
---
kind: tag
name: level
cases:
  - {value: gold, when: spent > 100}
  - {value: silver, when: spent > 10}
---
kind: segment
name: loyal
rule: country = 'CN' and level = 'gold'
"""
HOOK = """
---
kind: destination
name: hook
type: webhook
url: http://127.0.0.1:9/
secret: {secret: not_set_here}
"""


def ran(folder: Path, tests: str, definitions: str = DEFINED) -> TestReport:
    (folder / "all.yaml").write_text(definitions)
    (folder / "all.test.yaml").write_text(tests)
    return run_tests(Settings(data=folder / "nowhere"), folder)


def problems(report: TestReport) -> list[str]:
    return [problem for failure in report.failures for problem in failure.problems]


def test_events_are_given_briefly_and_everything_is_compared(tmp_path: Path) -> None:
    report = ran(
        tmp_path,
        """
tests:
  - name: all of it
    at: 2026-03-01T12:00Z
    given:
      ann:
        - traits: {country: CN}
        - Order Completed: {revenue: 40}
          ago: 3 days
          times: 3
      bob: [Visited, Order Completed: 2 weeks ago]
      eve:
        - {type: track, event: Order Completed, properties: {revenue: 20.5}, anonymousId: a1, userId: eve}
        - Order Completed: {revenue: 1000}
          at: 2026-01-01
    expect:
      segments: {loyal: [ann]}
      tags: {level: {ann: gold, bob: null, eve: silver}}
      traits: {spent: {ann: 120, eve: 20.5}}
""",
        DEFINED + HOOK,
    )
    assert (report.cases, report.failures) == (1, ())


def test_a_failure_names_file_line_person_and_what_is_instead(tmp_path: Path) -> None:
    report = ran(
        tmp_path,
        """
tests:
  - name: wrong
    given: {ann: [Visited], bob: [traits: {country: CN}, Order Completed: {revenue: 101}]}
    expect:
      segments: {loyal: [ann]}
      traits: {spent: {bob: 7}}
""",
    )
    (failure,) = report.failures
    assert (failure.name, failure.where) == ("wrong", "all.test.yaml:3")
    assert failure.problems == (
        "segment loyal: ann should be in, and is out",
        "segment loyal: bob should be out, and is in",
        "trait spent of bob: should be 7, and is 101",
    )


def test_time_passes(tmp_path: Path) -> None:
    case = """
tests:
  - name: silver for a while
    given: {ann: {Order Completed: {revenue: 20}}}
    expect: [ann]
    later:
      - {after: 29 days, expect: [ann]}
      - {after: 31 days, expect: []}
"""
    silver = "\n---\nkind: segment\nname: silver\nrule: level = 'silver'\n"
    (tmp_path / "silver.yaml").write_text(DEFINED + silver + case.replace("\ntests", "tests"))
    assert run_tests(Settings(), tmp_path).failures == ()


def test_nobody_in_one_case_is_anybody_in_another(tmp_path: Path) -> None:
    case = """
  - name: again
    given: {ann: [traits: {country: CN, email: ann@example.com}, Order Completed: {revenue: 60}]}
    expect: {tags: {level: {ann: silver}}}
"""
    assert ran(tmp_path, "tests:" + case * 20) == TestReport(20, ())


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("{name: a}", "expects nothing"),
        ("{given: {ann: [V]}, expect: {segments: {loyl: []}}}", "did you mean 'loyal'?"),
        ("{given: {ann: [V]}, expect: {segments: {loyal: [bob]}}}", "nobody called 'bob'"),
        ("{given: {ann: [V: soon]}, expect: {segments: {loyal: []}}}", "'soon' is no time"),
        ("{given: {ann: [V: 3 moons ago]}, expect: {segments: {loyal: []}}}", "no length of time"),
        (
            "{given: {ann: [V: {n: 1, ago: 3 days}]}, expect: {segments: {loyal: []}}}",
            "V: ago stands beside the event, not among its properties",
        ),
        (
            "{given: {ann: [V]}, expect: {segments: {loyal: 7}}}",
            "what is expected of segment loyal",
        ),
        ("{given: {ann: [V]}, expect: [ann]}", "must say segments, traits or tags"),
        ("{given: [ann], expect: {segments: {loyal: []}}}", "must name people"),
        (
            "{given: {ann: [V]}, expects: 1, expect: {segments: {loyal: []}}}",
            "'expects' is not known",
        ),
        ("7", "expects nothing"),
    ],
)
def test_a_case_that_cannot_be_read_is_refused(tmp_path: Path, case: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ran(tmp_path, f"tests:\n  - {case}\n")
    assert said in str(refused.value)
    assert "all.test.yaml:2" in str(refused.value)


def test_definitions_that_cannot_be_used_fail_the_tests(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"all\.yaml:4: rule"):
        ran(tmp_path, "tests: []\n", "\nkind: segment\nname: x\nrule: 1 +\n")


def test_an_event_that_no_source_could_send_is_told(tmp_path: Path) -> None:
    case = "{given: {ann: [{type: nonsense}]}, expect: {segments: {loyal: []}}}"
    assert "not an event" in problems(ran(tmp_path, f"tests:\n  - {case}\n"))[0]
