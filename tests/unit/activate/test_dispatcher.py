"""The dispatcher without threads: a fake clock, a fake sender, and every step on purpose."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.activate.destination import Destination
from onefold.activate.dispatcher import LOOK_AGAIN, Dispatcher
from onefold.activate.http import Request, Response
from onefold.activate.retry import HOUR, SECOND, Policy
from onefold.model.delivery import Delivery, Outcome
from onefold.model.errors import Busy
from onefold.testing.outbox import MemoryOutbox

START = 1_700_000_000 * SECOND
Handler = Callable[[Request], Response]


def as_request(_: object, delivery: Delivery, now: int) -> Request:
    headers = {"webhook-id": delivery.key, "at": str(now), "profile": str(delivery.profile)}
    return Request("POST", f"https://{delivery.destination}.example", headers, delivery.payload)


def destination(name: str = "crm", **other: object) -> Destination:
    return Destination(name, None, as_request, **other)  # type: ignore[arg-type]


class World:
    """A dispatcher with its outbox, clock and the other side, all in the hands of a test."""

    def __init__(self, *names: str, outbox: MemoryOutbox | None = None) -> None:
        self.now = START
        self.outbox = outbox or MemoryOutbox()
        self.answer: Handler = lambda request: Response(200)
        self.requests: list[Request] = []
        self.disabled: list[str] = []
        self.dispatcher = Dispatcher(
            self.outbox,
            self.send,
            clock=lambda: self.now,
            jitter=lambda: 1.0,
            changed=lambda: self.outbox.changes,
            disable=self.disabled.append,
        )
        self.dispatcher.configure([destination(name) for name in names or ("crm",)])

    def send(self, request: Request, timeout: float) -> Response:
        self.requests.append(request)
        return self.answer(request)

    def add(self, id: int, profile: int = 1, destination: str = "crm") -> None:
        key = f"msg_{id}"
        self.outbox.add(Delivery(id, destination, profile, key, b"{}", self.now, 0, self.now))

    def later(self, microseconds: int) -> None:
        self.now += microseconds
        self.dispatcher.drain()

    def sent(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.requests]


def test_what_waits_is_sent_in_order_and_noted() -> None:
    world = World()
    for id in (1, 2, 3):
        world.add(id)
    world.dispatcher.drain()
    assert world.sent() == ["msg_1", "msg_2", "msg_3"]
    assert world.outbox.delivered == [Outcome(n, "delivered", START, 1) for n in (1, 2, 3)]
    assert world.outbox.waiting() == []


def test_a_failed_one_holds_back_only_its_own_profile() -> None:
    world = World()
    world.add(1, profile=1)
    world.add(2, profile=1)
    world.add(3, profile=2)
    failing = {"msg_1"}
    world.answer = lambda r: Response(500 if r.headers["webhook-id"] in failing else 200)
    world.dispatcher.drain()
    assert world.sent() == ["msg_1", "msg_3"]
    failing.clear()
    world.later(2 * SECOND - 1)
    assert world.sent() == ["msg_1", "msg_3"]
    world.later(LOOK_AGAIN)
    assert world.sent() == ["msg_1", "msg_3", "msg_1", "msg_2"]


def test_retry_after_silences_the_whole_destination_until_then() -> None:
    world = World()
    world.answer = lambda _: Response(429, {"retry-after": "90"})
    world.add(1, profile=1)
    world.add(2, profile=2)
    world.dispatcher.drain()
    world.answer = lambda _: Response(200)
    world.later(89 * SECOND)
    assert world.sent() == ["msg_1"]
    world.later(1 * SECOND)
    assert sorted(world.sent()) == ["msg_1", "msg_1", "msg_2"]


def test_retry_after_as_a_date() -> None:
    world = World()
    world.answer = lambda _: Response(503, {"retry-after": "Tue, 14 Nov 2023 22:15:20 GMT"})
    world.add(1)
    world.dispatcher.drain()
    world.later(119 * SECOND)
    assert len(world.requests) == 1
    world.later(1 * SECOND)
    assert len(world.requests) == 2


def test_one_destination_in_trouble_does_not_touch_another() -> None:
    world = World("crm", "mail")
    for id in range(1, 41):
        world.add(id, profile=id, destination="crm" if id % 2 else "mail")
    world.answer = lambda r: Response(500 if "crm" in r.url else 200)
    world.dispatcher.drain()
    assert {outcome.id for outcome in world.outbox.delivered} == set(range(2, 41, 2))


def test_a_destination_that_always_fails_is_not_hammered() -> None:
    world = World()
    world.answer = lambda _: Response(500)
    for id in range(1, 1001):
        world.add(id, profile=id)
    for _ in range(600):
        world.later(SECOND)
    assert len(world.requests) < 30
    world.answer = lambda _: Response(200)
    for _ in range(120):
        world.later(SECOND)
    assert len(world.outbox.delivered) == 1000


def test_what_was_refused_three_times_is_a_dead_letter_and_can_be_put_back() -> None:
    world = World()
    world.add(1)
    world.add(2)
    world.answer = lambda r: Response(422, body=b"no such person")
    world.dispatcher.drain()
    for _ in range(20):
        world.later(SECOND)
        if world.outbox.dead("crm"):
            break
    (letter,) = world.outbox.dead("crm")
    assert letter.reason == "HTTP 422: no such person"
    assert (letter.delivery.attempts, letter.delivery.payload) == (3, b"{}")
    world.answer = lambda _: Response(200)
    assert world.outbox.revive([1], world.now) == 1
    for _ in range(20):
        world.later(SECOND)
    assert {outcome.id for outcome in world.outbox.delivered} == {1, 2}
    assert world.sent().count("msg_1") == 4


def test_a_destination_that_answers_gone_is_switched_off() -> None:
    world = World("crm", "mail")
    world.answer = lambda r: Response(410 if "crm" in r.url else 200)
    world.add(1)
    world.add(2)
    world.add(3, destination="mail")
    world.dispatcher.drain()
    world.later(HOUR)
    assert world.disabled == ["crm"]
    assert sorted(world.sent()) == ["msg_1", "msg_3"]
    assert [letter.reason for letter in world.outbox.dead("crm")] == ["HTTP 410"]
    assert [status.halted for status in world.dispatcher.status()] == ["answered 410 Gone", ""]
    assert [delivery.id for delivery in world.outbox.waiting()] == [2]


def test_a_changed_definition_starts_a_halted_lane_again() -> None:
    world = World()
    world.answer = lambda _: Response(410)
    world.add(1)
    world.add(2)
    world.dispatcher.drain()
    world.answer = lambda _: Response(200)
    world.dispatcher.configure([destination(timeout=3.0)])
    world.dispatcher.drain()
    assert world.sent() == ["msg_1", "msg_2"]


def test_a_removed_destination_gets_nothing_and_comes_back_with_what_waits() -> None:
    world = World()
    world.dispatcher.configure([])
    world.add(1)
    world.dispatcher.drain()
    assert world.requests == []
    assert world.dispatcher.status() == []
    world.dispatcher.configure([destination()])
    world.dispatcher.drain()
    assert world.sent() == ["msg_1"]


def test_a_crash_between_sending_and_writing_sends_again_with_the_same_id() -> None:
    class Dies(Exception):
        pass

    class DyingOutbox(MemoryOutbox):
        def finish(self, outcomes: object) -> None:
            raise Dies

    outbox = DyingOutbox()
    world = World(outbox=outbox)
    world.add(1)
    with pytest.raises(Dies):
        world.dispatcher.drain()
    survived = MemoryOutbox()
    survived.add(*outbox.waiting())
    restarted = World(outbox=survived)
    restarted.dispatcher.drain()
    assert world.sent() == restarted.sent() == ["msg_1"]
    assert restarted.outbox.waiting() == []


def test_while_the_outbox_is_busy_outcomes_are_kept_and_nothing_is_sent_twice() -> None:
    class BusyOutbox(MemoryOutbox):
        busy = False

        def finish(self, outcomes: list[Outcome]) -> None:
            if self.busy:
                raise Busy("database is locked")
            super().finish(outcomes)

    outbox = BusyOutbox()
    world = World(outbox=outbox)
    outbox.busy = True
    world.add(1)
    world.dispatcher.drain()
    world.later(10 * SECOND)
    assert world.dispatcher.trouble == "writing: database is locked"
    outbox.busy = False
    world.later(2 * SECOND)
    assert world.dispatcher.trouble == ""
    assert world.sent() == ["msg_1"]
    assert outbox.waiting() == []


def test_outcomes_are_written_in_groups() -> None:
    world = World()
    for id in range(1, 501):
        world.add(id, profile=id)
    world.dispatcher.drain()
    assert len(world.outbox.delivered) == 500
    assert world.outbox.written <= 500 / 32 + 2


def test_a_clock_set_back_does_not_stop_the_sending() -> None:
    world = World()
    world.answer = lambda _: Response(500)
    for id in range(1, 10):
        world.add(id, profile=id)
    world.dispatcher.drain()
    world.answer = lambda _: Response(200)
    world.now -= HOUR
    world.add(50, profile=50)
    world.dispatcher.drain()
    assert world.sent()[-1] == "msg_50"


def test_a_delivery_that_fails_for_days_is_given_up() -> None:
    world = World()
    world.dispatcher.configure([destination(policy=Policy(max_attempts=4))])
    world.answer = lambda _: Response(503)
    world.add(1)
    for _ in range(100):
        world.later(SECOND)
    (letter,) = world.outbox.dead("crm")
    assert letter.reason == "after 4 attempts: HTTP 503"
    assert len(world.requests) == 4


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    fail=st.floats(0, 0.9),
    profiles=st.integers(1, 6),
    count=st.integers(1, 40),
)
def test_order_per_profile_survives_any_failures(
    seed: int, fail: float, profiles: int, count: int
) -> None:
    """No delivery is tried before every earlier one of its profile was delivered or died."""
    chance = random.Random(seed)
    world = World("crm", "mail")
    ended: defaultdict[tuple[str, str], int] = defaultdict(int)
    queued: dict[tuple[str, str], list[str]] = defaultdict(list)
    attempts: Counter[str] = Counter()

    def answer(request: Request) -> Response:
        lane = (request.url, request.headers["profile"])
        key = request.headers["webhook-id"]
        assert queued[lane].index(key) == ended[lane]
        attempts[key] += 1
        if chance.random() >= fail:
            ended[lane] += 1
            return Response(200)
        status = chance.choice([0, 422, 429, 500, 503])
        if not status:
            raise Busy("connection refused")
        if status == 422 and attempts[key] >= 3:
            ended[lane] += 1
        return Response(status, {"retry-after": "2"} if chance.random() < 0.5 else {})

    world.answer = answer
    for id in range(1, count + 1):
        name, profile = chance.choice(["crm", "mail"]), chance.randrange(profiles)
        queued[f"https://{name}.example", str(profile)].append(f"msg_{id}")
        world.add(id, profile, name)
        if chance.random() < 0.5:
            world.later(chance.randrange(SECOND))
    fail = 0.0
    for _ in range(100):
        world.later(HOUR)
    assert world.outbox.waiting() == []
    assert (
        len(world.outbox.delivered) + sum(len(world.outbox.dead(name)) for name in ("crm", "mail"))
        == count
    )
