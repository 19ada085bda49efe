"""Whom a change of definitions concerns is asked of everybody at once: as if all were evaluated."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from onefold.app.evaluation.choosing import CHOOSE, ChooseWanted, choose
from onefold.app.lake.writer import drain
from onefold.app.long_work import do
from onefold.app.profiles.finding import profile
from onefold.app.worker.loop import Worker
from onefold.app.workspace import now_us
from onefold.engine import DuckEngine
from onefold.model.job import Job
from onefold.model.profile import decode_profile
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_backfill import Beside, order, refold, segments

DAY = 86_400_000_000
NOON = (now_us() // DAY - 10) * DAY + DAY // 2


class Choosing(Beside):
    """Chooses by query, however few profiles there are, and only when told to."""

    seen = 0

    def renew(self) -> None:
        self.worker.close()
        self.worker = Worker(
            self.settings,
            self.store,
            self.lake,
            self.log,
            clock=self._now,
            at_once_events=-1,
            at_once_profiles=-1,
        )
        evaluate = self.worker._population._evaluate

        def counted(page: Any, now: int) -> None:
            self.seen += len(page)
            evaluate(page, now)

        self.worker._population._evaluate = counted

    def settle(self) -> None:
        super().settle()
        # It looks at what is due only so often.
        self.worker._next_sweep = 0.0
        super().settle()

    def do_jobs(self) -> None:
        super().do_jobs()
        for job in self.store.jobs.open([CHOOSE]):
            do(self.store, job, lambda work: self._choose(work.job))
        self.worker._population._next_look = 0.0

    def _choose(self, job: Job) -> Any:
        engine = DuckEngine()
        try:
            wanted = ChooseWanted(**{**job.argument, "gone": tuple(job.argument["gone"])})
            return choose(self.settings, wanted, engine, self.now, lambda *_: None)
        finally:
            engine.close()

    def finish(self) -> None:
        """Until there is nothing more to be counted, chosen, evaluated or carried."""
        for _ in range(4):
            self.settle()
            self.do_jobs()
        self.settle()


@pytest.fixture
def choosing(onefold: Stepped) -> Choosing:
    onefold.__class__ = Choosing
    assert isinstance(onefold, Choosing)
    onefold.now = NOON
    onefold.renew()
    return onefold


def ago(days: float, now: int = NOON) -> str:
    return datetime.fromtimestamp((now - int(days * DAY)) / 1e6, UTC).isoformat()


KEPT = "kind: segment\nname: kept\nrule: count_of('Order Completed') > 99\n---\n"
KEPT += (
    "kind: segment\nname: often\nrule: count_of('Order Completed', last => interval 60 day) > 99\n"
)
RECENT = "kind: segment\nname: recent\nrule: did('Order Completed', last => interval {} day)\n"


def test_only_those_are_evaluated_of_whom_something_changes(choosing: Choosing) -> None:
    choosing.define(KEPT)
    choosing.take(*(order(f"u{n}", 1, timestamp=ago(n)) for n in range(20)))
    choosing.finish()
    choosing.seen = 0

    choosing.define(RECENT.format(7))
    choosing.finish()
    inside = [n for n in range(20) if segments(choosing, f"u{n}") == ["recent"]]
    assert (inside, choosing.seen) == ([0, 1, 2, 3, 4, 5, 6], 7)

    choosing.store.registry.put_definitions([], [("segment", "recent")], 1, "test")
    choosing.finish()
    assert [segments(choosing, f"u{n}") for n in range(20)] == [[]] * 20
    assert choosing.seen == 14


def test_who_was_not_evaluated_enters_when_the_time_has_come(choosing: Choosing) -> None:
    choosing.define(KEPT)
    choosing.take(order("ann", 1, timestamp=ago(2)), order("bob", 1, timestamp=ago(40)))
    choosing.finish()
    choosing.seen = 0
    rule = "not did('Order Completed', last => interval 5 day)"
    choosing.define(f"kind: segment\nname: away\nrule: {rule}\n")
    choosing.finish()
    assert (segments(choosing, "ann"), segments(choosing, "bob")) == ([], ["away"])
    assert choosing.seen == 1
    choosing.store.db.connection.execute("update profiles set due = 0")
    choosing.renew()
    choosing.now = NOON + DAY
    choosing.settle()
    assert segments(choosing, "ann") == []
    choosing.now = NOON + 3 * DAY
    choosing.settle()
    assert segments(choosing, "ann") == ["away"]
    choosing.now = NOON + 70 * DAY
    choosing.settle()
    assert list((choosing.settings.data / "chosen").iterdir()) == []


def test_what_is_to_be_done_later_outlives_the_next_change(choosing: Choosing) -> None:
    choosing.take(order("ann", 1, timestamp=ago(2)))
    choosing.define(RECENT.format(5))
    choosing.finish()
    choosing.define(RECENT.format(5) + "---\nkind: segment\nname: all\nrule: 'true'\n")
    choosing.finish()
    choosing.store.db.connection.execute("update profiles set due = 0")
    choosing.now = NOON + 3 * DAY
    choosing.settle()
    assert segments(choosing) == ["all"]


def test_values_are_compared_with_those_that_are_stored(choosing: Choosing) -> None:
    trait = "kind: trait\nname: {}\nexpression: {}\n---\n"
    people = [
        {"type": "identify", "userId": f"u{n}", "traits": {"n": n, "born": f"200{n}-01-31"}}
        for n in range(6)
    ]
    choosing.take(*people)
    text = (
        trait.format("twice", "n * {}")
        + trait.format("even", "n % 2 = {}")
        + trait.format("day", "born + interval {} day")
        + "kind: tag\nname: size\nowner: a\nvalues: []\n"
    ).rsplit("---\n", 1)[0]
    tag = "---\nkind: tag\nname: size\ncases:\n  - {{value: big, when: n >= {}}}\n"
    for numbers in ((2, 0, 1, 3), (2, 0, 1, 3), (2, 0, 1, 4), (3, 0, 1, 4), (2, 1, 2, 1)):
        choosing.define(text.format(*numbers[:3]) + tag.format(numbers[3]))
        choosing.finish()
        assert state(choosing) == all_evaluated(choosing)
        seen = choosing.seen
        choosing.finish()
        assert choosing.seen == seen


def test_where_choosing_fails_all_are_evaluated(choosing: Choosing) -> None:
    choosing.take(order("ann", 1, timestamp=ago(1)), order("bob", 1, timestamp=ago(2)))
    choosing.define(RECENT.format(9))
    choosing.settle()
    Beside.do_jobs(choosing)
    choosing.settle()
    (job,) = choosing.store.jobs.open([CHOOSE])
    choosing.store.jobs.finish(job.id, 1, "failed", reason="test")
    choosing.worker._population._next_look = 0.0
    choosing.settle()
    assert [segments(choosing, user) for user in ("ann", "bob")] == [["recent"]] * 2


DEFINED = (
    "kind: segment\nname: {}\nrule: count_of('Order Completed') >= 2\n",
    "kind: segment\nname: {}\nrule: count_of('Order Completed', last => interval 3 day) >= 1\n",
    "kind: segment\nname: {}\nrule: not did('Order Completed', last => interval 2 day)\n",
    "kind: segment\nname: {}\nrule: city = 'Bonn' or in_segment('a')\n",
    "kind: segment\nname: {}\nrule: days_since('Order Completed') > 2\n",
    "kind: segment\nname: {}\nrule: total > 3 and joined > today() - interval 4 day\n",
    (
        "kind: segment\nname: {}\nrule: in_sequence('Order Completed', 'Product Viewed',"
        " last => interval 4 day)\n"
    ),
    (
        "kind: segment\nname: {}\nrule: count_of('Order Completed',"
        " between => (interval 4 day, interval 2 day)) >= 1\n"
    ),
)
TOTALS = (
    "kind: trait\nname: total\nexpression: sum_of('Order Completed', properties.total)\n",
    (
        "kind: trait\nname: total\nexpression: sum_of('Order Completed', properties.total,"
        " last => interval 3 day)\n"
    ),
)
TAG = (
    "kind: tag\nname: kind\ncases:\n  - {{value: keen, when: total >= {}}}\n"
    "  - {{value: calm, when: \"did('Product Viewed', last => interval {} day)\"}}\n"
)


@pytest.mark.parametrize("seed", range(16))
def test_any_change_at_any_moment_is_as_if_all_were_evaluated(
    choosing: Choosing, seed: int
) -> None:
    """Events, definitions, time, crashes and jobs in any order: all hold what a new fold gives."""
    random = Random(seed)
    choosing.define(f"{DEFINED[0].format('a')}---\n{TOTALS[0]}")
    for number in range(40):
        what = random.random()
        if what < 0.4:
            many = random.randint(1, 4)
            choosing.append(*(event(choosing, random, number, one) for one in range(many)))
        elif what < 0.6:
            define(choosing, random)
        elif what < 0.65:
            choosing.store.registry.put_definitions(
                [], [("segment", random.choice("bcd"))], 1, "test"
            )
        elif what < 0.8:
            choosing.do_jobs()
        elif what < 0.85:
            choosing.renew()
        elif what < 0.95:
            choosing.now += random.choice((1, 6, 20)) * DAY // 24
        else:
            drain(choosing.store, choosing.lake)
        for _ in range(random.randint(0, 3)):
            choosing.step()
    choosing.finish()
    choosing.now += random.choice((0, DAY, 2 * DAY))
    choosing.settle()
    assert state(choosing) == all_evaluated(choosing)


def define(choosing: Choosing, random: Random) -> None:
    what = random.random()
    if what < 0.7:
        name = random.choice("abcd")
        # What refers to `a` must not be `a`.
        text = random.choice([one for one in DEFINED if name != "a" or "'a'" not in one])
        choosing.define(text.format(name))
    elif what < 0.85:
        choosing.define(random.choice(TOTALS))
    else:
        choosing.define(TAG.format(random.randint(2, 6), random.randint(1, 3)))


def event(choosing: Choosing, random: Random, number: int, one: int) -> dict[str, Any]:
    user, visitor = random.choice("abcdefgh"), f"v{random.choice('abcdefg')}"
    who: dict[str, Any] = random.choice(
        ({"userId": user}, {"anonymousId": visitor}, {"userId": user, "anonymousId": visitor})
    )
    when = ago(random.choice((-0.4, 0, 0.3, 1, 2, 3, 4)), choosing.now)
    told = {"messageId": f"{number}-{one}", "timestamp": when, **who}
    if random.random() < 0.2:
        traits = {"city": random.choice(("Bonn", "Rom")), "joined": when[:10]}
        return {"type": "identify", "traits": traits, **told}
    return {
        "type": "track",
        "event": random.choice(("Order Completed", "Product Viewed")),
        "properties": {"total": random.randint(1, 4)},
        **told,
    }


def state(choosing: Choosing) -> list[Any]:
    """What everybody has, and is in."""
    documents = choosing.store.documents(choosing.store.profile_ids(0, 1000)).values()
    found = []
    for one in map(decode_profile, documents):
        assert choosing.store.memberships_of(one.id) == one.members
        nodes = sorted(node.value for node in one.nodes)
        found.append((nodes, one.computed, one.tags, sorted(one.members)))
    return sorted(found, key=repr)


def all_evaluated(choosing: Choosing) -> list[Any]:
    """The same when everything is folded again under the present definitions, from empty."""
    for table in ("profiles", "identifiers", "fresh_identifiers", "aliases", "members"):
        choosing.store.db.connection.execute(f"delete from {table}")
    refold(choosing)
    found = state(choosing)
    choosing.renew()
    return found


LEVEL_TRAIT = (
    "kind: trait\nname: level\nexpression: \"case when orders > {} then 'high' end\"\n---\n"
)
LEVEL_TAG = "kind: tag\nname: level\ncases: [{value: high, when: orders > 5}]\n---\n"
ORDERS = "kind: trait\nname: orders\nexpression: count_of('Order Completed')\n"


@pytest.mark.parametrize("became", ["tag", "trait"])
def test_a_trait_and_a_tag_of_one_name_leave_nothing_of_each_other(
    choosing: Choosing, became: str
) -> None:
    choosing.define(
        LEVEL_TRAIT.format(0) + ORDERS if became == "tag" else LEVEL_TAG.replace("5", "0") + ORDERS
    )
    choosing.take(*(order(user, one) for user, one in (("ann", 1), ("bob", 2))))
    choosing.finish()
    before = profile(choosing.settings, "user_id:ann")
    assert (before.computed | before.tags)["level"] == "high"
    choosing.store.registry.put_definitions(
        [], [("trait" if became == "tag" else "tag", "level")], 1, "test"
    )
    choosing.define(LEVEL_TAG + ORDERS if became == "tag" else LEVEL_TRAIT.format(5) + ORDERS)
    choosing.finish()
    after = profile(choosing.settings, "user_id:ann")
    assert (after.computed["orders"], "level" in after.computed, after.tags) == (1, False, {})
    assert choosing.store.given.tag_values("level") == {}
