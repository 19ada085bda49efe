"""Which fields a mapping asks for that a file does not have: most often its columns are called otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onefold.model.definitions import Definitions
from onefold.model.mapping import EventMapping, Field, MappingDefinition
from onefold.model.pulled import Record


def mapping_of(definitions: Definitions, source: str, mapping: str) -> MappingDefinition | None:
    """The mapping of this name, else that of the source."""
    found: str | MappingDefinition | None = mapping
    if not mapping:
        of_source = (one.mapping for one in definitions.sources if one.name == source)
        found = next(of_source, None)
    if isinstance(found, MappingDefinition):
        return found
    return next((one for one in definitions.mappings if one.name == found), None)


def not_there(mapping: MappingDefinition | None, records: Sequence[Record]) -> tuple[str, ...]:
    """The fields that a mapping reads and that none of these records has."""
    if mapping is None or not records:
        return ()
    there = {name for one in records for name in one.fields}
    asked = (names for event in mapping.events if not event.each for names in _asked(event))
    gone = (names[0] for names in asked if not any(_has(there, name) for name in names))
    return tuple(dict.fromkeys(gone))


def _asked(event: EventMapping) -> Iterator[tuple[str, ...]]:
    """What each value is taken from: a field, or the first of several that holds something."""
    single = (event.id, event.time, event.group, event.event)
    fields: list[Field] = [one for one in single if one is not None]
    for some in (event.identifiers, event.traits, event.properties):
        fields += some.values()
    for one in fields:
        if one.source:
            yield (one.source,) if isinstance(one.source, str) else one.source
        yield from ((name,) for name in one.join)


def _has(there: set[str], name: str) -> bool:
    """A field of this name, or one that it leads through."""
    return name in there or name.partition(".")[0] in there
