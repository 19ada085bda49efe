"""With a backlog, batches are prepared in a process beside the worker; only the time tells."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onefold.app.access import make_workspace
from onefold.app.folding.rebuild import check_rebuild
from onefold.app.profiles.finding import profile
from onefold.app.profiles.history import profile_changes
from onefold.app.worker.read_ahead import parts_of, prepared_from
from onefold.config import Settings
from onefold.eventlog import LogRecord
from onefold.model.profile import Profile
from onefold.model.records import Accepted, encode_accepted
from onefold.pipeline import prepare
from onefold.pipeline.working import Working
from onefold.standardize import BY_DEFAULT
from tests.acceptance.conftest import Stepped

BUYERS = "kind: segment\nname: buyers\nrule: count_of('Order Completed') >= 3\n"
GOLD = """
kind: segment
name: gold
rule: level = 'gold'
---
kind: trait
name: spent_twice
expression: 2 * spent
---
kind: destination
name: hook
type: webhook
url: http://127.0.0.1:9/
secret: {secret: hook}
segments: [gold]
"""
RICH = "kind: segment\nname: rich\nrule: sum_of('Order Completed', properties.price) > 20\n"


@pytest.fixture
def onefold(tmp_path: Path) -> Iterator[Stepped]:
    """A worker that takes two records of the log at once, so that the third is a backlog."""
    settings = Settings(data=tmp_path / "data", min_free_disk=0, batch_records=2)
    make_workspace(settings)
    stepped = Stepped(settings)
    yield stepped
    stepped.close()


def order(number: int, user: str = "ann") -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": user,
        "anonymousId": f"a-{user}",
        "messageId": f"m{number}",
        "timestamp": "2026-01-01T10:00:00Z",
        "properties": {"price": number},
        "context": {"locale": "zh-CN"},
    }


def ahead_of(onefold: Stepped) -> list[int]:
    """The processes that prepare batches for this worker."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [
        int(pid)
        for pid in children
        if b"onefold.app.worker.reading" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def fold_backlog(onefold: Stepped, between: Callable[[], None] = lambda: None) -> None:
    """Nine orders of two people in eight records, one of them sent three times."""
    for number in range(4):
        onefold.append(order(number, "ann"))
        onefold.append(order(10 + number, "bob"))
    onefold.append(order(0, "ann"), order(20, "ann"), order(20, "ann"))
    onefold.append(order(0, "ann"), {"type": "track", "event": "Seen"})
    assert onefold.worker.step()
    between()
    onefold.settle()


def assert_right(onefold: Stepped) -> None:
    counters = onefold.store.counters()
    assert (counters["events"], counters["duplicates"], counters["rejects"]) == (9, 3, 1)
    ann = profile(onefold.settings, "user_id:ann")
    assert [one.name for one in ann.segments] == ["buyers", "rich"]
    assert check_rebuild(onefold.settings).differences == ()


def test_a_backlog_is_folded_like_anything_else(onefold: Stepped) -> None:
    onefold.define(f"{BUYERS}---\n{RICH}")
    fold_backlog(onefold, lambda: None if ahead_of(onefold) else pytest.fail("nobody helps"))
    assert "wait ahead" in onefold.worker.beat.seconds()
    assert_right(onefold)


def test_without_its_help_the_worker_goes_on(onefold: Stepped) -> None:
    onefold.define(f"{BUYERS}---\n{RICH}")
    fold_backlog(onefold, lambda: [os.kill(pid, signal.SIGKILL) for pid in ahead_of(onefold)])
    assert_right(onefold)


def test_what_was_prepared_by_older_definitions_is_not_used(onefold: Stepped) -> None:
    onefold.define(BUYERS)
    fold_backlog(onefold, lambda: onefold.define(RICH))
    assert_right(onefold)


def test_it_ends_with_the_worker(onefold: Stepped) -> None:
    fold_backlog(onefold)
    assert ahead_of(onefold)
    onefold.worker.close()
    assert not ahead_of(onefold)


def test_what_could_not_be_counted_beside_is_left_to_the_worker() -> None:
    record = LogRecord(
        "log", 0, 1, encode_accepted(Accepted("shop", 1, "event", msgspec.json.encode(order(1))))
    )
    given = prepare([record], b"k" * 32, BY_DEFAULT)
    assert given.counted is None
    found = prepared_from(parts_of(given))
    assert found.counted is None
    assert (found.keys, found.visits, found.ids) == (given.keys, given.visits, given.ids)
    assert found.rows == given.rows


def customer(number: int, **traits: Any) -> dict[str, Any]:
    known = {"email": f"c{number}@shop.example", "spent": number, "level": "gold", **traits}
    return {
        "type": "identify",
        "userId": f"c{number}",
        "messageId": f"c{number}-{len(traits)}",
        "timestamp": "2026-01-01T10:00:00Z",
        "traits": known,
    }


def test_people_whom_nobody_knew_are_made_ready_beside(
    onefold: Stepped, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted: list[str] = []

    def admit(working: Working, people: list[Profile]) -> None:
        added(working, people)
        admitted.extend(
            node.value for one in people for node in one.nodes if node.kind == "user_id"
        )

    added = Working.add_arrived
    monkeypatch.setattr(Working, "add_arrived", admit)
    onefold.define(GOLD)
    shared = {"email": "c0@shop.example"}
    onefold.take(customer(0), order(1, "c7"))
    for start in range(1, 13, 2):
        onefold.append(customer(start), customer(start + 1, name="ü", level="silver", left=None))
    onefold.append(customer(20), customer(20, name="Ann"), customer(21, **shared, a=1))
    onefold.append(customer(1), order(2, "c22"))
    onefold.settle()
    # Not those of the first batches, which nobody had prepared, nor who was known or came twice.
    assert {"c5", "c9", "c11"} <= set(admitted)
    assert not {"c7", "c20", "c21", "c22"} & set(admitted)
    five, six = (profile(onefold.settings, f"user_id:c{number}") for number in (5, 6))
    assert [(one.kind, one.value) for one in five.identifiers] == [
        ("email", "c5@shop.example"),
        ("user_id", "c5"),
    ]
    assert five.traits == {"email": "c5@shop.example", "level": "gold", "spent": 5}
    assert five.computed["spent_twice"] == 10
    assert [one.name for one in five.segments] == ["gold"]
    assert (six.traits["name"], six.segments) == ("ü", ())
    payloads = onefold.store.db.rows("select payload from deliveries where destination = 'hook'")
    (told,) = [payload for (payload,) in payloads if b"c5@" in payload]
    assert b'"value":"c5"' in told
    assert {one.what for one in profile_changes(onefold.settings, "user_id:c5").items} == {
        *("identifier", "trait", "computed", "segment")
    }
    assert check_rebuild(onefold.settings).differences == ()
