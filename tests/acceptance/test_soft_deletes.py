"""Records that say themselves that they are deleted: profiles follow, whatever reads them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onefold.app.profiles.finding import profile
from onefold.app.rejects import reject_list
from onefold.app.syncs.services import source_run
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_change_streams import allow_this_machine
from tests.unit.collect.sources.api_server import Apis


@pytest.fixture
def apis() -> Iterator[Apis]:
    made = Apis()
    yield made
    made.close()


@pytest.mark.parametrize("stub", [True, False])
def test_what_an_api_marks_as_deleted_is_forgotten(
    onefold: Stepped, apis: Apis, stub: bool
) -> None:
    customer: dict[str, Any] = {"id": "cus_1", "email": "a@example.com", "city": "Bonn"}
    customers = [customer, {"id": "cus_2", "email": "b@example.com", "city": "Ulm"}]
    apis.api = lambda asked: (200, {"data": customers})
    allow_this_machine(onefold)
    onefold.define(f"""
kind: source
name: shop
type: rest
settings:
  base_url: {apis.url}
  streams: [{{name: customers, path: customers, records: data}}]
mapping:
  identifiers: {{user_id: id, email: email}}
  traits: {{city: city}}
  delete: forget
  deleted_when: deleted = true
""")
    source_run(onefold.settings, "shop")
    onefold.settle()
    assert profile(onefold.settings, "user_id:cus_1").traits["city"] == "Bonn"
    customers[0] = {"id": "cus_1", "deleted": True} if stub else {**customer, "deleted": True}
    source_run(onefold.settings, "shop")
    onefold.settle()
    assert profile(onefold.settings, "user_id:cus_1").traits == {}
    assert profile(onefold.settings, "user_id:cus_2").traits["city"] == "Ulm"
    assert reject_list(onefold.settings) == []


def test_a_row_of_a_database_with_a_time_of_its_deletion_is_closed_once(
    onefold: Stepped, tmp_path: Path
) -> None:
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table people (id integer primary key, deleted_at text)")
        connection.execute("insert into people values (1, null), (2, '2026-03-01')")
    onefold.define(f"""
kind: source
name: crm
type: sql
settings: {{dialect: sqlite, file: {path}, tables: [{{table: people}}]}}
mapping:
  identifiers: {{user_id: id}}
  delete: close
  deleted_when: deleted_at is not null
""")
    for _ in range(3):
        source_run(onefold.settings, "crm")
        onefold.settle()
    counters = onefold.store.counters()
    assert counters["events"] == 3 + 1
