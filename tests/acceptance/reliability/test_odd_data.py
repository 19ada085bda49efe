"""Data that a stage cannot digest, and clocks that jump: one record suffers, the pipeline goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onefold.app.folding.rebuild import check_rebuild, rebuild
from onefold.app.profiles.finding import profile
from onefold.app.rejects import reject_list, reject_replay
from onefold.app.status import status_of
from onefold.app.worker.loop import Worker
from onefold.app.workspace import id_maker, now_us, open_lake, open_log, open_store
from onefold.eventlog.files import FileEventLog
from onefold.model.delivery import Delivery
from onefold.model.records import Accepted, encode_accepted
from onefold.store import BatchWrite, SQLiteStore
from onefold.testing.patience import wait_until
from tests.acceptance.reliability.site import Event, Site

HOUR = 3_600_000_000
RECENT = "kind: segment\nname: recent\nrule: did('Order Completed', last => interval 3 day)\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "data")


def of_user(user: str, number: int, **more: Any) -> Event:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": user,
        "messageId": f"{user}-{number}",
        **more,
    }


def earlier(events: list[Event]) -> list[Event]:
    """The same half a day ago: also for a clock that is some hours behind, they have happened."""
    at = datetime.fromtimestamp(now_us() / 1e6, UTC) - timedelta(hours=12)
    return [{**event, "timestamp": at.isoformat()} for event in events]


def damage_profile(site: Site, reference: str) -> tuple[int, bytes]:
    """Make a stored profile unreadable; its number and what stood there."""
    with open_store(site.settings) as store:
        user = profile(site.settings, reference)
        number = store.current_id(_number(user.id))
        assert number is not None
        document = store.documents([number])[number]
        set_document(store, number, document[: len(document) // 2])
        return number, document


def _number(name: str) -> int:
    from onefold.model.profile import parse_profile_name

    found = parse_profile_name(name)
    assert found is not None
    return found


def set_document(store: SQLiteStore, number: int, document: bytes) -> None:
    with store.db.transaction() as connection:
        connection.execute("update profiles set document = ? where id = ?", (document, number))


def test_a_profile_that_cannot_be_read_stops_nobody_else(site: Site) -> None:
    site.send([of_user(user, 0) for user in ("ann", "bob", "cat")])
    site.run_until_done()
    number, document = damage_profile(site, "user_id:bob")
    with site.worker():
        site.send([of_user(user, n) for n in range(1, 40) for user in ("ann", "bob", "cat")])
        site.wait_until_processed()
        assert profile(site.settings, "user_id:ann").computed["event_count"] == 40
        rejects = reject_list(site.settings)
        assert len(rejects) == 39
        assert all("could not process" in one.reasons[0] for one in rejects)
        with open_store(site.settings) as store:
            set_document(store, number, document)
        reject_replay(site.settings)
        site.wait_until_processed()
    site.assert_exactly_once()


def test_of_a_batch_only_the_event_suffers(site: Site) -> None:
    site.send([of_user(user, 0) for user in ("ann", "bob", "cat")])
    site.run_until_done()
    number, document = damage_profile(site, "user_id:bob")
    events = [of_user(user, n) for n in range(1, 9) for user in ("ann", "bob", "cat")]
    del events[5]["messageId"]
    body = json.dumps({"batch": events, "sentAt": "2026-01-01T00:00:00Z"}).encode()
    with site.log() as log:
        log.append([encode_accepted(Accepted("default", now_us(), "batch", body))])
    site.run_until_done()
    assert len(reject_list(site.settings)) == 8
    assert profile(site.settings, "user_id:cat").computed["event_count"] == 9
    with open_store(site.settings) as store:
        set_document(store, number, document)
    reject_replay(site.settings)
    site.run_until_done()
    assert profile(site.settings, "user_id:bob").computed["event_count"] == 9
    assert sum(site.lake().values()) == 3 + len(events)
    assert check_rebuild(site.settings).differences == ()


def test_a_profile_that_cannot_be_read_does_not_stop_time(site: Site) -> None:
    site.define(RECENT)
    site.send([of_user(user, 0) for user in ("ann", "bob", "cat")])
    site.run_until_done()
    number, _ = damage_profile(site, "user_id:bob")
    with open_store(site.settings) as store, store.db.transaction() as connection:
        connection.execute("update profiles set due = 1 where id = ?", (number,))
    with site.worker() as worker, open_store(site.settings) as store:
        wait_until(lambda: not store.due(now_us(), 9), "all due profiles were looked at")
        assert worker.is_alive()
        site.send([of_user("ann", 1)])
        site.wait_until_processed()
    assert profile(site.settings, "user_id:ann").computed["event_count"] == 2


def test_a_record_that_nobody_can_read_becomes_a_reject(site: Site) -> None:
    with site.log() as log:
        site.send(site.events(3), log)
        log.append([b"\xc1 no message", b""])
        site.send(site.events(3), log)
    site.run_until_done()
    assert [one.kind for one in reject_list(site.settings)] == ["unreadable"] * 2
    site.assert_exactly_once()


class Clock:
    """A wall clock that can be set."""

    def __init__(self) -> None:
        self._ahead = 0

    def __call__(self) -> int:
        return now_us() + self._ahead

    def turn(self, by: int) -> None:
        self._ahead += by


@contextmanager
def worker_with(site: Site, clock: Clock) -> Iterator[tuple[Worker, SQLiteStore]]:
    with open_store(site.settings) as store:
        events: FileEventLog = open_log(site.settings, store, None)
        try:
            yield Worker(site.settings, store, open_lake(site.settings), events, clock), store
        finally:
            events.close()


def work(worker: Worker, store: SQLiteStore) -> None:
    """All that waits, and then one look at the time windows, which is due after a pause."""
    for pause in (0.6, 0):
        while worker.step():
            pass
        time.sleep(pause)
    worker.write_beat({"store_fault": "", "lake_fault": ""})


def test_a_clock_that_jumps_back_is_named_and_stops_nothing(site: Site) -> None:
    clock = Clock()
    site.define(RECENT)
    with worker_with(site, clock) as (worker, store):
        site.send(earlier(site.events(10)))
        work(worker, store)
        clock.turn(-2 * HOUR)
        site.send(earlier(site.events(10)))
        work(worker, store)
        clocks = [one for one in status_of(site.settings, store).checks if one.name == "clock"]
        assert [one.state for one in clocks] == ["degraded"]
        assert "went back" in clocks[0].detail
        assert status_of(site.settings, store).segments == {"recent": 7}
        clock.turn(100 * HOUR)
        work(worker, store)
        assert not status_of(site.settings, store).segments.get("recent")
    site.run_until_done()
    # Who left by a clock that was days ahead is out until something is heard of them.
    site.assert_exactly_once(apart_from="segments")


def test_time_windows_end_although_the_clock_jumped_back_before(site: Site) -> None:
    clock = Clock()
    clock.turn(-6 * HOUR)
    site.define(RECENT)
    with worker_with(site, clock) as (worker, store):
        site.send(earlier([of_user("ann", 0)]))
        work(worker, store)
        clock.turn(-HOUR)
        work(worker, store)
        assert status_of(site.settings, store).segments == {"recent": 1}
        clock.turn(100 * HOUR)
        work(worker, store)
        assert not status_of(site.settings, store).segments.get("recent")


def test_ids_grow_although_the_clock_jumped_back(site: Site) -> None:
    ahead = id_maker()() + (HOUR // 1000 << 22)
    assert id_maker(ahead)() > ahead
    site.send([of_user("ann", 0)])
    site.run_until_done()
    with open_store(site.settings) as store:
        number = store.newest_id()
        moved = number + (HOUR // 1000 << 22)
        with store.db.transaction() as connection:
            connection.execute("update profiles set id = ?", (moved,))
        assert store.newest_id() == moved


def test_deliveries_planned_before_the_clock_jumped_back_do_not_wait_for_it(site: Site) -> None:
    now = now_us()
    with open_store(site.settings) as store:
        planned = [Delivery(0, "crm", n, f"k{n}", b"{}", now, 0, now + n * HOUR) for n in (0, 1, 3)]
        store.write(BatchWrite(1, deliveries=planned))
        store.outbox.clock_went_back(2 * HOUR, now - 2 * HOUR)
        due = store.outbox.due("crm", now - 2 * HOUR, 9)
        assert [one.key for one in due] == ["k0"]
        later = store.outbox.due("crm", now - HOUR, 9)
        assert [one.key for one in later] == ["k0", "k1"]


def test_a_rebuild_puts_right_a_profile_that_cannot_be_read(site: Site) -> None:
    site.define(RECENT)
    alias = {"type": "alias", "userId": "bob", "previousId": "bobby", "messageId": "merge"}
    site.send([of_user(user, n) for user in ("ann", "bob", "bobby", "cat") for n in range(5)])
    site.run_until_done()
    site.send([alias])
    site.run_until_done()
    before = profile(site.settings, "user_id:bob")
    damage_profile(site, "user_id:bob")
    assert [one.what for one in check_rebuild(site.settings).differences] == ["unreadable"]
    rebuild(site.settings)
    assert profile(site.settings, "user_id:bob") == before
    assert profile(site.settings, before.aliases[0]) == before
    site.assert_exactly_once()
