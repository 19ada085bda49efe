"""Events against what was agreed of them: counted, marked, refused or mended, as their plan says.

In: events and the plans in force. Out: the same events, or every reason why not, and each violation
with its field. Promise: an event without a plan costs nothing, and no value gets into a violation.
"""

from onefold.standardize.plans.inferring import infer
from onefold.standardize.plans.judging import Plans
from onefold.standardize.plans.schemas import Checker, schema_faults

__all__ = ["Checker", "Plans", "infer", "schema_faults"]
