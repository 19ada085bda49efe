"""kill -9 of each process, in turn and all at once, during load: what was promised is kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onefold.activate.webhook import secret_text
from onefold.app.secret_values import secret_set
from onefold.app.status import status
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.model.profile import Profile, decode_profile, profile_name
from onefold.testing.patience import wait_until_none
from onefold.testing.receiver import Receiver
from tests.acceptance.reliability.clients import Clients
from tests.acceptance.reliability.tree import NAMES, Tree

KEY = bytes(range(32))
LATER = """
kind: segment
name: later
rule: count_of('Order Completed', last => interval 60 day) >= {least}
"""
DEFINITIONS = """
kind: segment
name: buyers
rule: did('Order Completed', last => interval 30 day)
---
kind: segment
name: regulars
rule: count_of('Order Completed', last => interval 30 day) >= 10
---
kind: segment
name: counted twice
rule: count_of('Order Completed') > 12
---
kind: destination
name: crm
type: webhook
url: {url}/crm
secret: {{secret: crm}}
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(KEY) as receiver:
        yield receiver


@pytest.fixture
def tree(tmp_path: Path, receiver: Receiver) -> Iterator[Tree]:
    tree = Tree(tmp_path / "data", sql_rows=1_000_000)
    try:
        tree.start()
        folder = tmp_path / "definitions"
        folder.mkdir()
        secret_set(Settings(data=tree.data), "crm", secret_text(KEY))
        text = DEFINITIONS.format(url=receiver.url)
        (folder / "all.yaml").write_text(text)
        tree.run("apply", str(folder))
        yield tree
    finally:
        tree.end()


def load(tree: Tree) -> Clients:
    return Clients(lambda: tree.port, tree.keys["write_key"])


@pytest.mark.slow
def test_kills_of_single_processes_and_of_all(tree: Tree, receiver: Receiver) -> None:
    clients = load(tree)
    with clients.sending():
        for _ in range(3):
            for name in NAMES:
                clients.wait_for_more(300)
                tree.kill_and_wait(name)
        for _ in range(2):
            clients.wait_for_more(300)
            tree.kill_and_wait(*NAMES)
    assert clients.failures > 0
    settle(tree)
    assert_kept(tree, clients, receiver)


@pytest.mark.slow
def test_kills_while_new_rules_count_the_past(tree: Tree, receiver: Receiver) -> None:
    clients = load(tree)
    folder = tree.data.with_name("later")
    folder.mkdir()
    with clients.sending():
        clients.wait_for_more(1_500)
        for least in (3, 6, 9):
            (folder / "later.yaml").write_text(LATER.format(least=least))
            tree.run("apply", str(folder))
            tree.kill_and_wait("worker")
            clients.wait_for_more(300)
    settle(tree)
    assert_kept(tree, clients, receiver)
    by_user = events_of_users(tree)
    assert members(tree)["later"] == {user for user, count in by_user.items() if count >= 9}


@pytest.mark.slow
def test_kills_of_the_whole_tree_and_of_its_parent(tree: Tree, receiver: Receiver) -> None:
    clients = load(tree)
    with clients.sending():
        for kills in (("up", *NAMES), ("up",), (*NAMES, "up"), ("up",)):
            clients.wait_for_more(1_000)
            tree.kill(*kills)
            tree.start()
    settle(tree)
    assert_kept(tree, clients, receiver)


def settle(tree: Tree) -> None:
    """Wait until everything is processed, evaluated, delivered and in the lake; then stop."""
    tree.settle()
    settings = Settings(data=tree.data)
    wait_until_none(
        lambda: sum(status(settings).deliveries_waiting.values()), "what waits is delivered"
    )
    assert tree.stop() == 0


def assert_kept(tree: Tree, clients: Clients, receiver: Receiver) -> None:
    in_lake = Counter(
        {
            row["message_id"]: row["n"]
            for row in rows(tree, "select message_id, count(*) as n from events group by all")
        }
    )
    assert set(in_lake.values()) <= {1}
    assert clients.accepted <= in_lake.keys() <= clients.sent
    assert len(clients.accepted) > 500
    assert_counted(tree)
    assert_told(tree, receiver)
    assert tree.run("rebuild", "--check")["differences"] == []


def rows(tree: Tree, sql: str) -> list[dict[str, Any]]:
    answer = tree.run("sql", sql, "--limit", "1000000")
    return [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]


def assert_counted(tree: Tree) -> None:
    """Each event is counted once, in the profile of its user."""
    by_user = events_of_users(tree)
    found = {}
    for profile in profiles(tree):
        users = [node.value for node in profile.nodes if node.kind == "user_id"]
        assert len(users) == 1
        found[users[0]] = sum(node.events for node in profile.nodes)
    assert found == by_user
    inside = members(tree)
    assert inside["buyers"] == by_user.keys()
    assert inside["regulars"] == {user for user, count in by_user.items() if count >= 10}
    assert inside["counted twice"] == set()


def events_of_users(tree: Tree) -> dict[str, int]:
    """How many events of each user are in the lake."""
    found = rows(tree, "select user_id, count(*) as n from events group by all")
    return {row["user_id"]: row["n"] for row in found}


def members(tree: Tree) -> dict[str, set[str]]:
    """The users in each segment."""
    found: dict[str, set[str]] = defaultdict(set)
    for profile in profiles(tree):
        user = next(node.value for node in profile.nodes if node.kind == "user_id")
        for segment in profile.members:
            found[segment].add(user)
    return found


def profiles(tree: Tree) -> list[Profile]:
    with open_store(Settings(data=tree.data), cache_mb=4) as store:
        documents = store.documents(store.profile_ids(0, 1_000_000)).values()
    return [decode_profile(document) for document in documents]


def assert_told(tree: Tree, receiver: Receiver) -> None:
    """Each entry was delivered, and what was delivered twice had the same id and content."""
    entered = {
        (profile_name(profile.id), segment)
        for profile in profiles(tree)
        for segment in profile.members
    }
    told = set()
    bodies = defaultdict(set)
    for received in receiver.received:
        assert received.verified
        bodies[received.message_id].add(received.body)
        data = received.json["data"]
        told.add((data["profile"]["id"], data["segment"]))
    assert all(len(different) == 1 for different in bodies.values())
    assert len(bodies) == len(told), "the same change under two message ids"
    assert entered <= told
