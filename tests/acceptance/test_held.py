"""What is held in memory between questions answers as the lake's files do, whatever comes in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from onefold.app.lake import kept
from onefold.app.lake.compaction import compact
from onefold.app.lake.held import EVENTS, PROFILES
from onefold.app.lake.writer import drain
from onefold.app.questions.everybody import everybody, hold_missed
from onefold.app.workspace import now_us
from onefold.config import Settings
from onefold.segment.population import members_query
from tests.acceptance.conftest import Stepped

RULES = (
    "country = 'CN' and count_of('Order Completed') >= 2 and not did('Email Opened', last => interval 14 day)",
    "sum_of('Order Completed', properties.revenue, last => interval 7 day) > 100 or country = 'DE'",
    "country < 'D' and max_of('Order Completed', properties.revenue, where => properties.shop = 's1') > 20",
    "avg_of('Order Completed', properties.revenue, last => interval 9 day, where => properties.shop <> 's0') > 40",
    "first_of('Order Completed', properties.shop) = 's1'",
    "city <> 'c3'",
)
NAMES = ("Order Completed", "Email Opened")


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    keeper = kept._Kept()
    keeper.wanted = keeper.hold = True
    monkeypatch.setattr(kept, "_KEPT", keeper)
    yield
    if keeper._idle:
        keeper._idle[1].close()


def asked(settings: Settings, rule: str) -> tuple[list[int], str]:
    """Who satisfies a rule by what is held, if it is, and by the files alike; and what was asked."""
    now = now_us()
    with everybody(settings, {"": rule}, now, lambda: None) as (people, question):
        query = people.members_query(question, now)
        found = sorted(people.rows(query))
        files = members_query(question, now, people.timezone, people.relations)
        assert found == sorted(people.rows(files)), rule
    hold_missed(settings)
    return [number for (number,) in found], query


def event(random: Random, number: int) -> dict[str, Any]:
    user = random.randrange(8)
    who: dict[str, Any] = {"userId": f"u{user}"} if random.random() < 0.7 else {}
    if not who or random.random() < 0.3:
        who["anonymousId"] = f"a{random.randrange(8)}"
    day = (now_us() // 86_400_000_000 - random.randrange(20)) * 86_400
    base = {"messageId": f"m{number}", "timestamp": day + random.randrange(86_400), **who}
    base["timestamp"] = f"{_iso(base['timestamp'])}"
    if random.random() < 0.3:
        traits = {"country": random.choice(("CN", "DE", "FR")), "city": f"c{random.randrange(9)}"}
        return {**base, "type": "identify", "traits": traits}
    large = random.random() < 0.03 and random.choice((1e13, -3e17, 5e19))
    properties = {"revenue": large or random.randrange(900) / 10, "shop": f"s{random.randrange(3)}"}
    return {**base, "type": "track", "event": random.choice(NAMES), "properties": properties}


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def compacted(onefold: Stepped) -> None:
    drain(onefold.store, onefold.lake)
    compact(onefold.store, onefold.lake, onefold.settings.data / "tmp", at_once=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_it_answers_as_the_files_do(
    onefold: Stepped, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    # With the last seed no trait has few values: events are held, and profiles are not.
    monkeypatch.setattr("onefold.app.lake.held_columns._MOST_VALUES", 0 if seed == 3 else 1_000)
    random, number, held = Random(seed), 0, 0
    for _ in range(14):
        more = random.choice((0, 1, 1, 30))
        onefold.take(*(event(random, number + n) for n in range(more)))
        number += more
        doing = random.random()
        if doing < 0.3:
            compacted(onefold)
        elif doing < 0.6:
            drain(onefold.store, onefold.lake)
        for rule in random.sample(RULES, 3):
            for _ in range(3):
                held += EVENTS in asked(onefold.settings, rule)[1]
    assert held > 2


def test_the_second_question_reads_nothing_of_files(onefold: Stepped) -> None:
    random = Random(9)
    onefold.take(*(event(random, n) for n in range(60)))
    compacted(onefold)
    assert EVENTS not in asked(onefold.settings, RULES[0])[1]
    query = asked(onefold.settings, RULES[0])[1]
    assert EVENTS in query
    assert PROFILES in query


def test_what_takes_too_much_memory_is_read_from_files(
    onefold: Stepped, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(9)
    onefold.take(*(event(random, n) for n in range(60)))
    compacted(onefold)
    monkeypatch.setattr("onefold.app.lake.held_columns._TIME", 1 << 30)
    for _ in range(3):
        assert EVENTS not in asked(onefold.settings, RULES[0])[1]


def test_a_trait_of_many_values_is_read_from_files(
    onefold: Stepped, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(9)
    onefold.take(*(event(random, n) for n in range(60)))
    compacted(onefold)
    monkeypatch.setattr("onefold.app.lake.held_columns._MOST_VALUES", 1)
    asked(onefold.settings, RULES[0])
    query = asked(onefold.settings, RULES[0])[1]
    assert EVENTS in query
    assert PROFILES not in query
