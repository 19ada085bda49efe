"""How good what is known is, of one and of everybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from onefold.app.profiles.quality import profile_quality, quality, quality_last
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_golden_record import said, take

SCHEMA = """
kind: trait
name: city
type: text
---
kind: trait
name: age
type: number
range: {max: 120}
---
kind: trait
name: card
type: text
unique: true
"""


def lately(source: str, time: str, **traits: object) -> tuple[str, dict[str, object]]:
    """What a source said of Ann so short a time ago that it is fresh."""
    day = datetime.now(UTC) - timedelta(days=30)
    name, event = said(source, time, **traits)
    return name, {**event, "timestamp": f"{day:%Y-%m-%d}T{time}Z"}


def test_each_share_is_what_it_says(onefold: Stepped) -> None:
    onefold.define(SCHEMA)
    take(
        onefold,
        lately("crm", "08:00:00", city="Bonn", age=300, card="1"),
        lately("shop", "09:00:00", city="Ulm", age=30),
    )
    onefold.take(
        {"type": "identify", "userId": "bo", "traits": {"card": "1"}},
        {"type": "identify", "userId": "old", "timestamp": "2001-01-01T00:00Z",
         "traits": {"card": "2", "city": "Rome"}},
    )  # fmt: skip
    found = quality(onefold.settings)
    city, age, card = (found.traits[name] for name in ("city", "age", "card"))
    assert (found.profiles, found.fresh_days) == (3, 365)
    assert (city.complete, city.valid, city.consistent, city.fresh) == (0.6667, 1.0, 0.0, 0.5)
    assert (age.complete, age.valid, age.consistent) == (0.3333, 0.5, None)
    assert (card.unique, card.complete) == (0.3333, 1.0)
    assert found.sources["crm"].valid == 0.6667
    assert quality_last(onefold.settings) == found
    one = profile_quality(onefold.settings, "user_id:ann")
    assert (one.overall.complete, one.overall.valid, one.traits["age"].valid) == (1.0, 0.8, 0.5)


def test_without_a_report_it_is_as_of_never(onefold: Stepped) -> None:
    assert quality_last(onefold.settings).as_of == 0
