"""What a tag's definition may say: every fault of it, with its key and a hint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import msgspec

from onefold.model.definitions import (
    Lifecycle,
    Preference,
    ProductPreference,
    Ranking,
    Rfm,
    Statistics,
)
from onefold.model.errors import Fault, InvalidInput
from onefold.segment import parse_expression, parse_rule
from onefold.segment.ready import is_property
from onefold.segment.refreshing import compile_statistics, rank_faults
from onefold.segment.schedule import parse_duration, parse_schedule

Body = dict[str, Any]
WAYS = (
    "cases",
    "rank",
    "statistics",
    "rfm",
    "lifecycle",
    "preference",
    "product_preference",
    "values",
)
"""Where a tag's values come from: one of these keys."""
KEYS = {*WAYS, "state", "refresh", "expires_after", "expires"}
_RECORDS: dict[str, type[Any]] = {
    "rank": Ranking,
    "statistics": Statistics,
    "rfm": Rfm,
    "lifecycle": Lifecycle,
    "preference": Preference,
    "product_preference": ProductPreference,
}
_OF_EVERYBODY = ("rank", "statistics", "rfm")
_MOST_VALUES, _MOST_DAYS = 1_000, 3_660
_MOST_AMONG, _MOST_LEAST, _LONGEST = 100, 1_000_000, 100


def tag_faults(body: Body) -> Iterator[Fault]:
    """All faults of a tag but those of its cases and of keys that are not known."""
    ways = [way for way in WAYS if way in body]
    if len(ways) != 1:
        hint = f"write one of {', '.join(WAYS)}"
        what = " and ".join(ways) or "nothing"
        yield Fault(f"says {what} of where its values come from", "", hint)
    for way in ways:
        if way in _RECORDS:
            yield from _record_faults(way, body[way])
    if "values" in body:
        yield from _values_faults(body["values"])
    yield from _time_faults(body, ways)


def _record_faults(way: str, written: object) -> Iterator[Fault]:
    try:
        about = msgspec.convert(written, _RECORDS[way])
    except msgspec.ValidationError as error:
        yield Fault(str(error).split(" - ", maxsplit=1)[0], way)
        return
    if isinstance(about, Ranking | Statistics):
        yield from _language_faults(f"{way}.by", parse_expression, about.by)
        if about.where:
            yield from _language_faults(f"{way}.where", parse_rule, about.where)
    if isinstance(about, Ranking):
        yield from rank_faults(about)
    elif isinstance(about, Statistics):
        yield from _language_faults(f"{way}.cases", lambda _: compile_statistics(about), "")
    else:
        yield from _ready_faults(way, about)


def _ready_faults(way: str, about: object) -> Iterator[Fault]:
    if isinstance(about, Rfm):
        root, _, key = about.value.partition(".")
        if root not in ("properties", "context") or not key:
            yield Fault("must be a property", "rfm.value", "for example: properties.revenue")
        yield from _days_faults("rfm.days", about.days)
    elif isinstance(about, Lifecycle):
        if not 0 < about.active < about.at_risk < about.dormant <= _MOST_DAYS:
            hint = "for example: active: 30, at_risk: 90, dormant: 180"
            yield Fault("must be growing numbers of days", way, hint)
    elif isinstance(about, Preference):
        yield from _days_faults("preference.days", about.days)
        if not about.channels or not all(about.channels.values()):
            hint = "for example: {email: [Email Opened], sms: [SMS Clicked]}"
            yield Fault("must name events for each channel", "preference.channels", hint)
    elif isinstance(about, ProductPreference):
        yield from _product_faults(about)


def _product_faults(about: ProductPreference) -> Iterator[Fault]:
    way = "product_preference"
    yield from _days_faults(f"{way}.days", about.days)
    if not 1 <= about.least <= _MOST_LEAST:
        yield Fault(f"must be from 1 to {_MOST_LEAST:,} events", f"{way}.least")
    if not about.event.strip():
        yield Fault("must name an event", f"{way}.event", "for example: Order Completed")
    if len(about.among) > _MOST_AMONG:
        yield Fault(f"at most {_MOST_AMONG} values", f"{way}.among", "leave it out to take any")
    if not all(0 < len(one) <= _LONGEST for one in (*about.among, about.otherwise or "-")):
        yield Fault(f"a value has 1 to {_LONGEST} characters", way)
    if not is_property(about.property):
        hint = "for example: category, products[].category, context.campaign.name"
        yield Fault("must be a property", f"{way}.property", hint)


def _language_faults(where: str, read: Callable[[str], object], text: str) -> Iterator[Fault]:
    try:
        read(text)
    except InvalidInput as error:
        for one in error.faults:
            yield Fault(one.message, f"{where} {one.where}".strip(), one.hint)


def _days_faults(where: str, days: int) -> Iterator[Fault]:
    if not 0 < days <= _MOST_DAYS:
        yield Fault(f"must be from 1 to {_MOST_DAYS} days", where)


def _values_faults(values: object) -> Iterator[Fault]:
    if (
        not isinstance(values, list)
        or not values
        or not all(isinstance(one, str) and one for one in values)
        or len(set(values)) < len(values)
    ):
        yield Fault("must be a list of different texts", "values", "for example: [gold, silver]")
    elif len(values) > _MOST_VALUES:
        yield Fault(f"at most {_MOST_VALUES:,} values", "values", "use a trait instead")


def _time_faults(body: Body, ways: list[str]) -> Iterator[Fault]:
    for key, read in (
        ("refresh", parse_schedule),
        ("expires_after", parse_duration),
        ("expires", date.fromisoformat),
    ):
        if key not in body:
            continue
        try:
            read(body[key])
        except InvalidInput as error:
            yield Fault(error.faults[0].message, key, error.faults[0].hint)
        except (AttributeError, TypeError, ValueError):
            yield Fault(f"{body[key]!r} cannot be read", key, "a date is written 2026-01-31")
    refreshed = any(way in _OF_EVERYBODY for way in ways)
    if "refresh" in body and not refreshed:
        yield Fault("is always up to date", "refresh", "leave it out")
    if "expires_after" in body and not refreshed and "values" not in ways:
        hint = "a rule's value ends by itself: write last => interval 30 day"
        yield Fault("is only for values that are given or refreshed", "expires_after", hint)
