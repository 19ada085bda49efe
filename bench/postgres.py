"""PostgreSQL 15 in a directory of its own, for one bench: loaded, indexed, asked, shut down."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from onefold.lake import parse_file_name
from onefold.lake.delta import DeltaLake

BIN = Path("/usr/lib/postgresql/15/bin")
_TABLES = """
    create unlogged table events (profile bigint, name text, time timestamptz, revenue float8);
    create unlogged table profiles (profile bigint, country text);
"""
_INDEXES = (
    "create index on events (name, time) include (profile, revenue)",
    "create index on profiles (country) include (profile)",
    "vacuum analyze events",
    "vacuum analyze profiles",
)
_QUERY = """
    with e as (
        select profile, count(*) filter (where name = 'Order Completed') as orders,
               sum(revenue) filter (where name = 'Order Completed') as spent,
               count(*) filter (where name = 'Email Opened') as mails
        from events
        where (name = 'Order Completed' and time >= to_timestamp({orders}))
           or (name = 'Email Opened' and time >= to_timestamp({mails}))
        group by profile)
    select count(*), sum(profile) from profiles join e using (profile)
    where country = 'CN' and orders >= 3 and spent >= 100 and mails = 0
"""


@contextmanager
def postgres(
    files: Any, lake: DeltaLake, orders: int, mails: int, threads: int
) -> Iterator[Callable[[], tuple[tuple[int, int], float]]]:
    """Load all events and profiles with the columns that are asked for; give how to ask."""
    import psycopg

    folder = Path(tempfile.mkdtemp(prefix="onefold-pg-", dir=lake.directory.parent.parent))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    user = ["runuser", "-u", "postgres", "--"]
    shutil.chown(folder, "postgres")
    folder.chmod(0o700)
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run(
        [*user, BIN / "initdb", "-D", data, "-A", "trust", "-E", "UTF8"], check=True, **quiet
    )
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(folder),
        "shared_buffers": "4GB",
        "work_mem": "512MB",
        "maintenance_work_mem": "2GB",
        "max_parallel_workers_per_gather": threads,
        "max_parallel_maintenance_workers": threads,
        "fsync": "off",
        "max_wal_size": "8GB",
        "jit": "off",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    start = [*user, BIN / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"]
    subprocess.run(start, check=True, **quiet)
    try:
        with psycopg.connect(
            host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            _load(connection, files, lake)
            query = _QUERY.format(orders=orders / 1e6, mails=mails / 1e6)

            def ask() -> tuple[tuple[int, int], float]:
                began = time.perf_counter()
                count, total = connection.execute(query).fetchone()
                return (int(count), int(total)), time.perf_counter() - began

            yield ask
    finally:
        stop = [*user, BIN / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"]
        subprocess.run(stop, check=False, **quiet)
        shutil.rmtree(folder, ignore_errors=True)


def _load(connection: Any, files: Any, lake: DeltaLake) -> None:
    began = time.perf_counter()
    connection.execute(_TABLES)
    moves = pa.concat_tables([pq.read_table(file) for file in files.moves])
    moves = moves.sort_by("batch")
    columns = ["owner", "profile_id", "name", "time", '["properties","revenue","number"]']
    for file in lake.snapshot("events")[1]:
        if parse_file_name(file).part == "tail":
            continue
        for batch in pq.ParquetFile(file).iter_batches(200_000, columns=columns):
            _copy(connection, "events", _moved(batch, moves))
    for file in files.profiles:
        country = '["traits","country","text"]'
        for batch in pq.ParquetFile(file).iter_batches(200_000, columns=["profile_id", country]):
            _copy(connection, "profiles", batch)
    loaded = time.perf_counter()
    for statement in _INDEXES:
        connection.execute(statement)
    done = time.perf_counter()
    sys.stderr.write(
        f"postgresql: loaded in {loaded - began:.0f} s, indexed in {done - loaded:.0f} s\n"
    )


def _moved(batch: pa.RecordBatch, moves: pa.Table) -> pa.RecordBatch:
    found = pc.index_in(batch.column(0), value_set=moves["node"].combine_chunks())
    homes = pc.take(moves["profile_id"].combine_chunks(), found)
    profile = pc.coalesce(homes, batch.column(1))
    times = batch.column(3).cast(pa.timestamp("us"))
    return pa.RecordBatch.from_arrays(
        [profile, batch.column(2), times, batch.column(4)],
        names=["profile", "name", "time", "revenue"],
    )


def _copy(connection: Any, table: str, batch: pa.RecordBatch) -> None:
    import pyarrow.csv as pc_csv

    sink = pa.BufferOutputStream()
    options = pc_csv.WriteOptions(include_header=False, quoting_style="none")
    pc_csv.write_csv(batch, sink, options)
    with connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'")
        with cursor.copy(f"copy {table} from stdin (format csv)") as copy:
            copy.write(sink.getvalue())
