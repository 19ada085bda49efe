"""Segment: who satisfies which rule, from golden traits and the buckets of events.

In: rules (text), traits, buckets. Out: the query that makes buckets of a batch or of the lake, and
the query that says who is in which segment. Pure: the engine runs both, times are passed in.
"""

from onefold.segment.buckets import (
    Bucket,
    Buckets,
    bucket_query,
    merge,
    merge_into,
    oldest_kept,
    prune,
    read_rows,
    window_value,
)
from onefold.segment.membership import Membership, compile_membership
from onefold.segment.rule import Rule, parse_rule

__all__ = [
    "Bucket",
    "Buckets",
    "Membership",
    "Rule",
    "bucket_query",
    "compile_membership",
    "merge",
    "merge_into",
    "oldest_kept",
    "parse_rule",
    "prune",
    "read_rows",
    "window_value",
]
