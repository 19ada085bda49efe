"""Loads: what one run of a pulled source, or the import of one file, brought."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

LoadState = Literal["running", "done", "failed", "canceled", "paused", "undone"]
LoadKind = Literal["pull", "import"]


class Load(msgspec.Struct, frozen=True):
    """One run of a pulled source, or the import of one file.

    `rows` were read and accepted, `unreadable` things were no records, both for good. `total` is how
    many are expected (null: not known). Of what was folded so far, `events` came for the first time,
    `repeats` had come before, and `rejects` could not be used, with all that is unreadable; `nameless_emails` and
    `nameless_phones` could not be read as such, so that they identify nobody. After a crash the same load goes on: `attempts` says how often it was begun.
    """

    id: int
    source: str
    kind: LoadKind
    state: LoadState
    canceling: bool
    created_by: str
    started_at: int
    seen_at: int
    ended_at: int | None
    attempts: int
    rows: int
    unreadable: int
    bytes: int
    total: int | None
    events: int
    repeats: int
    rejects: int
    nameless_emails: int
    nameless_phones: int
    reason: str
    report: dict[str, Any]

    def rate(self, now: int) -> float:
        """Rows a second, over the whole load."""
        seconds = ((self.ended_at or now) - self.started_at) / 1e6
        return self.rows / seconds if seconds > 0 else 0.0

    def remaining(self, now: int) -> float | None:
        """Seconds until it should be done; None where that cannot be known.

        >>> known = [1, "crm", "pull", "running", False, "cli", 0, 0, None, 1, 50, 0, 0, 200, 0, 0, 0, 0, 0]
        >>> Load(*known, reason="", report={}).remaining(1_000_000)
        3.0
        """
        rate = self.rate(now)
        if self.total is None or self.state != "running" or not rate:
            return None
        return max(0, self.total - self.rows) / rate


class LoadCount(NamedTuple):
    """What one batch of the pipeline has of a load: events that came for the first time, repeats, and
    addresses and numbers that identify nobody.
    """

    source: str
    load: str
    events: int
    repeats: int
    nameless_emails: int = 0
    nameless_phones: int = 0


_NAMED = '"load":"'


def load_in(context: str) -> str:
    """The load that brought an event, as the event's context (JSON) tells; empty where none did.

    >>> load_in('{"load":"12","place":"row 1"}')
    '12'
    """
    start = context.find(_NAMED)
    if start < 0:
        return ""
    start += len(_NAMED)
    return context[start : context.index('"', start)]


class SourceState(msgspec.Struct, frozen=True):
    """Where a pulled source goes on, and how its last runs went.

    `due_at` is when it runs next by itself (0: not yet planned), `wanted` when somebody asked for a
    run (0: nobody waits for one), `failures` how often in a row it failed, and `reason` why.
    """

    source: str
    position: dict[str, Any] | None = None
    paused: bool = False
    wanted: int = 0
    failures: int = 0
    ran_at: int = 0
    succeeded_at: int = 0
    due_at: int = 0
    reason: str = ""
    warning: str = ""
