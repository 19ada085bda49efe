"""A workspace with a worker in this process, and what of everything sent to it came through."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from onefold.app import access
from onefold.app.definitions import applying, files
from onefold.app.folding.rebuild import check_rebuild
from onefold.app.lake.tables import add_views, tables_now
from onefold.app.status import Check, Status, status
from onefold.app.worker.loop import run_worker
from onefold.app.workspace import log_path, now_us, open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.eventlog.files import FileEventLog, FileLogSettings
from onefold.model.profile import Profile, decode_profile
from onefold.model.records import Accepted, encode_accepted
from onefold.store import SQLiteStore
from onefold.testing.patience import PATIENCE, wait_until

Event = dict[str, Any]


class Site:
    """One workspace. Only what `send` returned for counts as accepted."""

    def __init__(self, data: Path, **settings: Any) -> None:
        quick = {"min_free_disk": 0, "lake_seconds": 0.1, "store_cache": 8 << 20}
        self.settings = Settings(data=data, **{**quick, **settings})
        access.make_workspace(self.settings)
        self.accepted: list[str] = []
        self._number = 0

    def define(self, text: str) -> None:
        """Put definitions in force."""
        with open_store(self.settings, cache_mb=1) as store:
            applying.put(store, files.read_text(text), "test")

    def events(self, count: int, users: int = 7) -> list[Event]:
        """So many events with message ids of their own, spread over a few users."""
        first, self._number = self._number, self._number + count
        return [
            {
                "type": "track",
                "event": "Order Completed",
                "messageId": f"m{number}",
                "userId": f"u{number % users}",
                "anonymousId": f"a{number % users}",
            }
            for number in range(first, first + count)
        ]

    def send(self, events: Sequence[Event], log: FileEventLog | None = None) -> None:
        """Put events into the log, one a record; raises where they are not accepted."""
        payloads = [
            encode_accepted(Accepted("default", now_us(), "event", json.dumps(event).encode()))
            for event in events
        ]
        if log is not None:
            log.append(payloads)
        else:
            with self.log() as own:
                own.append(payloads)
        self.accepted += [event["messageId"] for event in events]

    @contextmanager
    def log(self, segment_bytes: int = 1 << 20) -> Iterator[FileEventLog]:
        """The log, open for appending."""
        keep = FileLogSettings(segment_bytes=segment_bytes, min_free_bytes=0)
        log = FileEventLog(log_path(self.settings), "test-0", now_us, keep)
        try:
            yield log
        finally:
            log.close()

    @contextmanager
    def worker(self) -> Iterator[threading.Thread]:
        """A worker that runs meanwhile; what ends it comes out at the end."""
        stop, ready = threading.Event(), threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                run_worker(self.settings, ready.set, stop)
            except Exception as error:  # noqa: BLE001 - comes out in the test's own thread
                failures.append(error)
            finally:
                ready.set()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            yield thread
        finally:
            stop.set()
            thread.join(PATIENCE)
            assert not thread.is_alive()
        if failures:
            raise failures[0]

    def run_until_done(self) -> None:
        """Run a worker until all that was sent is processed and in the lake."""
        with self.worker():
            self.wait_until_processed()
        with open_store(self.settings, cache_mb=1) as store:
            assert store.queue_size() == (0, 0)

    def wait_until_processed(self) -> None:
        wait_until(lambda: not any(self.status().log.values()), "the log is processed")

    def status(self) -> Status:
        return status(self.settings)

    def check(self, name: str) -> Check:
        """The state of one part."""
        return next(one for one in self.status().checks if one.name == name)

    def store(self) -> SQLiteStore:
        return SQLiteStore(self.settings.data / "store.db", cache_mb=1)

    def profiles(self) -> list[Profile]:
        with open_store(self.settings, cache_mb=1) as store:
            documents = store.documents(store.profile_ids(0, 1_000_000)).values()
        return [decode_profile(document) for document in documents]

    def lake(self) -> Counter[str]:
        """How often each message id stands in the lake."""
        engine = DuckEngine()
        try:
            with open_store(self.settings, cache_mb=1) as store:
                add_views(engine, tables_now(store, open_lake(self.settings)))
            rows = engine.rows("ids", "select message_id, count(*) from all_events group by 1", {})
        finally:
            engine.close()
        return Counter(dict(rows))

    def assert_exactly_once(self, *, apart_from: str = "") -> None:
        """All that was accepted is in the lake and in the counts once, and the rebuild agrees."""
        expected = Counter(set(self.accepted))
        found = self.lake()
        assert found == expected, (
            f"missing {list(expected - found)[:9]}, too many {list(found - expected)[:9]}"
        )
        assert sum(node.events for one in self.profiles() for node in one.nodes) == len(expected)
        report = check_rebuild(self.settings)
        assert [one for one in report.differences if one.what != apart_from] == []
        assert report.events == len(expected)
