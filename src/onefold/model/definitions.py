"""Definitions in force: what a workspace's YAML says, parsed and checked."""

from __future__ import annotations

from typing import Any

import msgspec


class SegmentDefinition(msgspec.Struct, frozen=True):
    """A segment: the profiles for which a rule holds."""

    name: str
    rule: str
    description: str = ""
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
