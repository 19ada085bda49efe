"""A source that keeps failing, or warns: who wants to know is told, and told when that is over."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onefold.activate.webhook import secret_text
from onefold.app.rejects import dead_list
from onefold.app.secret_values import secret_set
from onefold.app.syncs import alarms
from onefold.app.syncs.opening import pulled_source
from onefold.app.syncs.running import recovered, run_source
from onefold.app.syncs.taking import Steady, Stopping, Taking
from onefold.app.workspace import now_us
from onefold.model.delivery import Outcome
from onefold.model.errors import InvalidInput
from onefold.model.pulled import Batch, Position
from onefold.testing.receiver import Receiver
from tests.acceptance.conftest import Stepped
from tests.programs import jobs

KEY = bytes(range(32))


def destination(url: str = "https://ops.example.com/onefold", events: str = "") -> str:
    wanted = events or "[source.alarm, source.recovered]"
    return f"""
kind: destination
name: ops
type: webhook
url: {url}
secret: {{secret: ops}}
events: {wanted}
"""


def source(path: Path) -> str:
    return f"""
kind: source
name: crm
type: sql
settings: {{dialect: sqlite, file: {path}, tables: [{{table: customers}}]}}
schedule: {{every: 1h, alarm_after: 2}}
mapping: {{identifiers: {{user_id: id}}}}
"""


def told(onefold: Stepped) -> list[tuple[str, dict[str, Any]]]:
    """What waits for the destination: the type and what it says."""
    found = onefold.store.db.rows("select payload from deliveries order by id")
    said = [msgspec.json.decode(one) for (one,) in found]
    return [(one["type"], one["data"]) for one in said]


def test_a_source_that_keeps_failing_is_told_once_and_so_is_its_recovery(
    onefold: Stepped, tmp_path: Path
) -> None:
    path = tmp_path / "crm.db"
    onefold.define(source(path))
    secret_set(onefold.settings, "ops", secret_text(KEY))
    with Receiver(KEY) as receiver:
        onefold.define(destination(f"{receiver.url}/ops"))
        for _ in range(4):
            assert run_source(onefold.settings, "crm").state == "failed"
        with sqlite3.connect(path) as connection:
            connection.execute("create table customers (id integer primary key)")
        for _ in range(2):
            assert run_source(onefold.settings, "crm").state == "done"
        # Only now: it would read the source itself, which is due for the first time.
        with jobs(onefold.settings.data):
            alarm, well = receiver.wait_for(2)

    assert alarm.verified
    assert well.verified
    assert [one.json["type"] for one in (alarm, well)] == ["source.alarm", "source.recovered"]
    said = alarm.json["data"]
    assert (said["source"], said["failures"], said["succeeded"]) == ("crm", 2, None)
    assert "crm.db" in said["reason"] or "customers" in said["reason"]
    assert (well.json["data"]["failures"], well.json["data"]["reason"]) == (0, "")
    assert len(receiver.received) == 2


def test_a_warning_is_told_when_it_begins_and_when_it_ends(onefold: Stepped) -> None:
    onefold.define(destination())
    onefold.define(destination().replace("name: ops", "name: crm").replace("source.alarm, ", ""))
    for warning in ("keeps 2000 MB", "keeps 2100 MB", "", "keeps 1500 MB"):
        alarms.warned(onefold.store, "people", warning)
    found = [(kind, said["reason"]) for kind, said in told(onefold)]
    assert found == [
        ("source.alarm", "keeps 2000 MB"),
        ("source.recovered", ""),
        ("source.recovered", ""),
        ("source.alarm", "keeps 1500 MB"),
    ]


def test_a_dead_alarm_is_about_nobody(onefold: Stepped) -> None:
    onefold.define(destination())
    alarms.warned(onefold.store, "people", "keeps much")
    (one,) = onefold.store.outbox.due("ops", now_us(), 10)
    onefold.store.outbox.finish([Outcome(one.id, "dead", now_us(), 3, "404")])
    assert [(row.destination, row.profile) for row in dead_list(onefold.settings)] == [("ops", "")]


class Stream:
    """Waits for ever, and says so."""

    def batches(self, position: Position | None) -> Iterator[Batch]:
        while True:
            yield Batch([], {"at": 1})

    def stored(self, position: Position) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_stream_that_is_read_for_a_while_works_again(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(source(tmp_path / "crm.db"))
    onefold.define(destination())
    pulling = pulled_source(onefold.store, "crm")
    for _ in range(2):
        alarms.ended(onefold.store, pulling, "it is away", 0)
    load = onefold.store.loads.begin("crm", "pull", now_us(), "test")

    def works() -> None:
        recovered(onefold.store, pulling)
        raise Stopping

    with pytest.raises(Stopping):
        Taking(onefold.store, onefold.log, load, steady=Steady(0.0, works)).read(Stream())
    assert onefold.store.source_states.get("crm").failures == 0
    assert [kind for kind, _ in told(onefold)] == ["source.alarm", "source.recovered"]


def test_a_destination_is_told_of_the_events_that_it_names(onefold: Stepped) -> None:
    onefold.define("kind: segment\nname: big\nrule: size = 'L'")
    onefold.define(destination(events="[segment.exited]"))
    onefold.define(destination().replace("name: ops", "name: alarms"))
    onefold.define(destination(events="[segment.entered]").replace("name: ops", "name: crm"))
    for size in ("L", "S"):
        onefold.take({"type": "identify", "userId": "u", "traits": {"size": size}})
    rows = onefold.store.db.rows("select destination, payload from deliveries order by id")
    assert [(name, msgspec.json.decode(one)["type"]) for name, one in rows] == [
        ("crm", "segment.entered"),
        ("ops", "segment.exited"),
    ]
    with pytest.raises(InvalidInput, match=r"known are segment\.entered"):
        onefold.define(destination(events="[source.alarms]"))
