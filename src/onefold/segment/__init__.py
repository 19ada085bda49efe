"""Segment: who satisfies which rule, from golden traits and the buckets of events.

In: rules (text), traits, buckets. Out: the query that makes buckets of a batch or of the lake, and
the query that computes traits and tags and says who is in which segment. Pure: the engine runs
both, times are passed in.
"""

from onefold.segment.bucket_query import bucket_query
from onefold.segment.buckets import Buckets, merge_into, oldest_kept, prune, read_rows
from onefold.segment.kinds import Bucket, merge
from onefold.segment.metric import SQL_TYPES
from onefold.segment.plan import (
    Held,
    Output,
    Plan,
    Wanted,
    checked_plan,
    compile_membership,
    compile_plan,
)
from onefold.segment.rule import Rule, Scope, parse_expression, parse_rule
from onefold.segment.wanted import wanted_by

__all__ = [
    "SQL_TYPES",
    "Bucket",
    "Buckets",
    "Held",
    "Output",
    "Plan",
    "Rule",
    "Scope",
    "Wanted",
    "bucket_query",
    "checked_plan",
    "compile_membership",
    "compile_plan",
    "merge",
    "merge_into",
    "oldest_kept",
    "parse_expression",
    "parse_rule",
    "prune",
    "read_rows",
    "wanted_by",
]
