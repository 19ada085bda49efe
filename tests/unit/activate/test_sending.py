"""Threads, real HTTP, and a receiver that checks the signatures."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from standardwebhooks.webhooks import Webhook

from onefold.activate import Dispatcher, HttpClient, destination_from, dispatcher
from onefold.activate.destination import Destination
from onefold.activate.http import Request, Response
from onefold.activate.webhook import secret_text
from onefold.model.definitions import DestinationDefinition
from onefold.model.delivery import Delivery
from onefold.testing.outbox import MemoryOutbox
from onefold.testing.patience import PATIENCE, wait_until
from onefold.testing.receiver import Answer, Received, Receiver

KEY = bytes(range(32))
SECRET = secret_text(KEY)


def now() -> int:
    return time.time_ns() // 1000


def webhook(receiver: Receiver, name: str = "crm", **settings: object) -> Destination:
    given = {"url": f"{receiver.url}/{name}", "secret": SECRET, **settings}
    return destination_from(DestinationDefinition(name, "webhook", given))


def delivery(id: int, profile: int = 1, destination: str = "crm") -> Delivery:
    payload = b'{"profile":%d,"n":%d}' % (profile, id)
    return Delivery(id, destination, profile, f"msg_{id}", payload, now())


@contextmanager
def running(outbox: MemoryOutbox, *destinations: Destination) -> Iterator[Dispatcher]:
    client, stop, failed = HttpClient(), threading.Event(), []
    dispatcher = Dispatcher(
        outbox,
        client,
        clock=now,
        jitter=lambda: 0.0,
        changed=lambda: outbox.changes,
        disable=failed.append,
    )
    dispatcher.configure(destinations)
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    try:
        yield dispatcher
    finally:
        stop.set()
        thread.join()
        client.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(KEY) as receiver:
        yield receiver


@pytest.fixture
def outbox() -> MemoryOutbox:
    return MemoryOutbox()


def test_a_delivery_arrives_signed_for_the_published_verifier(
    receiver: Receiver, outbox: MemoryOutbox
) -> None:
    with running(outbox, webhook(receiver)):
        outbox.add(delivery(1))
        (received,) = receiver.wait_for(1)
        wait_until(lambda: not outbox.waiting(), "all is delivered")
    assert Webhook(SECRET).verify(received.body, received.headers) == {"profile": 1, "n": 1}
    assert (received.path, received.message_id, received.verified) == ("/crm", "msg_1", True)


def test_order_holds_through_errors_and_dropped_connections(
    receiver: Receiver, outbox: MemoryOutbox
) -> None:
    came: defaultdict[int, int] = defaultdict(int)

    def answer(received: Received) -> Answer:
        came[received.json["n"]] += 1
        if came[received.json["n"]] > 1:
            return Answer()
        failures = [Answer(), Answer(500), Answer(drop="noted"), Answer(drop="unread")]
        return failures[received.json["n"] % len(failures)]

    receiver.answer = answer
    with running(outbox, webhook(receiver)):
        outbox.add(*(delivery(n, profile=n % 7) for n in range(28)))
        wait_until(lambda: not outbox.waiting(), "all is delivered")
    assert all(received.verified for received in receiver.received)
    for profile in range(7):
        told = [r.json["n"] for r in receiver.received if r.json["profile"] == profile]
        assert told == sorted(told)
        assert set(told) == set(range(profile, 28, 7))


def test_a_hanging_destination_does_not_delay_another(
    receiver: Receiver, outbox: MemoryOutbox
) -> None:
    hanging = Receiver(KEY)
    hanging.answer = Answer(delay=PATIENCE)
    slow, fast = webhook(hanging, "slow", timeout=100), webhook(receiver, "fast")
    outbox.add(*(delivery(n, profile=n, destination="slow") for n in range(100)))
    with running(outbox, slow, fast), hanging:
        hanging.wait_for(8)
        for n in range(100, 120):
            outbox.add(delivery(n, profile=n, destination="fast"))
            receiver.wait_for(n - 99)
        assert len(hanging.received) == 8, "the fast one waited until the slow one was given up"


def test_a_wrong_secret_is_seen_by_the_receiver(outbox: MemoryOutbox) -> None:
    other = Receiver(b"another key, also of 32 bytes ..")
    with other as receiver, running(outbox, webhook(receiver)):
        outbox.add(delivery(1))
        (received,) = receiver.wait_for(1)
    assert not received.verified


def test_stopping_waits_for_what_is_under_way_and_leaves_the_rest(
    receiver: Receiver, outbox: MemoryOutbox
) -> None:
    receiver.answer = Answer(delay=0.3)
    outbox.add(*(delivery(n, profile=n) for n in range(1_000)))
    with running(outbox, webhook(receiver, concurrency=2)):
        receiver.wait_for(1)
    sent = {received.json["n"] for received in receiver.received}
    assert 1 <= len(sent) < 1_000
    assert {outcome.id for outcome in outbox.delivered} == sent
    assert {one.id for one in outbox.waiting()} == set(range(1_000)) - sent


def test_a_fault_in_one_destination_halts_it_alone(
    receiver: Receiver, outbox: MemoryOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_type))

    def broken(settings: object, delivery: Delivery, now: int) -> Request:
        raise ZeroDivisionError

    outbox.add(delivery(1, destination="bad"), delivery(2, destination="crm"))
    with running(outbox, Destination("bad", None, broken), webhook(receiver)) as dispatcher:
        receiver.wait_for(1)
        wait_until(lambda: dispatcher.status()[0].halted, "it is halted")
    assert seen == [ZeroDivisionError]
    assert [one.id for one in outbox.waiting()] == [1]


def test_fewer_at_a_time_after_a_change(receiver: Receiver, outbox: MemoryOutbox) -> None:
    lock, under_way, most = threading.Lock(), 0, 0
    together = threading.Barrier(6)

    def send(request: Request, timeout: float) -> Response:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        together.wait(PATIENCE)
        with lock:
            under_way -= 1
        return Response(200)

    stop = threading.Event()
    dispatcher = Dispatcher(
        outbox, send, clock=now, jitter=lambda: 0.0, changed=lambda: outbox.changes, disable=print
    )
    dispatcher.configure([webhook(receiver, concurrency=6)])
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    try:
        outbox.add(*(delivery(n, profile=n) for n in range(60)))
        wait_until(lambda: not outbox.waiting(), "all is delivered")
        assert most == 6
        dispatcher.configure([webhook(receiver, concurrency=2)])
        wait_until(lambda: under_way == 0, "nothing is under way")
        most, together = 0, threading.Barrier(2)
        outbox.add(*(delivery(n, profile=n) for n in range(60, 100)))
        wait_until(lambda: not outbox.waiting(), "all is delivered")
        assert most == 2
    finally:
        stop.set()
        thread.join()


def test_a_row_is_sent_when_it_was_added_not_when_it_is_looked_again(
    receiver: Receiver, outbox: MemoryOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "LOOK_AGAIN", 3 * PATIENCE * 1_000_000)
    with running(outbox, webhook(receiver)):
        for n in range(40):
            outbox.add(delivery(n, profile=n))
            receiver.wait_for(n + 1)
