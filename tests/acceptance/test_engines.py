"""Whatever engine the settings name, everybody is asked the same questions and gives the same answers."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest

from onefold.app.access import make_workspace
from onefold.app.evaluation.past import PastWanted, count_past
from onefold.app.evaluation.refreshing import refresh_tag
from onefold.app.lake.compaction import compact
from onefold.app.lake.tables import tables_now
from onefold.app.questions.audiences import (
    BacktestQuestion,
    CompareQuestion,
    OverlapQuestion,
    PreviewQuestion,
    WhyQuestion,
)
from onefold.app.questions.backtest import backtest
from onefold.app.questions.compare import compare
from onefold.app.questions.overlap import overlap
from onefold.app.questions.preview import preview
from onefold.app.questions.why import why
from onefold.app.workspace import now_us, open_engine, open_lake, open_store
from onefold.config import Settings
from onefold.engine import Engine
from onefold.model.given import tag_trait
from onefold.pipeline import decode_buckets
from onefold.segment import compile_plan
from onefold.segment.plan import Wanted
from onefold.serve.web import run_web
from onefold.testing.connect_server import connect_server
from onefold.testing.patience import PATIENCE
from onefold.testing.shop import SEGMENTS, Shop, definitions
from onefold.testing.shop.play import batches
from tests.acceptance.conftest import Stepped
from tests.engines.test_engines import needs_java

pytestmark = [pytest.mark.slow, needs_java]
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
---
kind: tag
name: rfm
rfm: {}
---
kind: tag
name: third
rank: {by: spent, into: 3}
---
kind: tag
name: basket
statistics:
  by: spent
  cases: [{value: far above, when: z > 1.5}, {value: above, when: x > mean}, {value: low, when: x < q20}]
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
    made = make_workspace(settings)
    assert made is not None
    (settings.data / "key").write_text(made.admin_key)
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


@pytest.mark.parametrize("tag", ["rfm", "third", "basket"])
def test_a_refresh(shop: Settings, tag: str) -> None:
    def found(engine: str) -> list[tuple[Any, ...]]:
        refresh_tag(on(shop, engine), tag)
        with open_store(shop) as store:
            rows = store.given.refreshed(10_000)
        own = [row for row in rows if row.trait == tag_trait(tag)]
        return sorted((row.profile, {**row.value, "at": 0}) for row in own)

    expected = found("duckdb")
    assert len(expected) > 10
    assert len({value["value"] for _, value in expected}) > 1
    assert found("local[2]") == expected


def test_the_past_of_metrics(shop: Settings) -> None:
    rules = [RULE, "in_sequence('Product Viewed', 'Order Completed', within => interval 3 day)",
             "unique_of('Product Viewed', properties.category) > 2",
             "sum_of('Order Completed', properties.revenue) > 100",
             "last_of('Order Completed', properties.currency) = 'CNY'"]  # fmt: skip
    metrics = compile_plan([Wanted("segment", rule, rule) for rule in rules]).metrics

    def counted(engine: Engine, file: str) -> dict[bytes, Any]:
        with open_store(shop) as store:
            tables = tables_now(store, open_lake(shop))
            wanted = PastWanted(metrics, store.batch(), file)
        try:
            count_past(shop, wanted, tables, engine, lambda *_: None)
        finally:
            engine.close()
        rows = sqlite3.connect(shop.data / file).execute("select node, facts from past")
        return {node: decode_buckets(facts) for node, facts in rows}

    expected = counted(open_engine(shop), "backfill/duckdb.db")
    assert len(expected) > 50
    assert counted(open_engine(on(shop, "local[2]")), "backfill/spark.db") == expected


def test_over_http(shop: Settings) -> None:
    headers = {"authorization": f"Bearer {(shop.data / 'key').read_text()}"}
    question = {"rule": RULE, "by": ["city"]}

    def answer(engine: str) -> dict[str, Any]:
        stop, ready = threading.Event(), threading.Event()
        listen = socket.create_server(("127.0.0.1", 0))
        settings = on(shop, engine)
        web = threading.Thread(target=run_web, args=(settings, ready.set, stop, listen))
        web.start()
        try:
            assert ready.wait(PATIENCE)
            url = f"http://127.0.0.1:{listen.getsockname()[1]}/api/segments/preview"
            found = httpx.post(url, json=question, headers=headers, timeout=2 * PATIENCE)
            assert found.status_code == 200, found.text
            return {**found.json(), "as_of": 0}
        finally:
            stop.set()
            web.join()

    expected = answer("duckdb")
    assert expected["count"] > 0
    assert answer("local[2]") == expected


def test_on_the_command_line_with_a_spark_connect_server(
    shop: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def said(*flags: str, **environment: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "onefold", "--data", str(shop.data)]
        command += ["--timezone", shop.timezone, "--sql-seconds", "600", *flags]
        done = subprocess.run(
            [*command, "segment", "preview", RULE, "--by", "city", "--json"],
            check=False,
            capture_output=True,
            env={**os.environ, **environment},
            timeout=2 * PATIENCE,
        )
        assert done.returncode == 0, done.stderr.decode()
        return {**json.loads(done.stdout), "as_of": 0}

    expected = said()
    assert expected["count"] > 0
    with connect_server(tmp_path_factory.mktemp("connect")) as url:
        assert said("--engine", url) == expected
        assert said(ONEFOLD_ENGINE=url) == expected
