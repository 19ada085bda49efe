"""What definitions ask to be computed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from onefold.model.definitions import Definitions, SegmentDefinition, TagDefinition, TraitDefinition
from onefold.model.given import list_trait, tag_trait
from onefold.segment.metric import SQL_TYPES, Type
from onefold.segment.plan import Held, Wanted
from onefold.segment.ready import RFM_SCORES, ready_cases, ready_text, tag_values
from onefold.segment.schedule import parse_duration

_EPOCH = date(1970, 1, 1).toordinal()


def wanted_by(definitions: Definitions) -> list[Wanted]:
    """What the definitions in force ask to be computed: segments, computed traits, tags."""
    segments = [_segment(one) for one in definitions.segments]
    traits = [
        Wanted("trait", one.name, one.expression, type=_type(one))
        for one in definitions.traits
        if one.state == "approved"
    ]
    tags = [
        wanted for one in definitions.tags if one.state == "approved" for wanted in tag_outputs(one)
    ]
    return [*segments, *traits, *tags]


def _type(trait: TraitDefinition) -> Type | None:
    return next((known for known in SQL_TYPES if known == trait.type), None)


def tag_outputs(tag: TagDefinition) -> Iterator[Wanted]:
    """The tag itself; beside an RFM tag its three scores, as computed traits."""
    until = date.fromisoformat(tag.expires).toordinal() - _EPOCH if tag.expires else None
    if not (tag.of_everybody or tag.values):
        yield Wanted(
            "tag",
            tag.name,
            ready_text(tag),
            ready_cases(tag),
            until=until,
            values=tag_values(tag),
        )
        return
    trait = tag_trait(tag.name)
    lifetime = parse_duration(tag.expires_after) if tag.expires_after else 0
    held = Held((trait, "value"), values=tag_values(tag), lifetime=lifetime)
    yield Wanted("tag", tag.name, held=held, until=until)
    for score in RFM_SCORES if tag.rfm else ():
        yield Wanted("trait", f"{tag.name}.{score}", held=Held((trait, score), "number"))


def _segment(one: SegmentDefinition) -> Wanted:
    if not one.list:
        return Wanted("segment", one.name, one.rule)
    # The next version holds for who has it already while it is still being taken in.
    held = Held((list_trait(one.name), "version"), "number", at_least=max(one.list_version, 1))
    return Wanted("segment", one.name, held=held)
