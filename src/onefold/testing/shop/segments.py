"""Segments to try on the shop: each as a definition and, once more, as a plain function.

The function is what the rule means, slow and obviously right; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import yaml

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Happening(msgspec.Struct, frozen=True):
    """An event of a profile, as far as rules look at it."""

    name: str
    day: int
    properties: dict[str, Any]


class Known(msgspec.Struct, frozen=True):
    """What is known of a profile on a day: its golden traits and its events until then."""

    traits: dict[str, Any]
    events: tuple[Happening, ...]
    today: int

    def of(self, name: str, days: int | None = None) -> list[Happening]:
        """The events of a name, of the last so many calendar days, today included."""
        since = 0 if days is None else self.today - days + 1
        return [e for e in self.events if e.name == name and since <= e.day <= self.today]

    def revenue(self, name: str, days: int | None = None) -> float:
        """What these events sum up to."""
        return float(sum(event.properties.get("revenue", 0) for event in self.of(name, days)))


class DemoSegment(msgspec.Struct, frozen=True):
    """A segment: its rule, and what the rule means."""

    name: str
    description: str
    rule: str
    holds: Callable[[Known], bool]


def local_day(time: int, timezone: str) -> int:
    """The calendar day of a moment, as a number that grows by one each day."""
    moment = _EPOCH + timedelta(microseconds=time)
    return moment.astimezone(ZoneInfo(timezone)).toordinal()


SEGMENTS = (
    DemoSegment(
        "loyal_in_china",
        "三十天内至少三单的中国顾客: three orders or more within thirty days",
        "country = 'CN' and count_of('Order Completed', last => interval 30 day) >= 3",
        lambda p: p.traits.get("country") == "CN" and len(p.of("Order Completed", 30)) >= 3,
    ),
    DemoSegment(
        "big_spenders",
        "Customers in China who spent 3,000 yuan or more within ninety days",
        "country = 'CN' and "
        "sum_of('Order Completed', properties.revenue, last => interval 90 day) >= 3000",
        lambda p: (
            p.traits.get("country") == "CN" and round(p.revenue("Order Completed", 90), 6) >= 3000
        ),
    ),
    DemoSegment(
        "full_baskets",
        "One order of more than 1,000 (in any currency) within thirty days",
        "count_of('Order Completed', last => interval 30 day, where => properties.revenue > 1000)"
        " >= 1",
        lambda p: any(e.properties["revenue"] > 1000 for e in p.of("Order Completed", 30)),
    ),
    DemoSegment(
        "abandoned_carts",
        "Put something into the cart within three days and ordered nothing",
        "did('Product Added', last => interval 3 day) "
        "and not did('Order Completed', last => interval 3 day)",
        lambda p: bool(p.of("Product Added", 3)) and not p.of("Order Completed", 3),
    ),
    DemoSegment(
        "lapsed",
        "Ordered once, but not within the last fourteen days",
        "did('Order Completed') and not did('Order Completed', last => interval 14 day)",
        lambda p: bool(p.of("Order Completed")) and not p.of("Order Completed", 14),
    ),
    DemoSegment(
        "readers",
        "Opened two e-mails or more within fourteen days",
        "count_of('Email Opened', last => interval 14 day) >= 2",
        lambda p: len(p.of("Email Opened", 14)) >= 2,
    ),
    DemoSegment(
        "needs_care",
        "Called and brought something back within thirty days",
        "did('Support Call', last => interval 30 day) "
        "and did('Order Refunded', last => interval 30 day)",
        lambda p: bool(p.of("Support Call", 30)) and bool(p.of("Order Refunded", 30)),
    ),
    DemoSegment(
        "abroad",
        "Customers outside China; whose country is unknown is not among them",
        "country <> 'CN'",
        lambda p: p.traits.get("country") not in (None, "CN"),
    ),
    DemoSegment(
        "window_shoppers",
        "Looked at ten products or more within seven days and never ordered",
        "count_of('Product Viewed', last => interval 7 day) >= 10 and not did('Order Completed')",
        lambda p: len(p.of("Product Viewed", 7)) >= 10 and not p.of("Order Completed"),
    ),
    DemoSegment(
        "women_in_shanghai",
        "上海的女性顾客: women in Shanghai",
        "city = '上海' and gender = 'female'",
        lambda p: p.traits.get("city") == "上海" and p.traits.get("gender") == "female",
    ),
)


def definitions() -> str:
    """The shop's segments, one YAML document each."""
    documents = [
        {"kind": "segment", "name": s.name, "description": s.description, "rule": s.rule}
        for s in SEGMENTS
    ]
    return yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False, width=100)
