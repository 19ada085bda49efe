"""Rates of exchange, by day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple


class DayRates(NamedTuple):
    """What one unit of `base` is in other currencies, on a day."""

    base: str
    day: date
    rates: Mapping[str, float]
