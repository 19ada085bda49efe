"""All history, columnar: Delta tables on disk.

In: Arrow tables of whole batches. Out: the files of each table's current version. Promise: a batch
is appended exactly once, however often it is tried.
"""

from onefold.lake.arrow import (
    arrow_schema,
    complete,
    empty_table,
    from_ipc,
    to_ipc,
    to_table,
)
from onefold.lake.names import MIXED, FileName, by_layout, parse_file_name

__all__ = [
    "MIXED",
    "FileName",
    "arrow_schema",
    "by_layout",
    "complete",
    "empty_table",
    "from_ipc",
    "parse_file_name",
    "to_ipc",
    "to_table",
]
