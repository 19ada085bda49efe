"""Replay: events that the log still holds are put into it again, and processed as if they came now.

What was processed before is known by its message id and changes nothing, so a replay can be
repeated and stopped at any moment.
"""

from __future__ import annotations

import msgspec

from onefold.app.imports.undone import is_of
from onefold.app.workspace import open_log, open_store
from onefold.config import Settings
from onefold.model.records import decode_accepted

_WRITER = "replay"
_RECORDS, _BYTES = 5_000, 8 * 1024 * 1024


class ReplayReport(msgspec.Struct, frozen=True):
    """How many requests were put into the log again, and how many the log holds."""

    replayed: int
    held: int


def replay(settings: Settings, since: int | None = None, until: int | None = None) -> ReplayReport:
    """Put requests received from `since` on and before `until` into the log again."""
    held = replayed = 0
    with open_store(settings, cache_mb=4) as store:
        reading, writing = open_log(settings, store, None), open_log(settings, store, _WRITER)
        try:
            ends = reading.ends()
            positions: dict[str, int] = {}
            undone = store.loads.undone()
            while records := reading.read(positions, _RECORDS, _BYTES):
                positions |= {one.partition: one.next_offset for one in records}
                # What this replay itself appends lies behind these ends.
                older = [one for one in records if one.offset < ends.get(one.partition, 0)]
                if not older:
                    break
                # What replays before this one appended stands in other partitions too.
                older = [one for one in older if not one.partition.startswith(f"{_WRITER}-")]
                chosen = [one.payload for one in older if _between(one.payload, since, until)]
                if undone:
                    chosen = [one for one in chosen if not is_of(one, undone)]
                held += len(older)
                replayed += len(chosen)
                if chosen:
                    writing.append(chosen)
        finally:
            writing.close()
            reading.close()
    return ReplayReport(replayed, held)


def _between(payload: bytes, since: int | None, until: int | None) -> bool:
    at = decode_accepted(payload).received_at
    return (since is None or at >= since) and (until is None or at < until)
