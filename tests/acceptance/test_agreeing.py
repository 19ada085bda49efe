"""Live membership, preview, rebuild and backtest are four ways to one answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.questions.audiences import BacktestQuestion, PreviewQuestion
from onefold.app.questions.backtest import backtest
from onefold.app.questions.preview import preview
from onefold.app.questions.segments import segment_members
from onefold.app.workspace import now_us
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_choosing import ago

HOUR = 3_600_000_000
Answer = TypeVar("Answer")
RULES = {
    "buyers": "count_of('Order', last => interval 7 day) >= 2",
    "hourly": "did('Order', last => interval 60 hour) and city is not null",
    "spenders": "spent > 100",
    "silver": "level = 'silver' and not in_segment('buyers')",
    "away": "not did('View', last => interval 3 day)",
    "quick": "in_sequence('View', 'Order', within => interval 2 day)",
    "often": "count_of('View', between => (interval 20 day, interval 5 day)) > 1",
    "many": "unique_of('View', properties.page) >= 2 and days_since('View') < 9",
    "favorite": "most_frequent_of('View', properties.page) = 'sale'",
}
VALUES = """\
kind: trait
name: spent
expression: sum_of('Order', properties.price, last => interval 14 day)
---
kind: tag
name: level
cases: [{value: gold, when: spent > 200}, {value: silver, when: spent > 20}]
---
"""
DEFINED = VALUES + "---\n".join(
    f'kind: segment\nname: {name}\nrule: "{rule}"\n' for name, rule in RULES.items()
)


def happened(draw: random.Random, number: int) -> dict[str, Any]:
    user = f"u{draw.randint(1, 12)}"
    event: dict[str, Any] = {
        "messageId": f"m{number}",
        "timestamp": ago(draw.uniform(0.01, 25), now_us()),
        **draw.choice([{"userId": user}, {"anonymousId": f"a-{user}"}]),
    }
    match draw.randint(0, 4):
        case 0:
            both = {"userId": user, "anonymousId": f"a-{draw.choice([user, 'shared'])}"}
            traits = {"city": draw.choice(["Bonn", "Ulm", None])}
            return event | both | {"type": "identify", "traits": traits}
        case 1 | 2:
            properties = {"page": draw.choice(["sale", "home", "new"])}
            return event | {"type": "track", "event": "View", "properties": properties}
        case _:
            properties = {"price": draw.choice([0.1, 30, 60.25])}
            return event | {"type": "track", "event": "Order", "properties": properties}


@pytest.mark.parametrize("seed", range(4))
def test_live_preview_rebuild_and_backtest_agree(onefold: Stepped, seed: int) -> None:
    draw = random.Random(seed)
    events = [happened(draw, number) for number in range(150)]
    onefold.take(*events[:70])
    onefold.define(DEFINED)
    for start in range(70, 150, 8):
        onefold.take(*events[start : start + 8])
    for name, rule in RULES.items():
        live, found, past = within_an_hour(lambda name=name, rule=rule: asked(onefold, name, rule))
        assert found == live, name
        assert past == len(live), name
    assert check_rebuild(onefold.settings).differences == ()


def asked(onefold: Stepped, name: str, rule: str) -> tuple[set[str], set[str], int]:
    """Who is in a segment, who is found by its rule, and how many there are by a look back."""
    onefold.worker._next_sweep = 0.0
    onefold.settle()
    live = {one.profile for one in segment_members(onefold.settings, name)}
    found = preview(onefold.settings, PreviewQuestion(rule, sample=100))
    now = now_us()
    past = backtest(onefold.settings, BacktestQuestion(rule, now, now))
    return live, {one.profile for one in found.sample}, past.points[-1].members


def within_an_hour(ask: Callable[[], Answer]) -> Answer:
    """What is asked; anew if an hour, and with it what windows of time hold, turned meanwhile."""
    while True:
        hour = now_us() // HOUR
        answer = ask()
        if now_us() // HOUR == hour:
            return answer
