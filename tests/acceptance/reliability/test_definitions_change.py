"""Definitions change while events flow and processes are killed: nobody is missed, nothing is stale."""

from __future__ import annotations

import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onefold.app.evaluation.backfill import AT_ONCE_EVENTS
from onefold.app.folding.refold import fold_batches
from onefold.app.lake.tables import tables_now
from onefold.app.workspace import now_us, open_lake, open_store
from onefold.config import Settings
from onefold.model.profile import Profile, decode_profile
from onefold.store import SQLiteStore
from onefold.testing.patience import PATIENCE, wait_until
from tests.acceptance.reliability.clients import Clients
from tests.acceptance.reliability.tree import Tree

ORDERS = "count_of('Order Completed', last => interval 90 day)"
RULES = (
    f"{ORDERS} >= 3",
    f"{ORDERS} >= 9",
    "sum_of('Order Completed', properties.revenue) > 50",
    "orders > 4",
    "country = 'CN'",
    "not did('Order Completed', last => interval 60 day)",
)
TRAITS = ("count_of('Order Completed')", f"{ORDERS} + 1", f"{ORDERS} * 2")
ORDERS_TRAIT = {"name": "orders", "expression": TRAITS[0]}


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    tree = Tree(tmp_path / "data", sql_rows=1_000_000)
    try:
        tree.start()
        yield tree
    finally:
        tree.end()


def ask(tree: Tree, method: str, path: str, body: Any = None, etag: str = "") -> tuple[int, str]:
    """The status of an answer, and the ETag."""
    headers = {"authorization": f"Bearer {tree.keys['admin_key']}"}
    if body is not None:
        headers["content-type"] = "application/json"
    if etag:
        headers["if-match"] = etag
    data = None if body is None else msgspec.json.encode(body)
    request = urllib.request.Request(tree.url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.headers.get("etag", "")
    except urllib.error.HTTPError as error:
        return error.code, ""


def many(tree: Tree, count: int) -> None:
    """So many people, by one order each: too many to be evaluated one after the other."""
    for first in range(0, count, 500):
        batch = [
            {
                "type": "track",
                "event": "Order Completed",
                "userId": f"past-{n}",
                "messageId": f"past-{n}",
                "properties": {"revenue": n % 100},
            }
            for n in range(first, first + 500)
        ]
        clients = Clients(lambda: tree.port, tree.keys["write_key"])
        body = msgspec.json.encode({"batch": batch})
        link = urllib.request.Request(f"{tree.url}/v1/batch", body, clients._headers, method="POST")
        with urllib.request.urlopen(link, timeout=PATIENCE) as answer:
            assert answer.status == 200


def profiles(store: SQLiteStore) -> list[Any]:
    found = []
    for page in store.pages(5_000):
        for document in page.values():
            one: Profile = decode_profile(document)
            nodes = sorted(f"{node.kind}:{node.value}" for node in one.nodes)
            found.append((nodes, one.computed, one.tags, sorted(one.members)))
    return sorted(found, key=repr)


def assert_as_a_new_fold(tree: Tree) -> None:
    """All hold what they hold when every event is folded again under the definitions of now."""
    settings = Settings(data=tree.data)
    with open_store(settings) as live:
        again = SQLiteStore(tree.data / "again.db")
        try:
            tables = tables_now(live, open_lake(settings))
            fold_batches(settings, live, again, tables, 1 << 62, now_us())
            assert profiles(live) == profiles(again)
        finally:
            again.close()


@pytest.mark.slow
def test_kills_while_everybody_is_counted_chosen_and_evaluated(tree: Tree) -> None:
    """Worker and jobs are killed again and again between a new trait and its last profile."""
    many(tree, AT_ONCE_EVENTS + 1_000)  # so many that a job counts their past
    tree.settle()
    clients = Clients(lambda: tree.port, tree.keys["write_key"])
    with clients.sending():
        for number in range(3):
            keen = {"rule": f"orders >= {number + 1}"}
            assert ask(tree, "PUT", "/api/traits/orders", {"expression": TRAITS[number]})[0] == 200
            assert ask(tree, "PUT", "/api/segments/keen", keen)[0] == 200
            for victims in (("worker",), ("jobs",), ("worker", "jobs")):
                time.sleep(random.Random(number).uniform(0.2, 2.5))
                tree.kill_and_wait(*victims)
    tree.settle()
    with open_store(Settings(data=tree.data), cache_mb=2) as store:
        ended = {(one.kind, one.state) for one in store.jobs.page(1 << 62, 1_000)}
    assert {("backfill", "done"), ("choose", "done")} <= ended
    assert tree.run("rebuild", "--check")["differences"] == []
    assert tree.stop() == 0
    assert_as_a_new_fold(tree)


@contextmanager
def editing(tree: Tree, seed: int, answers: list[int]) -> Iterator[None]:
    """Somebody who adds, changes and takes out definitions, each time as of what he saw last."""
    stop = threading.Event()
    chance = random.Random(seed)

    def edit() -> None:
        while not stop.wait(chance.uniform(0.05, 0.4)):
            kind, name, body = (
                ("traits", "orders", {"expression": chance.choice(TRAITS)})
                if chance.random() < 0.2
                else ("segments", chance.choice("abcd"), {"rule": chance.choice(RULES)})
            )
            path = f"/api/{kind}/{name}"
            found, etag = ask(tree, "GET", path)
            stop.wait(chance.uniform(0, 0.1))
            if found == 404:
                answers.append(ask(tree, "POST", f"/api/{kind}", {"name": name, **body})[0])
            elif kind == "segments" and chance.random() < 0.25:
                answers.append(ask(tree, "DELETE", path, etag=etag)[0])
            else:
                answers.append(ask(tree, "PUT", path, body, etag)[0])

    thread = threading.Thread(target=edit)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE)


@pytest.mark.slow
@pytest.mark.parametrize("people", [0, 12_000])
def test_two_editors_while_events_flow(tree: Tree, people: int) -> None:
    many(tree, people)
    assert ask(tree, "POST", "/api/traits", ORDERS_TRAIT)[0] == 201
    answers: list[int] = []
    clients = Clients(lambda: tree.port, tree.keys["write_key"])
    with clients.sending(), editing(tree, 1, answers), editing(tree, 2, answers):
        time.sleep(15.0)
        wait_until(lambda: {200, 412} <= set(answers), "one came before the other")
        wait_until(lambda: len(clients.accepted) > 2_000, "events came in meanwhile")
    tree.settle()
    assert set(answers) <= {200, 201, 404, 409, 412}
    assert clients.failures == 0
    found = tree.run("sql", "select message_id from events", "--limit", "1000000")["rows"]
    stored = [row[0] for row in found if not row[0].startswith("past-")]
    assert len(stored) == len(set(stored))
    lost = sorted(clients.accepted - set(stored))
    assert not lost, (len(lost), len(stored), lost[:5])
    assert tree.run("rebuild", "--check")["differences"] == []
    assert tree.stop() == 0
    assert_as_a_new_fold(tree)
