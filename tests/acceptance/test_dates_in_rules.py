"""Rules that ask the clock: who comes in and drops out as days pass, and how that is explained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from onefold.app.profiles.finding import profile
from onefold.app.questions.audiences import WhyQuestion
from onefold.app.questions.preview import PreviewQuestion, preview
from onefold.app.questions.why import why
from tests.acceptance.conftest import Stepped

DAY = 86_400_000_000
DEFINED = """
kind: trait
name: birthday
type: date
---
kind: trait
name: next_visit
expression: date(last_visit) + interval 1 month
---
kind: segment
name: birthdays
rule: anniversary(birthday, next => interval 7 day)
---
kind: segment
name: sporty
rule: any_of(interests, lower(value) = 'sport') and consent('email')
---
kind: segment
name: both
rule: in_segment('birthdays') and in_segment('sporty')
"""


def day(ahead: int) -> str:
    return (datetime.now(UTC) + timedelta(days=ahead)).strftime("%m-%d")


def person(user: str, **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "messageId": uuid4().hex, "traits": traits}


@pytest.fixture
def known(onefold: Stepped) -> Stepped:
    onefold.define(DEFINED)
    onefold.take(
        person("soon", birthday=f"1992-{day(5)}", interests=["Sport"], consent={"email": True}),
        person("later", birthday=f"1992-{day(40)}", interests=["Sport", None]),
        person("never", birthday="17 May", last_visit="2026-01-31T10:00:00Z"),
    )
    return onefold


def segments(onefold: Stepped, user: str) -> set[str]:
    return {one.name for one in profile(onefold.settings, f"user_id:{user}").segments}


def test_live_and_over_everybody_they_mean_the_same(known: Stepped) -> None:
    assert segments(known, "soon") == {"birthdays", "sporty", "both"}
    assert segments(known, "later") == segments(known, "never") == set()
    assert profile(known.settings, "user_id:never").computed["next_visit"] == "2026-02-28"
    for rule, count in (
        ("segment:both", 1),
        ("birthday is null", 1),
        ("birthday < '2000-01-01' and age(birthday) between 20 and 90", 2),
        ("'Sport' in interests and list_length(interests) = 1", 2),
        ("next_visit < today() or consent('email')", 2),
    ):
        assert preview(known.settings, PreviewQuestion(rule)).count == count, rule


def test_why_tells_dates_as_dates(known: Stepped) -> None:
    rule = "birthday < today() - interval 18 year"
    answer = why(known.settings, WhyQuestion(rule, "user_id:soon"))
    found = {one.name: one.value for one in answer.clause.inputs}
    assert found == {
        "birthday": profile(known.settings, "user_id:soon").traits["birthday"],
        "today()": datetime.fromtimestamp(answer.as_of / 1e6, UTC).strftime("%Y-%m-%d"),
    }


def test_consent_is_what_was_said_last(onefold: Stepped) -> None:
    onefold.define("kind: segment\nname: mailable\nrule: consent('Email')\n")

    def said(**purposes: bool) -> dict[str, Any]:
        consent = {"consent": {"categoryPreferences": purposes}}
        return {"type": "page", "userId": "ann", "messageId": uuid4().hex, "context": consent}

    onefold.take(said(Email=True, Ads=False))
    assert segments(onefold, "ann") == {"mailable"}
    onefold.take({**person("ann", city="Bonn"), "context": said(Email=True)["context"]})
    onefold.take(said(Email=False))
    assert segments(onefold, "ann") == set()
    traits = profile(onefold.settings, "user_id:ann").traits
    assert traits == {"city": "Bonn", "consent.Email": False, "consent.Ads": False}
    assert preview(onefold.settings, PreviewQuestion("not consent('Email')")).count == 1
