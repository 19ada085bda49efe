"""The stages in order; the only place where they meet. Read `run.py` first.

In: records of the log. Out: one store transaction per batch, with the rows for the lake.
Promise: repeating a batch after a crash changes nothing more.
"""

from onefold.pipeline.accounts import Accounts, GroupCall, folded
from onefold.pipeline.arrivals import Arrivals, Arriving, arriving
from onefold.pipeline.counts import Counted, decode_buckets, encode_buckets
from onefold.pipeline.golden_rules import (
    GoldenInputs,
    account_inputs,
    golden_inputs,
    golden_rules,
    needed_claims,
)
from onefold.pipeline.match_index import record_of
from onefold.pipeline.matching import DIVIDING, INDEXING, Filling
from onefold.pipeline.members import Members
from onefold.pipeline.prepare import Prepared, identifiers_of, prepare, prepare_events
from onefold.pipeline.record_expressions import RecordExpressions
from onefold.pipeline.run import Pipeline, Report
from onefold.pipeline.trying import Shift, Trial, Tried
from onefold.pipeline.visits import Visit

__all__ = [
    "DIVIDING",
    "INDEXING",
    "Accounts",
    "Arrivals",
    "Arriving",
    "Counted",
    "Filling",
    "GoldenInputs",
    "GroupCall",
    "Members",
    "Pipeline",
    "Prepared",
    "RecordExpressions",
    "Report",
    "Shift",
    "Trial",
    "Tried",
    "Visit",
    "account_inputs",
    "arriving",
    "decode_buckets",
    "encode_buckets",
    "folded",
    "golden_inputs",
    "golden_rules",
    "identifiers_of",
    "needed_claims",
    "prepare",
    "prepare_events",
    "record_of",
]
