"""SQL over HTTP: forms of the answer, and what nobody gets at."""

from __future__ import annotations

import io
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import pytest

SEEN = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u",
    "messageId": "m1",
    "timestamp": "2026-03-01T10:00:00Z",
    "properties": {"revenue": 12.5},
}


def ask(desk: Any, query: str, **more: Any) -> httpx.Response:
    return desk.post("/api/sql", {"query": query, **more})


def test_rows_as_json(desk: Any) -> None:
    desk.process(SEEN)

    found = ask(
        desk,
        "select name, time, (properties->>'revenue')::decimal(9,2) as revenue, sum(1) as n,"
        " [1, 2] as list, null as nothing from events group by all",
    )

    assert found.json() == {
        "columns": ["name", "time", "revenue", "n", "list", "nothing"],
        "rows": [["Order Completed", "2026-03-01T10:00:00Z", 12.5, 1, [1, 2], None]],
        "truncated": False,
    }


def test_rows_as_csv_and_as_arrow(desk: Any) -> None:
    desk.process(SEEN)
    query = "select name, time, true as yes, [1] as list from events"

    text = ask(desk, query, format="csv")
    table = pa.ipc.open_stream(io.BytesIO(ask(desk, query, format="arrow").content)).read_all()

    assert text.text == "name,time,yes,list\nOrder Completed,2026-03-01T10:00:00Z,true,[1]\n"
    assert text.headers["content-type"].startswith("text/csv")
    assert table.to_pydict()["name"] == ["Order Completed"]


@pytest.mark.parametrize("form", ["json", "csv", "arrow"])
def test_more_rows_than_wanted_are_cut_and_said(desk: Any, form: str) -> None:
    cut = ask(desk, "select * from range(100)", limit=7, format=form)
    whole = ask(desk, "select * from range(7)", limit=7, format=form)

    assert (cut.headers["x-onefold-truncated"], whole.headers["x-onefold-truncated"]) == (
        "true",
        "false",
    )
    assert form != "json" or len(cut.json()["rows"]) == 7


HOSTILE = [
    "select * from read_csv('/etc/passwd')",
    "select * from '/etc/passwd'",
    'select * from "/etc/passwd"',
    "select * from read_text('/etc/hostname')",
    "select * from read_blob('/etc/hostname')",
    "select * from glob('/*')",
    "select content from read_text(['/etc/hostname'])",
    "select * from events, read_json('/etc/hostname')",
    "select (select max(content) from read_text('/etc/hostname'))",
    "with a as (from read_text('/etc/hostname')) select * from a",
    "from read_text('/etc/hostname')",
    "select * from parquet_scan('/tmp/x.parquet')",
    "select * from parquet_metadata('/tmp/x.parquet')",
    "select * from sniff_csv('/etc/passwd')",
    "select * from read_csv('http://127.0.0.1:1/x')",
    "select * from 'https://example.com/x.parquet'",
    "select getenv('PATH')",
    "select current_setting('temp_directory')",
    "select * from duckdb_settings()",
    "select * from duckdb_views()",
    "select * from pragma_database_list()",
    "select * from pg_catalog.pg_tables",
    "select * from information_schema.tables",
    "select * from sqlite_master",
    "select * from main.all_events_newer",
    "select * from all_events",
    "select owner from events",
    "select * from query('select 1')",
    "select * from query_table('events')",
    "copy events to '/tmp/stolen.csv'",
    "copy (select 1) to '/tmp/stolen.csv'",
    "export database '/tmp/stolen'",
    "attach '/tmp/other.db'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set memory_limit = '100GB'",
    "pragma database_list",
    "call pragma_version()",
    "create table t (a int)",
    "create macro m() as 1",
    "insert into events select * from events",
    "update events set name = 'x'",
    "delete from events",
    "drop view events",
    "select 1; drop view events",
    "select 1; select 2",
    "select 1) limit 5; drop view events --",
    "select 1 from events limit 5) union all select * from read_text('/etc/hostname') --",
    "explain select 1",
    "describe events",
    "show tables",
    "begin",
    "checkpoint",
    "vacuum",
    "select nextval('x')",
    "select * from events where name = getvariable('x')",
    "select * from (values (1)) t(a), lateral (select * from read_text('/etc/hostname'))",
    "pivot events on name",
    "select * from (with all_events as (select 1) select 1) a, all_events b",
    "select * from (with duckdb_settings as (select 1) select 1) a, duckdb_settings b",
    'select * from (with "/etc/passwd" as (select 1) select 1) a, "/etc/passwd" b',
    "prepare p as select 1",
    "execute p",
    "use memory",
    "",
    "   ",
    "select",
    "\0",
    "select \ud800",
    "(" * 5_000,
    "select " + "(" * 9_000 + "1" + ")" * 9_000,
    "select " + ", ".join(["1"] * 20_000),
]


def test_no_query_gets_at_files_network_settings_or_writes(desk: Any) -> None:
    async def run(http: httpx.AsyncClient) -> list[tuple[str, httpx.Response]]:
        headers = {"authorization": f"Bearer {desk.admin_key}"}
        found = []
        for query in HOSTILE:
            body = msgspec.json.encode({"query": query.encode("utf-8", "replace").decode()})
            found.append((query, await http.post("/api/sql", content=body, headers=headers)))
        return found

    for query, answer in desk.run(run):
        assert answer.status_code == 400, (query[:80], answer.text[:200])
        assert "root:" not in answer.text


def test_a_query_that_takes_too_long_is_stopped(desk: Any) -> None:
    desk.settings = msgspec.structs.replace(desk.settings, sql_seconds=0.3)

    found = ask(
        desk, "select count(*) from range(10000000000) a, range(100) b where a.range % 7 = b.range"
    )

    assert found.status_code == 400
    assert "longer than 0.3 s" in found.text


def test_a_query_that_takes_too_much_memory_is_refused(desk: Any) -> None:
    desk.settings = msgspec.structs.replace(desk.settings, sql_memory=64 << 20)

    found = ask(desk, "select list(a.range) from range(100000000) a")

    assert found.status_code == 400
    (error,) = found.json()["errors"]
    assert error["message"] == "needs more memory than a query may use: sql_memory is 64MiB"
    assert error["hint"] == "ask for less at once, or set sql_memory higher"


@pytest.mark.parametrize(
    "query",
    [
        "select repeat('x', 2000000000)",
        "select * from unnest(range(1000000000))",
        "select list(range(100000000))",
    ],
)
def test_not_even_what_the_engine_cannot_count_harms_another(desk: Any, query: str) -> None:
    desk.settings = msgspec.structs.replace(
        desk.settings, sql_seconds=2.0, sql_memory=64 * 1024 * 1024
    )

    async def ask_twice(http: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
        headers = {"authorization": f"Bearer {desk.admin_key}"}
        hostile = await http.post("/api/sql", json={"query": query}, headers=headers)
        return hostile, await http.post("/api/sql", json={"query": "select 1"}, headers=headers)

    hostile, plain = desk.run(ask_twice)

    assert hostile.status_code == 400
    assert hostile.json()["errors"][0]["where"] == "query"
    assert plain.json()["rows"] == [[1]]
