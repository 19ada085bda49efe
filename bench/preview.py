"""A rule asked of everybody, against other ways to ask it: python -m bench.preview [--quick] [--json]

"In China, three orders or more and 100 or more spent in thirty days, no e-mail opened in fourteen",
over 10 M profiles and 100 M events (`--quick`: a tenth), made once by `bench.population_data`:

- `onefold`: what a preview does, from opening the lake to the count, and its query alone, in a process
  that answered it before and holds what it read; `onefold, files`: in one that holds nothing;
- `duckdb`: SQL written by hand for these very files, with the bounds and names worked out;
- `chdb`, `polars` (as one would write it, and in the steps that ours takes): the same question over the
  same files; `polars, held`: over columns that it read before; `polars, numbered`: with profiles by the
  short numbers that ours holds; `postgresql` 15: over rows that were loaded into it, with an index that
  answers the question alone. All of them apply the moves of profiles.

Everybody may use all cores. The answers (how many, and the sum of their numbers) must be equal. A run is
cold when the kernel forgot the files before it, and what was asked is opened anew.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from bench.by_turns import Answer, Ask, compare
from bench.population_data import add_arguments, population
from bench.postgres import postgres
from bench.preview_question import (
    COUNTRY,
    DUCK_THREADS,
    MAILS,
    NOW,
    ORDERS,
    REVENUE,
    RULE,
    THREADS,
    files_of,
)
from onefold.app.lake.kept import keep_engines
from onefold.app.questions.everybody import everybody, hold_missed
from onefold.app.workspace import open_lake
from onefold.config import Settings


@contextmanager
def onefold(settings: Settings) -> Iterator[Ask]:
    """What a preview does, in a process that answers one after the other."""
    with _previews(settings, hold=True) as ask:
        ask()
        began = time.perf_counter()
        hold_missed(settings)
        sys.stderr.write(f"onefold: held in {time.perf_counter() - began:.2f} s\n")
        yield ask


@contextmanager
def from_files(settings: Settings) -> Iterator[Ask]:
    """The same while nothing is held in memory yet."""
    with _previews(settings, hold=False) as ask:
        yield ask


@contextmanager
def _previews(settings: Settings, *, hold: bool) -> Iterator[Ask]:
    keep_engines(hold=hold)

    def ask() -> tuple[Answer, float]:
        with everybody(settings, {"": RULE}, NOW, lambda: None) as (people, asked):
            began = time.perf_counter()
            query = people.members_query(asked, NOW)
            count = people.keep("members", query)
            took = time.perf_counter() - began
            [(total,)] = people.rows("select sum(profile) from members")
            return (count, int(total)), took

    yield ask


@contextmanager
def spark(settings: Settings) -> Iterator[Ask]:
    """The same on Spark, in a process of its own beside; the first time it has to start."""
    own = msgspec.structs.replace(settings, engine=f"local[{THREADS}]", sql_seconds=600)
    with from_files(own) as ask:
        yield ask


@contextmanager
def duckdb(settings: Settings) -> Iterator[Ask]:
    """SQL by hand, on one connection, which remembers the ends of files too."""
    import duckdb as duck

    files = files_of(settings)
    query = f"""
        with moved as (select left_id, arg_max(profile_id, batch) as home
                       from read_parquet({files.moves}) where batch > {files.known} group by left_id),
        bought as materialized (
            select coalesce(m.home, e.profile_id) as profile
            from read_parquet({files.events}) e left join moved m on e.profile_id = m.left_id
            where name = 'Order Completed' and time >= make_timestamptz({ORDERS})
            group by profile having count(*) >= 3 and sum("{_q(REVENUE)}") >= 100),
        opened as (
            select coalesce(m.home, e.profile_id) as profile
            from read_parquet({files.events}) e left join moved m on e.profile_id = m.left_id
            where name = 'Email Opened' and time >= make_timestamptz({MAILS})),
        reading as (select distinct profile from opened where profile in (select profile from bought)),
        t as (select profile from bought b where not exists
              (select 1 from reading r where r.profile = b.profile))
        select count(*), sum(profile_id) from read_parquet({files.profiles}) p
        join t on t.profile = p.profile_id where "{_q(COUNTRY)}" = 'CN'
    """

    connection = duck.connect(config={"threads": DUCK_THREADS})
    connection.execute("set parquet_metadata_cache = true")

    def ask() -> tuple[Answer, float]:
        began = time.perf_counter()
        found = connection.execute(query).fetchone()
        assert found is not None
        return (found[0], int(found[1])), time.perf_counter() - began

    yield ask


def _q(name: str) -> str:
    return name.replace('"', '""')


@contextmanager
def chdb(settings: Settings) -> Iterator[Ask]:
    """ClickHouse, embedded, over the same files."""
    from chdb import session

    files = files_of(settings)
    revenue, country = f"`{REVENUE}`", f"`{COUNTRY}`"
    query = f"""
        with moved as (select left_id, argMax(profile_id, batch) as home from {_file(files.moves)}
                       where batch > {files.known} group by left_id)
        select count(), sum(toInt128(p.profile_id)) from {_file(files.profiles)} as p
        inner join (
            select if(m.home != 0, m.home, e.profile_id) as profile, countIf(name = 'Order Completed') as orders,
                   sumIf(revenue, name = 'Order Completed') as spent, countIf(name = 'Email Opened') as mails
            from (select profile_id, name, {revenue} as revenue from {_file(files.events)}
                  where (name = 'Order Completed' and time >= fromUnixTimestamp64Micro({ORDERS}))
                     or (name = 'Email Opened' and time >= fromUnixTimestamp64Micro({MAILS}))) as e
            left join moved as m on e.profile_id = m.left_id
            group by profile having orders >= 3 and spent >= 100 and mails = 0
        ) as t on t.profile = p.profile_id
        where p.{country} = 'CN'
        settings max_threads = {THREADS}, join_use_nulls = 0
    """
    one = session.Session()

    def ask() -> tuple[Answer, float]:
        began = time.perf_counter()
        count, total = str(one.query(query, "TSV")).split()
        return (int(count), int(total)), time.perf_counter() - began

    yield ask
    one.close()


def _file(files: list[str]) -> str:
    directory = str(Path(files[0]).parent)
    names = ",".join(Path(file).name for file in files)
    pattern = f"{directory}/{{{names}}}" if len(files) > 1 else files[0]
    return f"file('{pattern}', 'Parquet')"


def _polars(how: str, settings: Settings) -> AbstractContextManager[Ask]:
    """Polars, which only its own processes load."""
    from bench import preview_polars

    way: AbstractContextManager[Ask] = getattr(preview_polars, how)(settings)
    return way


@contextmanager
def postgresql(settings: Settings) -> Iterator[Ask]:
    """PostgreSQL 15, loaded with what the question needs and nothing else, indexed for it."""
    with postgres(files_of(settings), open_lake(settings), ORDERS, MAILS, THREADS) as ask:
        yield ask


WAYS: dict[str, Callable[[Settings], Any]] = {
    "onefold": onefold,
    "onefold, files": from_files,
    "duckdb": duckdb,
    "chdb": chdb,
    "polars": partial(_polars, "polars"),
    "polars, steps": partial(_polars, "polars_in_steps"),
    "polars, held": partial(_polars, "polars_in_memory"),
    "polars, numbered": partial(_polars, "polars_numbered"),
    "postgresql": postgresql,
    "spark": spark,
}


def main() -> None:
    """Measure, and print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--ways", nargs="+", choices=[*WAYS], default=[*WAYS])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="nothing but JSON")
    given = parser.parse_args()
    people, events = (n // 10 if given.quick else n for n in (given.people, given.events))
    made = population(given.data, people, events)
    settings = Settings(
        data=made.data, timezone=made.timezone, sql_threads=DUCK_THREADS, sql_memory=2 << 30
    )
    found = compare({way: WAYS[way] for way in given.ways}, settings, given.runs)
    rows = [
        {
            "way": way,
            "people": people,
            "events": events,
            "members": one.answer[0],
            "cold": round(min(one.cold), 3),
            "warm": round(statistics.median(one.warm), 3),
            "query": round(statistics.median(one.query), 3),
            "times_ours": round(
                statistics.median(one.warm) / statistics.median(found[given.ways[0]].warm), 2
            ),
        }
        for way, one in found.items()
    ]
    if not given.json:
        show(people, events, rows)
    print(json.dumps({"bench": "preview", "threads": THREADS, "rows": rows}))


def show(people: int, events: int, rows: list[dict[str, Any]]) -> None:
    """A table."""
    print(f"{people:,} profiles, {events:,} events, {rows[0]['members']:,} of them asked for")
    print(f"{'':<15}{'cold s':>10}{'warm s':>10}{'query s':>10}{'x ours':>10}")
    for row in rows:
        figures = "".join(f"{row[name]:>10}" for name in ("cold", "warm", "query", "times_ours"))
        print(f"{row['way']:<12}{figures}")


if __name__ == "__main__":
    main()
