"""The jobs process as a user runs it, with a real receiver: killed, stopped, and told to go away."""

import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.activate.webhook import secret_text
from onefold.store import SQLiteStore
from onefold.testing.patience import PATIENCE, wait_until
from onefold.testing.receiver import Answer, Receiver
from tests.programs import jobs

KEY = bytes(range(32))
PROFILES = 60


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(KEY) as receiver:
        yield receiver


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "store.db", cache_mb=1)
    yield store
    store.close()


def put_destination(store: SQLiteStore, receiver: Receiver) -> None:
    body = {"type": "webhook", "url": f"{receiver.url}/crm", "secret": secret_text(KEY)}
    store.registry.put_definitions([("destination", "crm", body)], [], 1, "test")


def add(store: SQLiteStore, numbers: range) -> None:
    now = time.time_ns() // 1000
    with store.db.transaction() as connection:
        connection.executemany(
            "insert into deliveries (destination, profile, key, payload, created_at, next_at)"
            " values ('crm',?,?,?,?,?)",
            [(n % PROFILES, f"msg_{n}", b'{"n":%d}' % n, now, now) for n in numbers],
        )


def test_kills_lose_nothing_and_keep_the_order(
    receiver: Receiver, store: SQLiteStore, tmp_path: Path
) -> None:
    receiver.answer = Answer(delay=0.005)
    put_destination(store, receiver)
    add(store, range(1500))
    for _ in range(4):
        seen = len(receiver.received)
        with jobs(tmp_path):
            wait_until(
                lambda seen=seen: len(receiver.received) > seen + 150 or not store.outbox.waiting(),
                "150 more are delivered, or all",
            )
    add(store, range(1500, 1600))
    with jobs(tmp_path) as process:
        wait_until(lambda: not store.outbox.waiting(), "all is delivered")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    told = defaultdict(list)
    for received in receiver.received:
        assert received.verified
        assert received.message_id == f"msg_{received.json['n']}"
        told[received.json["n"] % PROFILES].append(received.json["n"])
    for profile in range(PROFILES):
        assert told[profile] == sorted(told[profile])
        assert set(told[profile]) == set(range(profile, 1600, PROFILES))


def test_a_stop_sends_nothing_twice(receiver: Receiver, store: SQLiteStore, tmp_path: Path) -> None:
    receiver.answer = Answer(delay=0.08)
    put_destination(store, receiver)
    add(store, range(600))
    with jobs(tmp_path) as process:
        receiver.wait_for(60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert 60 <= len(receiver.received) < 600
    with jobs(tmp_path):
        wait_until(lambda: not store.outbox.waiting(), "all is delivered")
    assert sorted(received.json["n"] for received in receiver.received) == list(range(600))


def test_two_jobs_processes_send_nothing_twice_and_one_takes_over(
    receiver: Receiver, store: SQLiteStore, tmp_path: Path
) -> None:
    receiver.answer = Answer(delay=0.02)
    put_destination(store, receiver)
    add(store, range(300))
    with jobs(tmp_path) as one, jobs(tmp_path) as other:
        wait_until(lambda: not store.outbox.waiting(), "all is delivered")
        # Whoever came first did it, while the other may not even have begun to wait for its turn.
        pid, *_ = wait_until(lambda: store.heartbeats().get("jobs"), "it says who it is")
        first = one if one.pid == pid else other
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE) == 0
        add(store, range(300, 310))
        receiver.wait_for(310)
    assert sorted(received.json["n"] for received in receiver.received) == list(range(310))


def test_a_destination_that_is_gone_is_taken_out_of_service_for_good(
    receiver: Receiver, store: SQLiteStore, tmp_path: Path
) -> None:
    receiver.answer = Answer(410)
    put_destination(store, receiver)
    add(store, range(1))
    with jobs(tmp_path):
        wait_until(lambda: len(store.outbox.dead("crm")) == 1, "it is given up")
        wait_until(
            lambda: store.registry.definitions()[0].body.get("enabled") is False, "it is disabled"
        )
    receiver.answer = Answer(200)
    add(store, range(1, 2))
    store.registry.put_definitions(
        [("destination", "crm", {**store.registry.definitions()[0].body, "enabled": True})],
        [], 2, "test",
    )  # fmt: skip
    assert store.outbox.revive([store.outbox.dead("crm")[0].delivery.id], 3) == 1
    with jobs(tmp_path):
        wait_until(lambda: not store.outbox.waiting(), "all is delivered")
    assert sorted(received.json["n"] for received in receiver.received) == [0, 0, 1]


def test_headers_that_held_secrets_are_kept_encrypted_and_named(
    receiver: Receiver, store: SQLiteStore, tmp_path: Path
) -> None:
    headers = {"Authorization": "Bearer k1", "X-Crm-Key": "k2", "X-Team": "growth"}
    body = {"type": "webhook", "url": f"{receiver.url}/crm", "secret": secret_text(KEY)}
    body |= {"headers": headers}
    store.registry.put_definitions([("destination", "crm", body)], [], 1, "test")
    add(store, range(1))
    with jobs(tmp_path):
        (received,) = receiver.wait_for(1)

    sent = [received.headers[name] for name in ("authorization", "x-crm-key", "x-team")]
    assert sent == ["Bearer k1", "k2", "growth"]
    versions = store.registry.definition_versions("destination", "crm")
    named = {
        "Authorization": {"secret": "destination.crm.Authorization"},
        "X-Crm-Key": {"secret": "destination.crm.X-Crm-Key"},
        "X-Team": "growth",
    }
    assert [one.body and one.body["headers"] for one in versions] == [named] * len(versions)


def test_a_secret_that_stood_in_a_definition_is_kept_encrypted_and_named(
    tmp_path: Path, store: SQLiteStore, receiver: Receiver
) -> None:
    put_destination(store, receiver)
    put_destination(store, receiver)
    add(store, range(3))

    with jobs(tmp_path):
        receiver.wait_for(3)

    assert all(one.verified for one in receiver.received)
    versions = store.registry.definition_versions("destination", "crm")
    assert [one.body and one.body["secret"] for one in versions] == [
        {"secret": "destination.crm"}
    ] * 3
    assert [name for name, *_ in store.secrets.names()] == ["destination.crm"]
