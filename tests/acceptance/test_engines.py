"""Whatever engine the settings name, everybody is asked the same questions and gives the same answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest

from onefold.app.access import make_workspace
from onefold.app.audiences import (
    BacktestQuestion,
    CompareQuestion,
    OverlapQuestion,
    PreviewQuestion,
    WhyQuestion,
)
from onefold.app.backtest import backtest
from onefold.app.compaction import compact
from onefold.app.compare import compare
from onefold.app.overlap import overlap
from onefold.app.preview import preview
from onefold.app.why import why
from onefold.app.workspace import now_us
from onefold.config import Settings
from onefold.testing.shop import SEGMENTS, Shop, definitions
from onefold.testing.shop.play import batches
from tests.acceptance.conftest import Stepped
from tests.engines.test_engines import needs_java

pytestmark = [pytest.mark.slow, needs_java, pytest.mark.timeout(900)]
DAY = 86_400_000_000
RULE = (
    "country = 'CN' and count_of('Order Completed', last => interval 30 day) >= 2"
    " and not did('Email Opened', last => interval 2 day)"
)
TRAITS = """
kind: trait
name: spent
expression: sum_of('Order Completed', properties.revenue, last => interval 90 day)
---
kind: tag
name: level
cases: [{value: gold, when: spent >= 3000}, {value: silver, when: spent > 0}]
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A shop's lake: some of it compacted, with typed columns; some not; and some still queued."""
    settings = Settings(
        data=tmp_path_factory.mktemp("it's [1]") / "data",
        min_free_disk=0,
        timezone="Asia/Shanghai",
        sql_seconds=600,
    )
    make_workspace(settings)
    onefold = Stepped(settings)
    try:
        onefold.define(definitions() + "---" + TRAITS)
        now = now_us()
        messages = [
            one for one in Shop.around(now, seed=3, customers=60).messages() if one.at < now - DAY
        ]
        bodies = [body for _, some in batches(messages) for body in some]
        for number, body in enumerate(bodies):
            if body["type"] == "identify":
                body["traits"]["points"] = number % 97
        old, newer = 2 * len(bodies) // 3, 9 * len(bodies) // 10
        onefold.take(*bodies[:old])
        compact(onefold.store, onefold.lake, settings.data / "tmp", at_once=True)
        onefold.take(*bodies[old:newer])
        onefold.append(*bodies[newer:])
        while onefold.worker.step():
            pass
        assert onefold.store.queue_size()[1]
        yield settings
    finally:
        onefold.close()


def on(settings: Settings, engine: str) -> Settings:
    return msgspec.structs.replace(settings, engine=engine)


def agreed(ask: Callable[[Settings], Any], settings: Settings, **different: Any) -> Any:
    """The answer of both engines; asked anew if a day turned meanwhile."""

    def answer(engine: str) -> Any:
        return msgspec.structs.replace(ask(on(settings, engine)), **different)

    for _ in range(3):
        before, found, after = answer("duckdb"), answer("local[2]"), answer("duckdb")
        if before == after:
            assert found == before
            return found
    raise AssertionError("one engine does not agree with itself")


def test_a_preview(shop: Settings) -> None:
    question = PreviewQuestion(RULE, 5, ("city", "level"), ("Order Completed", "Product Viewed"))
    found = agreed(lambda settings: preview(settings, question), shop, as_of=0)
    assert 0 < found.count < found.total
    assert len(found.sample) == min(5, found.count)
    assert sum(day.events for day in found.events[0].days) > 0


def test_an_overlap_of_all_segments(shop: Settings) -> None:
    rules: Mapping[str, str] = {one.name: f"segment:{one.name}" for one in SEGMENTS}
    found = agreed(lambda settings: overlap(settings, OverlapQuestion(rules)), shop, as_of=0)
    assert sum(found.sizes.values()) > 20
    assert len(found.parts) > 3


def test_a_comparison(shop: Settings) -> None:
    question = CompareQuestion("segment:big_spenders", (), 30, 200)
    found = agreed(lambda settings: compare(settings, question), shop, as_of=0)
    assert {one.kind for one in found.differences} == {"value", "average", "event", "events"}


def test_a_backtest(shop: Settings) -> None:
    until = now_us() - DAY
    question = BacktestQuestion(RULE, until - 3 * DAY, until, "day", 50)
    found = agreed(lambda settings: backtest(settings, question), shop)
    assert any(point.entered for point in found.points)
    assert found.changes


def test_why(shop: Settings) -> None:
    question = PreviewQuestion("spent > 0 and country = 'CN'", 1)
    (somebody,) = preview(shop, question).sample
    asked = WhyQuestion(RULE, somebody.profile)
    found = agreed(lambda settings: why(settings, asked), shop, as_of=0)
    assert found.clause.parts
