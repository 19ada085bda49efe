"""Counting the past beside live events: no gap, no double count, whatever happens when."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from onefold.app.evaluation.past import count_for_job
from onefold.app.folding.rebuild import rebuild_with
from onefold.app.folding.refold import fold_batches
from onefold.app.lake.tables import tables_now
from onefold.app.lake.writer import drain
from onefold.app.long_work import do
from onefold.app.profiles.finding import profile
from onefold.app.status import status_of
from onefold.app.worker.loop import Worker
from onefold.model.profile import decode_profile
from onefold.pipeline.members import buckets_of
from tests.acceptance.conftest import Stepped

SEGMENT = "kind: segment\nname: {}\nrule: {}\n"
TWO = SEGMENT.format("two", "count_of('Order Completed') = 2")
THREE = SEGMENT.format("three", "count_of('Order Completed') = 3")


class Beside(Stepped):
    """Counts the past by jobs, however little there is, and only when told to."""

    def renew(self) -> None:
        """As after a crash: whatever was only in memory is gone."""
        self.worker.close()
        self.worker = Worker(
            self.settings, self.store, self.lake, self.log, clock=self._now, at_once_events=-1
        )

    now = 0

    def _now(self) -> int:
        self.now += 1_000_000
        return self.now

    def do_jobs(self) -> None:
        for job in self.store.jobs.open(["backfill"]):
            do(self.store, job, lambda work: count_for_job(self.settings, work))
        # It looks at its jobs only so often.
        self.worker._filling._next_look = 0.0

    def step(self) -> None:
        self.worker.step()


@pytest.fixture
def beside(onefold: Stepped) -> Beside:
    onefold.__class__ = Beside
    assert isinstance(onefold, Beside)
    onefold.now = 1_900_000_000_000_000
    onefold.renew()
    return onefold


def order(user: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": user,
        "messageId": f"{user}-{number}",
        **more,
    }


def segments(onefold: Stepped, user: str = "ann") -> list[str]:
    return [one.name for one in profile(onefold.settings, f"user_id:{user}").segments]


def test_events_go_on_while_the_past_is_counted(beside: Beside) -> None:
    beside.take(order("ann", 1), order("bob", 1), order("bob", 2))
    beside.define(TWO)
    beside.take(order("ann", 2), order("cem", 1), order("cem", 2))
    assert [segments(beside, user) for user in ("ann", "bob", "cem")] == [[], [], []]
    assert beside.worker._pipeline.filling == [("segment", "two")]
    beside.do_jobs()
    beside.settle()
    assert [segments(beside, user) for user in ("ann", "bob", "cem")] == [["two"]] * 3
    beside.step()
    assert list((beside.settings.data / "backfill").iterdir()) == []


def test_a_change_keeps_the_old_members_until_the_past_is_counted(beside: Beside) -> None:
    beside.define(SEGMENT.format("two", "count_of('Order Completed') >= 1"))
    beside.settle()
    beside.do_jobs()
    beside.take(order("ann", 1))
    assert segments(beside) == ["two"]
    rule = "count_of('Order Completed', where => properties.total > 1) >= 1"
    beside.define(SEGMENT.format("two", rule))
    beside.take(order("ann", 2, properties={"total": 1}))
    assert segments(beside) == ["two"]
    beside.do_jobs()
    beside.settle()
    assert segments(beside) == []


def test_a_crash_after_the_count_neither_loses_nor_doubles_it(beside: Beside) -> None:
    beside.take(order("ann", 1), order("bob", 1), order("bob", 2))
    beside.define(TWO)
    beside.step()
    beside.renew()
    beside.append(order("ann", 2))
    beside.step()
    beside.do_jobs()
    beside.renew()
    beside.step()
    beside.renew()
    beside.settle()
    beside.renew()
    beside.settle()
    assert [segments(beside, user) for user in ("ann", "bob")] == [["two"], ["two"]]


def health_of_definitions(beside: Beside) -> tuple[str, str]:
    """What `/health` says of them, once the worker has told how it goes."""
    beside.worker.write_beat({})
    checks = status_of(beside.settings, beside.store).checks
    (found,) = [(one.state, one.detail) for one in checks if one.name == "definitions"]
    return found


def test_a_canceled_count_is_named_and_begins_anew_with_the_next_change(beside: Beside) -> None:
    beside.take(order("ann", 1), order("ann", 2))
    beside.define(TWO)
    beside.step()
    (job,) = beside.store.jobs.open(["backfill"])
    beside.store.jobs.cancel(job.id, 1, "test")
    beside.worker._filling._next_look = 0.0
    beside.settle()
    assert "canceled" in beside.worker._pipeline.failing["segment", "two"]
    state, detail = health_of_definitions(beside)
    assert (state, detail.startswith("segment two fails: ")) == ("degraded", True)
    assert "canceled" in detail
    beside.define(THREE)
    beside.settle()
    beside.do_jobs()
    beside.settle()
    assert segments(beside) == ["two"]
    assert health_of_definitions(beside) == ("ok", "all are evaluated")


def test_identifiers_that_merge_meanwhile_bring_their_past(beside: Beside) -> None:
    beside.take(order("ann", 1))
    beside.take({**order("", 2), "userId": None, "anonymousId": "a1"})
    beside.define(TWO)
    beside.take({"type": "identify", "userId": "ann", "anonymousId": "a1", "traits": {"n": 1}})
    beside.do_jobs()
    beside.step()
    beside.settle()
    assert segments(beside) == ["two"]


def test_a_rebuild_meanwhile_counts_nothing_twice(beside: Beside) -> None:
    beside.take(order("ann", 1), order("bob", 1))
    beside.define(TWO)
    beside.take(order("ann", 2))
    damage(beside, "ann")
    worker = beside.worker
    report = rebuild_with(beside.settings, beside.store, worker._pipeline, worker._filling)
    assert report.differences
    worker._version = -1
    beside.take(order("bob", 2))
    beside.do_jobs()
    beside.settle()
    assert [segments(beside, user) for user in ("ann", "bob")] == [["two"], ["two"]]


def damage(onefold: Stepped, user: str) -> None:
    connection = onefold.store.db.connection
    for number, document in onefold.store.documents(onefold.store.profile_ids(0, 10)).items():
        if any(node.value == user for node in decode_profile(document).nodes):
            connection.execute("update profiles set document = x'00' where id = ?", (number,))


RULES = (
    "count_of('Order Completed') >= 2",
    "count_of('Order Completed', where => properties.total > 2) >= 2",
    "sum_of('Order Completed', properties.total, last => interval 3000 day) > 5",
    "did('Product Viewed') and not did('Order Completed')",
)


@pytest.mark.parametrize("seed", range(12))
def test_any_change_at_any_moment_comes_to_the_same(beside: Beside, seed: int) -> None:
    """Events, definitions, crashes, jobs and merges in any order: members are those of a new fold."""
    random = Random(seed)
    defined: dict[str, str] = {}
    for number in range(40):
        what = random.random()
        if what < 0.45:
            beside.append(*(event(random, number, one) for one in range(random.randint(1, 4))))
        elif what < 0.6:
            name = random.choice("abc")
            defined[name] = random.choice(RULES)
            beside.define(SEGMENT.format(name, defined[name]))
        elif what < 0.65 and defined:
            name = random.choice(list(defined))
            del defined[name]
            beside.store.registry.put_definitions([], [("segment", name)], 1, "test")
        elif what < 0.75:
            beside.do_jobs()
        elif what < 0.8:
            beside.renew()
        elif what < 0.9:
            drain(beside.store, beside.lake)
        for _ in range(random.randint(0, 2)):
            beside.step()
    for _ in range(3):
        beside.settle()
        beside.do_jobs()
    beside.settle()
    assert state(beside) == anew(beside)


def event(random: Random, number: int, one: int) -> dict[str, Any]:
    user, visitor = random.choice("abcde"), f"v{random.choice('abcdefg')}"
    who: dict[str, Any] = random.choice(
        ({"userId": user}, {"anonymousId": visitor}, {"userId": user, "anonymousId": visitor})
    )
    return {
        "type": "track",
        "event": random.choice(("Order Completed", "Order Completed", "Product Viewed")),
        "messageId": f"{number}-{one}",
        "properties": {"total": random.randint(1, 4)},
        **who,
    }


def state(onefold: Stepped) -> list[Any]:
    """Who is in which segments, with which counts of what is still counted."""
    found = []
    kept = {metric.id for metric in onefold.worker._pipeline.metrics}
    for document in onefold.store.documents(onefold.store.profile_ids(0, 1000)).values():
        one = decode_profile(document)
        counts = {
            node.value: {name: days for name, days in buckets_of(node).items() if name in kept}
            for node in one.nodes
        }
        found.append((sorted(counts.items()), sorted(one.members)))
    return sorted(found, key=repr)


def anew(onefold: Beside) -> list[Any]:
    """The same when everything is folded again under the present definitions, from empty."""
    tables = onefold.store.db.connection
    for table in ("profiles", "identifiers", "fresh_identifiers", "aliases", "members"):
        tables.execute(f"delete from {table}")
    refold(onefold)
    return state(onefold)


def refold(onefold: Beside) -> None:
    """Every event of the lake through a pipeline that never knew other definitions."""
    drain(onefold.store, onefold.lake)
    tables = tables_now(onefold.store, onefold.lake)
    fold_batches(onefold.settings, onefold.store, onefold.store, tables, 1 << 62, onefold.now)
