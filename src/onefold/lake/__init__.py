"""All history, columnar: Delta tables on disk.

In: Arrow tables of whole batches. Out: the files of each table's current version. Promise: a batch
is appended exactly once, however often it is tried.
"""

from onefold.lake.arrow import arrow_schema, from_ipc, to_ipc, to_table
from onefold.lake.delta import DeltaLake

__all__ = ["DeltaLake", "arrow_schema", "from_ipc", "to_ipc", "to_table"]
