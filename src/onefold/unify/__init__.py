"""The golden record of a profile from the claims of its identifiers.

In: statements of each node. Out: golden traits, and which claim each came from. Promise: the
same result whatever the order of arrival, and however often a statement arrives.
"""

from onefold.unify.contest import Claim, Contest
from onefold.unify.golden import Golden, Winner, golden_record, last_writer, only_traits, units_of
from onefold.unify.rules import PLAIN, GoldenRules, Unit
from onefold.unify.statements import add_claims, add_statement, claims_of, refitted

__all__ = [
    "PLAIN",
    "Claim",
    "Contest",
    "Golden",
    "GoldenRules",
    "Unit",
    "Winner",
    "add_claims",
    "add_statement",
    "claims_of",
    "golden_record",
    "last_writer",
    "only_traits",
    "refitted",
    "units_of",
]
