"""The golden record of a profile from the claims of its identifiers.

In: statements of each node. Out: golden traits, and which claim each came from. Promise: the
same result whatever the order of arrival, and however often a statement arrives.
"""

from onefold.unify.golden import Survivorship, Winner, golden_record, last_writer
from onefold.unify.statements import add_statement, claims_of

__all__ = ["Survivorship", "Winner", "add_statement", "claims_of", "golden_record", "last_writer"]
