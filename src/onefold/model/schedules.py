"""When a source runs by itself, and what is done when it does not work."""

from __future__ import annotations

from typing import Literal

import msgspec

from onefold.model.quantities import parse_duration

CatchUp = Literal["once", "skip"]


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a source runs: `every` so long, at the times of `cron`, or `always` (it waits for more).

    `cron` is read in `time_zone`. Times that passed while nothing ran are caught up `once`, or
    skipped. After `alarm_after` failures in a row `onefold status` and `/health` say so. What gives
    nothing for as long as `silent` says is ended and tried again.
    """

    every: str = ""
    cron: str = ""
    time_zone: str = "UTC"
    always: bool = False
    catch_up: CatchUp = "once"
    alarm_after: int = 3
    silent: str = "15m"

    @property
    def interval(self) -> int:
        """Microseconds from one run to the next."""
        return int(parse_duration(self.every) * 1_000_000)

    @property
    def silent_us(self) -> int:
        """Microseconds after which a run that gives nothing is ended."""
        return int(parse_duration(self.silent) * 1_000_000)

    @property
    def by_hand(self) -> bool:
        """Does it only run when somebody asks?"""
        return not (self.every or self.cron or self.always)
