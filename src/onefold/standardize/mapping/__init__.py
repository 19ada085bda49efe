"""Records of others in, events and rejects out, as a mapping says.

Every record comes out: as the events that its mapping makes of it, as a reject with every reason, or
because the mapping says that it is to be passed over. No record makes this stage raise.
"""

from onefold.standardize.mapping.definition import read_mapping
from onefold.standardize.mapping.event_mapping import Ask, expressions_of
from onefold.standardize.mapping.records import Mapped, Mappings
from onefold.standardize.mapping.schema import ANY_ENTITY, Schema, entity_faults, schema_of

__all__ = [
    "ANY_ENTITY",
    "Ask",
    "Mapped",
    "Mappings",
    "Schema",
    "entity_faults",
    "expressions_of",
    "read_mapping",
    "schema_of",
]
