from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.model.errors import Conflict, NotFound
from onefold.model.loads import SourceState
from onefold.store import SQLiteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "store.db", cache_mb=1)
    yield store
    store.close()


def test_rows_and_position_are_kept_in_one_step(store: SQLiteStore) -> None:
    load = store.loads.begin("crm", "pull", at=1, actor="cli")
    store.loads.advance(load.id, 2, rows=10, unreadable=1, total=30, position={"after": 10})
    store.loads.advance(load.id, 3, rows=5, position={"after": 15})

    found = store.loads.get(load.id)
    assert (found.rows, found.unreadable, found.total, found.seen_at) == (15, 1, 30, 3)
    assert store.source_states.get("crm").position == {"after": 15}


def test_a_load_that_a_crash_broke_off_goes_on(store: SQLiteStore) -> None:
    first = store.loads.begin("crm", "pull", at=1, actor="cli")
    again = store.loads.begin("crm", "pull", at=2, actor="cli")
    assert (again.id, again.attempts) == (first.id, 2)

    store.loads.finish(again.id, 3, "done")
    assert store.loads.begin("crm", "pull", at=4, actor="cli").id != first.id


def test_a_canceled_load_does_not_go_on_after_a_crash(store: SQLiteStore) -> None:
    first = store.loads.begin("crm", "pull", at=1, actor="cli")
    store.loads.cancel(first.id, 2, "cli")
    second = store.loads.begin("crm", "pull", at=3, actor="cli")
    assert second.id != first.id
    assert store.loads.get(first.id).state == "canceled"
    store.loads.finish(second.id, 4, "done")
    with pytest.raises(Conflict, match="is done already"):
        store.loads.cancel(second.id, 5, "cli")


def test_failures_in_a_row_are_counted_until_a_run_works(store: SQLiteStore) -> None:
    states = store.source_states
    assert states.get("crm") == SourceState("crm")
    assert [states.ended("crm", 1, "no answer", 9) for _ in range(3)] == [1, 2, 3]
    assert states.get("crm").reason == "no answer"
    assert states.ended("crm", 2, "", 9) == 0
    assert states.get("crm") == SourceState("crm", succeeded_at=2, due_at=9)


def test_a_run_that_was_asked_for_is_had_once_it_begins(store: SQLiteStore) -> None:
    store.source_states.want("crm", 5, "cli")
    assert store.source_states.get("crm").wanted == 5
    store.source_states.began("crm", 6)
    assert store.source_states.get("crm") == SourceState("crm", ran_at=6)


def test_begun_anew_a_source_has_no_position(store: SQLiteStore) -> None:
    load = store.loads.begin("crm", "pull", at=1, actor="cli")
    store.loads.advance(load.id, 2, rows=1, position={"after": 1})
    store.source_states.begin_anew("crm", 3, "cli")
    assert store.source_states.get("crm").position is None


def test_secrets_are_listed_by_name_and_removed(store: SQLiteStore) -> None:
    store.secrets.put("token", b"\x01\x02", 1, "cli")
    store.secrets.put("token", b"\x03", 2, "ann")
    assert store.secrets.get("token") == b"\x03"
    assert store.secrets.names() == [("token", 2, "ann")]
    store.secrets.remove("token", 3, "cli")
    assert store.secrets.get("token") is None
    with pytest.raises(NotFound):
        store.secrets.remove("token", 4, "cli")


def test_every_change_by_a_person_is_in_the_audit_log(store: SQLiteStore) -> None:
    store.secrets.put("token", b"\x01", 1, "ann")
    store.source_states.pause("crm", 2, "ann", paused=True)
    store.source_states.pause("crm", 3, "ann", paused=False)
    store.source_states.want("crm", 4, "ann")
    entries = store.registry.audit_entries(1 << 62, 10)
    told = [(one.action, one.target, one.actor) for one in reversed(entries)]
    assert told == [
        ("secret.set", "token", "ann"),
        ("source.pause", "crm", "ann"),
        ("source.resume", "crm", "ann"),
        ("source.run", "crm", "ann"),
    ]
