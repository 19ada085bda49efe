"""What `bench.preview` asks, and the files that a person who knows the layout reads for it."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from bench.population_data import DAY, END
from onefold.app.workspace import open_lake
from onefold.config import Settings
from onefold.lake import parse_file_name

RULE = (
    "country = 'CN' and count_of('Order Completed', last => interval 30 day) >= 3"
    " and sum_of('Order Completed', properties.revenue, last => interval 30 day) >= 100"
    " and not did('Email Opened', last => interval 14 day)"
)
NOW = END - 1
# The days of the rule are those of Shanghai, where it is eight o'clock when the lake ends.
_MIDNIGHT = END - 8 * DAY // 24
ORDERS, MAILS = _MIDNIGHT - 29 * DAY, _MIDNIGHT - 13 * DAY
THREADS = os.cpu_count() or 2
# With fewer threads than three DuckDB groups in tables that outgrow the processor's cache.
DUCK_THREADS = max(3, THREADS)
REVENUE, COUNTRY = '["properties","revenue","number"]', '["traits","country","text"]'


class Files(NamedTuple):
    """The files that a person who knows the layout reads."""

    events: list[str]
    moves: list[str]
    profiles: list[str]
    known: int
    """Moves up to this batch are in all of these events."""


def files_of(settings: Settings) -> Files:
    """The files of the days that matter, and of what everybody is now."""
    lake = open_lake(settings)
    first = time.strftime("%Y%m%d", time.gmtime(ORDERS // 1_000_000))
    parts = {name: lake.snapshot(name)[1] for name in ("events", "moves", "profiles")}
    events = sorted(f for f in parts["events"] if first <= parse_file_name(f).part < "3")
    return Files(
        events,
        parts["moves"],
        [f for f in parts["profiles"] if parse_file_name(f).part == "now"],
        min(parse_file_name(f).batch for f in events),
    )
