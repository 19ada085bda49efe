"""Jobs in the store: asked for, done by one, told about, canceled, taken up again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.model.errors import Conflict, NotFound
from onefold.store import SQLiteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "store.db")
    yield store
    store.close()


def add(store: SQLiteStore, kind: str = "rebuild") -> int:
    return store.jobs.add(kind, "everything", {"deep": True}, 10, "ann")


def test_a_job_is_done_once_and_keeps_what_came_out(store: SQLiteStore) -> None:
    job = add(store)
    assert (store.jobs.start(job, 11), store.jobs.start(job, 12)) == (True, False)
    store.jobs.progress(job, 3, 9, "folding")
    half = store.jobs.get(job)
    store.jobs.finish(job, 20, "done", {"found": 2})
    whole = store.jobs.get(job)

    assert (half.state, half.done, half.total, half.step) == ("running", 3, 9, "folding")
    assert (half.argument, half.created_by, half.started_at) == ({"deep": True}, "ann", 11)
    assert (whole.state, whole.done, whole.result) == ("done", 9, {"found": 2})
    assert store.jobs.open(["rebuild"]) == []


def test_what_waits_is_canceled_at_once_what_runs_is_asked_to_stop(store: SQLiteStore) -> None:
    waiting, running = add(store), add(store)
    store.jobs.start(running, 11)
    store.jobs.cancel(waiting, 12, "bob")
    store.jobs.cancel(running, 12, "bob")

    assert store.jobs.get(waiting).state == "canceled"
    assert (store.jobs.get(running).state, store.jobs.canceling(running)) == ("running", True)
    with pytest.raises(Conflict, match="canceled already"):
        store.jobs.cancel(waiting, 13, "bob")
    with pytest.raises(NotFound):
        store.jobs.cancel(99, 13, "bob")
    actions = [entry.action for entry in store.registry.audit_entries(99, 9)]
    assert actions == ["job.cancel", "job.cancel", "job.add", "job.add"]


def test_after_a_crash_it_goes_on_where_it_was(store: SQLiteStore) -> None:
    job = add(store)
    store.jobs.start(job, 11)
    store.jobs.progress(job, 5, 9, "")
    store.jobs.keep(job, [5, "x"])
    store.jobs.recover(["rebuild"], 30)

    found = store.jobs.get(job)
    assert (found.state, found.done, store.jobs.position(job)) == ("waiting", 5, [5, "x"])


def test_what_ends_its_process_again_and_again_is_given_up(store: SQLiteStore) -> None:
    job = add(store)
    for _ in range(3):
        assert store.jobs.start(job, 11)
        store.jobs.recover(["rebuild"], 30)
    assert (store.jobs.get(job).state, store.jobs.get(job).finished_at) == ("failed", 30)
    canceled = add(store)
    store.jobs.start(canceled, 11)
    store.jobs.cancel(canceled, 12, "bob")
    store.jobs.recover(["rebuild"], 30)
    assert store.jobs.get(canceled).state == "canceled"


def test_pages_are_newest_first(store: SQLiteStore) -> None:
    one, two, three = add(store), add(store, "backtest"), add(store)
    store.jobs.finish(two, 5, "failed", reason="no")
    assert [job.id for job in store.jobs.page(1 << 62, 2)] == [three, two]
    assert [job.id for job in store.jobs.page(two, 2)] == [one]
    assert [job.id for job in store.jobs.page(1 << 62, 9, only_open=True)] == [three, one]
    store.jobs.forget(6)
    assert [job.id for job in store.jobs.page(1 << 62, 9)] == [three, one]
