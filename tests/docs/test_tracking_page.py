"""The page of the tracking API names every path, limit and status, and its examples are true."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from onefold.collect.routing import find_route
from onefold.config import catalogue
from onefold.model.errors import Unauthorized
from onefold.model.records import EVENT_TYPES, Accepted
from onefold.serve.problems import describe
from onefold.standardize import verdicts
from onefold.standardize.envelopes import MAX_EVENTS, MAX_SHARED_BYTES
from onefold.standardize.events import MAX_NAME, MAX_TRAIT_NAME, MAX_TRAITS
from onefold.standardize.identifiers import MAX_LENGTH
from onefold.standardize.parsing import MAX_BYTES, MAX_DEPTH
from onefold.standardize.times import DAY, event_time

PAGE = (Path(__file__).parents[2] / "docs" / "tracking-api.md").read_text(encoding="utf-8")
PATHS = PAGE.split("\n## Paths\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("kind", [*EVENT_TYPES, "batch"])
def test_every_kind_of_call_has_its_path(kind: str) -> None:
    assert f"/v1/{kind}`" in PATHS
    assert find_route(f"/v1/{kind}") is not None


@pytest.mark.parametrize("path", re.findall(r"`(/[\w/{}]+)`", PATHS))
def test_every_path_that_is_named_exists(path: str) -> None:
    assert find_route(path) is not None


@pytest.mark.parametrize(
    "limit",
    [
        f"{catalogue()['max_body_size'].default >> 20} MB (`max_body_size`)",
        f"| event | {MAX_BYTES >> 10} KB |",
        f"| `context` of a batch | {MAX_SHARED_BYTES >> 10} KB |",
        f"| nesting | {MAX_DEPTH} levels |",
        f"| events in a batch | {MAX_EVENTS:,} |",
        f"| event name | {MAX_NAME} characters |",
        f"| identifier, message id | {MAX_LENGTH} characters |",
        f"| traits in an event | {MAX_TRAITS}, names of {MAX_TRAIT_NAME} characters |",
        f"`dedup_days` ({catalogue()['dedup_days'].default})",
    ],
)
def test_every_limit_is_named(limit: str) -> None:
    assert limit in PAGE


def test_the_error_is_what_is_sent() -> None:
    shown = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
    assert shown == msgspec.to_builtins(describe(Unauthorized(shown["message"])))


def test_the_strict_answer_is_what_is_sent() -> None:
    body = re.findall(r"strict=1\".* -d '(.*)'", PAGE)[0].encode()
    shown = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[2])["events"]
    reasons = [one.refused for one in verdicts(Accepted("shop", 1, "batch", body), None)]
    assert [one.get("reasons", []) for one in shown] == reasons


def test_the_rule_of_times_holds() -> None:
    hour = DAY // 24
    given, sent, received = 3 * hour, 4 * hour, 20 * hour
    faults: list[str] = []
    assert event_time(given / 1e6, sent / 1e6, received, "t", faults)[0] == 19 * hour
    assert event_time(given / 1e6, None, received, "t", faults)[0] == given
    assert event_time(None, None, received, "t", faults)[0] == received
    assert event_time((received + 2 * DAY) / 1e6, None, received, "t", faults)[0] == received
    assert faults == []
