"""A clock that was days ahead leaves nobody in or out of a segment for longer than it was."""

from __future__ import annotations

from pathlib import Path

import msgspec

from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.worker.loop import Worker
from onefold.app.workspace import now_us, open_lake, open_log, open_store
from onefold.config import Settings
from onefold.model.records import Accepted, encode_accepted
from onefold.store import SQLiteStore
from onefold.testing.patience import wait_until

DAY = 86_400_000_000
RULE = """
kind: segment
name: active
rule: count_of('Order Completed', last => interval 3 day) >= 1
"""


def wait_for(worker: Worker, store: SQLiteStore, size: int) -> None:
    def found() -> bool:
        worker.step()
        return store.segment_sizes().get("active", 0) == size

    wait_until(found, f"{size} in the segment", pause=0)


def test_what_a_clock_ahead_ended_begins_again(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", min_free_disk=0)
    make_workspace(settings)
    ahead = 0
    with open_store(settings) as store:
        put(store, read_text(RULE), "test")
        log = open_log(settings, store, "test")
        worker = Worker(settings, store, open_lake(settings), log, lambda: now_us() + ahead)
        try:
            order = {"type": "track", "userId": "ann", "event": "Order Completed"}
            body = msgspec.json.encode({"batch": [order]})
            log.append([encode_accepted(Accepted("default", now_us(), "batch", body))])
            wait_for(worker, store, 1)
            ahead = 5 * DAY
            wait_for(worker, store, 0)
            worker.write_beat({})
            ahead = 0
            worker.write_beat({})
            wait_for(worker, store, 1)
        finally:
            worker.close()
            log.close()
