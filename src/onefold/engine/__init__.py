"""Runs queries: DuckDB, Spark.

In: SQL in DuckDB's dialect and named Arrow tables. Out: rows. Promise: a query sees only what it
was given, and every engine gives the same rows.
"""

from onefold.engine.duck import DuckEngine, PlannedQuery, files_sql
from onefold.engine.interface import Engine, Interrupted, OutOfMemory
from onefold.engine.short import short_session
from onefold.engine.spark import SparkEngine

__all__ = [
    "DuckEngine",
    "Engine",
    "Interrupted",
    "OutOfMemory",
    "PlannedQuery",
    "SparkEngine",
    "files_sql",
    "short_session",
]
