"""The relations that rules are asked over say what the store says: after merges, with the queue."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.lake.compaction import compact
from onefold.app.lake.relations import add_population
from onefold.app.lake.tables import add_views, tables_now
from onefold.app.lake.writer import drain
from onefold.app.profiles.finding import profile
from onefold.app.workspace import open_lake, open_store
from onefold.engine import DuckEngine
from onefold.lake import parse_file_name
from onefold.lake.delta import DeltaLake
from onefold.model.profile import profile_name
from onefold.store import SQLiteStore
from onefold.testing.shop import definitions
from tests.acceptance.conftest import Stepped


def identify(user: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "userId": user,
        "messageId": f"i{user}{number}",
        "timestamp": f"2026-11-0{number % 9 + 1}T10:00:00Z",
        **more,
    }


def track(name: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": name,
        "messageId": f"t{number}",
        "timestamp": f"2026-11-0{number % 9 + 1}T12:00:00Z",
        "properties": {"revenue": number, "n": number},
        **more,
    }


def seen(onefold: Stepped) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Each profile's events and traits, as the relations say."""
    engine = DuckEngine()
    try:
        add_population(engine, onefold.store, onefold.lake)
        events: dict[str, list[str]] = {}
        for number, message in engine.rows(
            "events", "select profile, message_id from events_now order by message_id", {}
        ):
            events.setdefault(profile_name(number), []).append(message)
        profiles = engine.rows("profiles", "select profile, traits from profiles_now", {})
        return events, {profile_name(number): json.loads(text) for number, text in profiles}
    finally:
        engine.close()


def check(onefold: Stepped) -> None:
    """Is it what the store says?"""
    events, profiles = seen(onefold)
    live = onefold.store.profile_ids(0, 1000)
    assert sorted(profiles) == sorted(map(profile_name, live))
    for name, traits in profiles.items():
        assert profile(onefold.settings, name).traits == traits
    assert events.keys() <= profiles.keys()
    engine = DuckEngine()
    try:
        add_population(engine, onefold.store, onefold.lake)
        owners = dict(engine.rows("owners", "select owner, profile from events_now", {}))
    finally:
        engine.close()
    assert onefold.store.profiles_of([*owners]) == owners


def test_events_follow_their_owner_through_merges(onefold: Stepped) -> None:
    onefold.take(*(track("View", n, anonymousId="browser-1") for n in range(3)))
    onefold.take(*(track("View", n, anonymousId="mobile-1") for n in range(3, 6)))
    onefold.take(identify("u1", 1, anonymousId="browser-1", traits={"country": "CN"}))
    check(onefold)
    assert sorted(map(len, seen(onefold)[0].values())) == [3, 4]

    onefold.take(identify("u1", 2, anonymousId="mobile-1", traits={"city": "上海"}))
    check(onefold)
    events, profiles = seen(onefold)
    assert [len(found) for found in events.values()] == [8]
    assert [*profiles.values()] == [{"country": "CN", "city": "上海"}]


def test_a_device_that_is_shared_parts_from_its_users(onefold: Stepped) -> None:
    onefold.take(*(track("View", n, anonymousId="kiosk-1") for n in range(3)))
    for user in range(5):
        onefold.take(identify(f"u{user}", user, anonymousId="kiosk-1"))
        check(onefold)
    events, _ = seen(onefold)
    assert ["t0", "t1", "t2"] in events.values()
    assert len(events) == 6


@pytest.mark.parametrize("seed", range(3))
def test_events_are_of_their_owners_profile_whatever_moved(onefold: Stepped, seed: int) -> None:
    random = Random(seed)
    for step in range(14):
        users = random.sample(range(6), 2)
        match random.randrange(4):
            case 0:
                one = {"type": "alias", "previousId": f"u{users[0]}", "userId": f"u{users[1]}"}
                onefold.take({**one, "messageId": f"a{step}"})
            case 1:
                device = f"d-{random.randrange(4)}"
                onefold.take(identify(f"u{users[0]}", step, anonymousId=device))
            case _:
                devices = [f"d-{random.randrange(4)}" for _ in range(4)]
                onefold.take(
                    *(
                        track("View", 10 * step + n, anonymousId=one)
                        for n, one in enumerate(devices)
                    )
                )
        if random.random() < 0.2:
            compacted(onefold)
        check(onefold)
    engine = DuckEngine()
    try:
        add_population(engine, onefold.store, onefold.lake)
        assert engine.rows("some", "select count(*) from moves where left_id is not null", {})
    finally:
        engine.close()


def test_what_waits_in_the_queue_is_among_them(onefold: Stepped) -> None:
    onefold.take(identify("u1", 1, traits={"country": "CN"}))
    onefold.append(identify("u1", 2, traits={"country": "DE"}), track("Buy", 1, userId="u1"))
    while onefold.worker.step():
        pass
    assert onefold.store.queue_size()[1]
    check(onefold)
    events, profiles = seen(onefold)
    assert [len(found) for found in events.values()] == [3]
    assert [*profiles.values()] == [{"country": "DE"}]
    drain(onefold.store, onefold.lake)
    assert seen(onefold) == (events, profiles)


def everything(onefold: Stepped) -> list[tuple[Any, ...]]:
    """All rows of the tables that are compacted, but for whose an event was when written."""
    engine = DuckEngine()
    try:
        tables = tables_now(onefold.store, onefold.lake)
        add_views(engine, tables)
        return [
            row
            for columns in ("* exclude (profile_id) from all_events", "* from all_profiles")
            for row in engine.rows("all", f"select {columns} order by all", {})
        ]
    finally:
        engine.close()


def compacted(onefold: Stepped) -> None:
    compact(onefold.store, onefold.lake, onefold.settings.data / "tmp", at_once=True)


def test_compaction_changes_no_row_and_no_answer(onefold: Stepped) -> None:
    onefold.define(definitions())
    for day in range(4):
        onefold.take(
            *(track("Order Completed", 10 * day + n, anonymousId=f"m-{n}") for n in range(9)),
            *(identify(f"u{n}", day, traits={"country": "CN", "n": day}) for n in range(3)),
        )
    onefold.take(*(identify(f"u{n}", 7, anonymousId=f"m-{n}") for n in range(3)))
    rows, answer = everything(onefold), seen(onefold)
    check(onefold)

    compacted(onefold)

    assert (everything(onefold), seen(onefold)) == (rows, answer)
    parts = {parse_file_name(file).part for file in onefold.lake.snapshot("events")[1]}
    assert len(parts) == 9
    assert all(len(part) == 8 for part in parts)
    parts = {parse_file_name(file).part for file in onefold.lake.snapshot("profiles")[1]}
    assert parts == {"now", "past"}
    assert check_rebuild(onefold.settings).differences == ()

    onefold.take(
        *(identify(f"u{n}", 8, anonymousId=f"m-{n + 4}", traits={"n": 8}) for n in range(3))
    )
    rows, answer = everything(onefold), seen(onefold)
    check(onefold)
    compacted(onefold)
    assert (everything(onefold), seen(onefold)) == (rows, answer)
    assert check_rebuild(onefold.settings).differences == ()


def test_everybody_is_seen_as_of_one_batch_while_others_write(onefold: Stepped) -> None:
    """In each batch each user says how many events there are by then: nothing else is ever seen."""
    done = threading.Event()

    def beside() -> int:
        looks = 0
        with open_store(onefold.settings) as store:
            lake = open_lake(onefold.settings)
            while not done.is_set():
                assert said_and_done(store, lake)
                looks += 1
        return looks

    onefold.take(*batch(0))
    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(beside), pool.submit(beside)]
        for number in range(1, 40):
            onefold.append(*batch(number))
            while onefold.worker.step():
                pass
            if number % 3:
                drain(onefold.store, onefold.lake)
            if not number % 10:
                compacted(onefold)
        done.set()
    assert all(one.result() > 3 for one in working)


def batch(number: int) -> list[dict[str, Any]]:
    """The next event of each user; their devices come to them in the tenth batch."""
    users = range(3)
    visit = [track("View", 10 * number + n, anonymousId=f"m-{n}") for n in users]
    told = [
        identify(f"u{n}", number, anonymousId=f"m-{n}", traits={"n": number})
        | {"timestamp": f"2026-11-05T{number // 60:02d}:{number % 60:02d}:00Z"}
        for n in users
    ]
    return (
        visit + told
        if number >= 10
        else visit
        + [{key: value for key, value in one.items() if key != "anonymousId"} for one in told]
    )


def said_and_done(store: SQLiteStore, lake: DeltaLake) -> bool:
    """Has each user as many events as the traits of the same moment say?"""
    engine = DuckEngine()
    try:
        add_population(engine, store, lake)
        found = engine.rows(
            "found",
            "select traits, (select count(*) from events_now e where e.profile = p.profile)"
            " from profiles_now p where traits <> '{}'",
            {},
        )
    finally:
        engine.close()
    told = [(json.loads(traits)["n"], count) for traits, count in found]
    return bool(told) and all(
        count == (number + 1) * (2 if number >= 10 else 1) for number, count in told
    )
