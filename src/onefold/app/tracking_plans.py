"""Tracking plans at work: what broke them."""

from __future__ import annotations

from typing import Any

import msgspec

from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput
from onefold.model.plans import ViolationCount

_US_A_DAY = 86_400_000_000
_MOST_DAYS = 90


class Draft(msgspec.Struct, frozen=True):
    """A plan that all the events that were looked at obey, as a definition and as YAML."""

    events: int
    definition: dict[str, Any]
    yaml: str


def violation_list(
    settings: Settings,
    *,
    days: int = 7,
    source: str = "",
    event: str = "",
    plan: str = "",
    by_hour: bool = False,
    limit: int = 1_000,
) -> list[ViolationCount]:
    """What broke tracking plans in the last days, the most frequent first; or hour by hour."""
    check_days(days)
    with open_store(settings, cache_mb=4) as store:
        return store.violations.list(
            now_us() - days * _US_A_DAY,
            source=source,
            event=event,
            plan=plan,
            by_hour=by_hour,
            limit=limit,
        )


def check_days(days: int) -> None:
    """Raise where it is no number of days that a question may look back."""
    if not 0 < days <= _MOST_DAYS:
        fault = Fault(f"must be 1 to {_MOST_DAYS}", "days")
        raise InvalidInput("the question cannot be answered", [fault])
