"""SQL over the lake: one SELECT, read only, with limits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from onefold.app.answers import Table
from onefold.app.lake.changes import each_change
from onefold.app.lake.tables import add_views, tables_now
from onefold.app.questions.asking import refused, too_large
from onefold.app.workspace import open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.errors import Fault, InvalidInput
from onefold.model.given import visible_sql

# It would write refused queries to stderr, with whatever personal data they name.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

VIEWS = {
    "events": "select * exclude (owner, profile_id) from all_events",
    "links": "select * from all_links",
    "changes": each_change("select * from all_changes"),
    "identifiers": (
        "select kind, value, arg_max(profile, batch) as profile, min(first_seen) as first_seen"
        " from all_identifiers group by kind, value"
    ),
    "profiles": (
        f"select profile, {visible_sql('traits')} as traits, computed, tags, changed_at from ("  # noqa: S608
        "select profile, arg_max(traits, batch) as traits, arg_max(computed, batch) as computed,"
        " arg_max(tags, batch) as tags, max(changed_at) as changed_at"
        " from all_profiles group by profile having arg_max(merged_into is null, batch))"
    ),
    "memberships": (
        "select profile, segment, max(changed_at) as since from all_memberships"
        " group by profile, segment having arg_max(member, (batch, changed_at))"
    ),
    "membership_changes": "select * from all_memberships",
    "accounts": (
        "select account, arg_max(traits, batch) as traits, max(changed_at) as changed_at"
        " from all_accounts group by account"
    ),
    "account_members": (
        "select account, profile, min(since) as since from (select account, kind, value,"
        " min(since) as since from all_account_members group by account, kind, value"
        " having arg_max(member, batch)) join identifiers using (kind, value)"
        " group by account, profile"
    ),
}


def sql(
    settings: Settings,
    query: str,
    max_rows: int | None = None,
    before: Callable[[], None] = lambda: None,
) -> Table:
    """Run one SELECT over the tables of the lake; give at most `max_rows` rows.

    `before` is called when all is ready for it.
    """
    found, truncated = sql_arrow(settings, query, max_rows, before)
    columns = tuple(found.column_names)
    rows = list(zip(*(column.to_pylist() for column in found.columns), strict=True))
    return Table(columns, rows, truncated)


def sql_arrow(
    settings: Settings,
    query: str,
    max_rows: int | None = None,
    before: Callable[[], None] = lambda: None,
) -> tuple[pa.Table, bool]:
    """Like `sql`, as an Arrow table, and whether it was cut."""
    check_query(query)
    limit = min(max_rows or settings.sql_rows, settings.sql_rows)
    with open_store(settings, cache_mb=4) as store:
        tables = tables_now(store, open_lake(settings))
    engine = DuckEngine(threads=settings.sql_threads, memory_mb=max(64, settings.sql_memory >> 20))
    try:
        add_views(engine, tables)
        for name, body in VIEWS.items():
            engine.connection.execute(f"create view {name} as {body}")
        files = [file for table in tables.values() for file in table.files]
        engine.lock(files)
        before()
        return _run(engine, query, limit, settings)
    finally:
        engine.close()


def check_query(query: str) -> None:
    """Refuse all but one SELECT over the lake's tables."""
    try:
        statements = [one for one in sqlglot.parse(query, dialect="duckdb") if one is not None]
    except sqlglot.errors.SqlglotError as error:
        raise refused(f"cannot be read: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise refused("is nested too deep") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise refused("must be one SELECT")
    faults = [*_table_faults(statements[0]), *_function_faults(statements[0])]
    if faults:
        raise InvalidInput("the query cannot be run", faults)


def _table_faults(statement: exp.Query) -> list[Fault]:
    ctes = {cte.alias.lower() for cte in statement.find_all(exp.CTE)}
    names = ctes | VIEWS.keys()
    known = ", ".join(VIEWS)
    # Outside of its own query such a name would mean the engine's table.
    faults = [
        Fault(f"{name} cannot be the name of a part", "query")
        for name in sorted(ctes)
        if name.startswith(_ENGINE_STARTS) or not name.replace("_", "").isalnum()
    ]
    for table in statement.find_all(exp.Table):
        name = table.name.lower()
        plain = isinstance(table.this, exp.Identifier) and not table.db and not table.catalog
        if isinstance(table.this, exp.Func) and _function(table.this) in _TABLE_FUNCTIONS:
            continue
        if not plain or name not in names:
            faults.append(Fault(f"there is no table {table.sql('duckdb')}", "query", known))
    return faults


_TABLE_FUNCTIONS = {"unnest", "generate_series", "range"}
_FORBIDDEN = {
    "getenv", "current_setting", "glob", "query", "query_table", "getvariable", "pragma_version",
    "which_secret", "nextval", "currval", "checkpoint", "force_checkpoint", "add_parquet_key",
}  # fmt: skip
_ENGINE_STARTS = ("all_", "duckdb_", "pg_", "pragma_", "sqlite_")
_FORBIDDEN_STARTS = ("read_", "duckdb_", "pragma_", "parquet_", "sniff_", "pg_", "arrow_", "scan_")


def _function_faults(statement: exp.Query) -> list[Fault]:
    faults = []
    for function in statement.find_all(exp.Func):
        name = _function(function)
        if name in _FORBIDDEN or name.startswith(_FORBIDDEN_STARTS):
            faults.append(Fault(f"{name} may not be used here", "query"))
    return faults


def _function(function: exp.Func) -> str:
    own = isinstance(function, exp.Anonymous)
    return (str(function.this) if own else function.sql_name()).lower()


def _run(engine: DuckEngine, query: str, limit: int, settings: Settings) -> tuple[pa.Table, bool]:
    connection, seconds = engine.connection, settings.sql_seconds
    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        # The newline ends a comment that the query may end with.
        found = connection.sql(f"select * from ({query.strip().rstrip(';')}\n) limit {limit + 1}")  # noqa: S608
        table = found.to_arrow_table()
    except duckdb.InterruptException as error:
        raise refused(f"took longer than {seconds:g} s", "narrow it down") from error
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise too_large(settings) from error
    except duckdb.Error as error:
        raise refused(str(error).strip()) from error
    finally:
        timer.cancel()
    return table.slice(0, limit), table.num_rows > limit
