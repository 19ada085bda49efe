"""Definitions in force: what a workspace's YAML says, parsed and checked."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

State = Literal["draft", "approved", "retired"]
"""Only what is approved is computed."""


class SegmentDefinition(msgspec.Struct, frozen=True):
    """A segment: the profiles for which a rule holds."""

    name: str
    rule: str
    description: str = ""
    version: int = 1


class TraitDefinition(msgspec.Struct, frozen=True):
    """A computed trait: an expression over traits and events; or a claimed one's declared type."""

    name: str
    expression: str = ""
    type: str = ""
    description: str = ""
    owner: str = ""
    folder: str = ""
    state: State = "approved"
    version: int = 1


class TagCase(msgspec.Struct, frozen=True):
    """A value of a tag and the rule under which it holds; without a rule it always does."""

    value: str
    when: str = ""


class TagDefinition(msgspec.Struct, frozen=True):
    """A tag: a trait with a closed list of values, of which the first case that holds gives one."""

    name: str
    cases: tuple[TagCase, ...] = ()
    description: str = ""
    owner: str = ""
    folder: str = ""
    state: State = "approved"
    version: int = 1


class DestinationDefinition(msgspec.Struct, frozen=True):
    """Where entries and exits are sent. `segments` empty means all; `settings` are the type's."""

    name: str
    type: str
    settings: dict[str, Any]
    segments: tuple[str, ...] = ()
    enabled: bool = True
    version: int = 1

    def wants(self, segment: str) -> bool:
        """Is a change of this segment to be sent there?"""
        return self.enabled and (not self.segments or segment in self.segments)


class Definitions(msgspec.Struct, frozen=True):
    """All that is in force at one version."""

    version: int = 0
    segments: tuple[SegmentDefinition, ...] = ()
    destinations: tuple[DestinationDefinition, ...] = ()
    traits: tuple[TraitDefinition, ...] = ()
    tags: tuple[TagDefinition, ...] = ()
