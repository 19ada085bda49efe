"""Runs queries: DuckDB.

In: SQL and named Arrow tables. Out: rows or Arrow. Promise: a query sees only what it
was given.
"""

from onefold.engine.duck import DuckEngine, PlannedQuery, files_sql

__all__ = ["DuckEngine", "PlannedQuery", "files_sql"]
