"""What each choice in the lake's layout gives: python -m bench.layout [--quick] [--days N] [--json]

Of the lake of `bench.population_data` the last days are written once more with one thing done otherwise, and
asked the same: how often and for how much each profile ordered, and who opened an e-mail.
Each figure is the median of five runs on warm files, per day of the lake.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from bench.population_data import add_arguments, population
from bench.preview_question import REVENUE, THREADS
from onefold.app.lake.compaction import EVENTS_ORDER, ROWS_A_GROUP
from onefold.app.workspace import open_lake
from onefold.lake import parse_file_name
from onefold.model.sql import quoted_sql

TYPED = quoted_sql(REVENUE)
FROM_JSON = "try_cast(json_extract_string(properties, '$.\"revenue\"') as double)"
NEWEST = "parquet_version v2"
_WANTED = "name in ('Order Completed', 'Email Opened')"


class Way(NamedTuple):
    """How the rows lie: their order, the rows of a group, the encodings, the rows of a file."""

    order: str = EVENTS_ORDER
    group: int = ROWS_A_GROUP
    encoding: str = NEWEST
    rows_a_file: int = 0
    revenue: str = TYPED
    profile: str = "profile_id"


WAYS = {
    "as compaction leaves it": Way(),
    "the value from JSON, no typed column": Way(revenue=FROM_JSON),
    "in the order of time": Way(order='"time"'),
    "in the order of profiles": Way(order='profile_id, "time"'),
    "in the order of name and time": Way(order='name, "time"'),
    "row groups of 8,192": Way(group=8_192),
    "row groups of 122,880": Way(group=122_880),
    "older encodings": Way(encoding="parquet_version v1"),
    "as batches leave it: files of 20,000, by time, JSON": Way(
        order='"time"', rows_a_file=20_000, revenue=FROM_JSON, encoding="parquet_version v1"
    ),
    "the profile by a join with all identifiers": Way(profile="i.profile_id"),
}


def write(connection: Any, day: str, way: Way, folder: Path) -> list[Path]:
    """A day's rows in this way."""
    options = f"format parquet, compression zstd, row_group_size {way.group}, {way.encoding}"
    rows = connection.execute(f"select count(*) from read_parquet('{day}')").fetchone()[0]
    size = way.rows_a_file or rows
    source = f"select * from read_parquet('{day}') order by {way.order}"
    connection.execute(f"create or replace temp table day as {source}")
    made = []
    for start in range(0, rows, size):
        path = folder / f"{Path(day).name}-{start}.parquet"
        part = f"select * from day where rowid >= {start} and rowid < {start + size} order by rowid"
        connection.execute(f"copy ({part}) to '{path}' ({options})")
        made.append(path)
    return made


def ask(connection: Any, files: Sequence[Path], way: Way) -> tuple[float, Any]:
    """The seconds of one run, and the answer."""
    listed = "[" + ", ".join(f"'{file}'" for file in files) + "]"
    joined = " join identifiers i on e.owner = i.owner" if "i." in way.profile else ""
    profile = way.profile if joined else f"e.{way.profile}"
    query = (
        "select count(*), sum(n), sum(spent) from (select profile, count(*) as n, sum(revenue) as spent"
        f" from (select {profile} as profile, {way.revenue} as revenue"
        f" from read_parquet({listed}) e{joined} where {_WANTED}) group by profile)"
    )
    began = time.perf_counter()
    answer = connection.execute(query).fetchall()
    return time.perf_counter() - began, answer


def measure(days: Sequence[str], everything: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """A row for each way."""
    connection = duckdb.connect(config={"threads": THREADS})
    rows = []
    for what, way in WAYS.items():
        directory = Path(tempfile.mkdtemp(dir=folder))
        files = [file for day in days for file in write(connection, day, way, directory)]
        connection.execute("drop table day")
        if "i." in way.profile:
            connection.execute(
                "create or replace temp table identifiers as select distinct owner, profile_id"
                f" from read_parquet({[*everything]}) where name = 'identify'"
            )
        ask(connection, files, way)
        runs = [ask(connection, files, way) for _ in range(5)]
        size = sum(file.stat().st_size for file in files) / len(days) / 1e6
        took = statistics.median(seconds for seconds, _ in runs) / len(days)
        rows.append({"way": what, "ms_a_day": round(took * 1000, 2), "mb_a_day": round(size, 1)})
        for file in files:
            file.unlink()
    return rows


def main() -> None:
    """Measure, and print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--json", action="store_true", help="nothing but JSON")
    given = parser.parse_args()
    people, events = (n // 10 if given.quick else n for n in (given.people, given.events))
    settings = population(given.data, people, events)
    files = open_lake(settings).snapshot("events")[1]
    files = sorted((f for f in files if parse_file_name(f).part != "tail"), key=_day)
    with tempfile.TemporaryDirectory(dir=given.data) as folder:
        rows = measure(files[-given.days :], files, Path(folder))
    for row in [] if given.json else rows:
        sys.stdout.write(f"{row['way']:<55}{row['ms_a_day']:>10} ms{row['mb_a_day']:>8} MB\n")
    text = json.dumps({"bench": "layout", "events": events, "days": given.days, "rows": rows})
    sys.stdout.write(text + "\n")


def _day(file: str) -> str:
    return parse_file_name(file).part


if __name__ == "__main__":
    main()
