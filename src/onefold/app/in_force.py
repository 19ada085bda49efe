"""The definitions that are in force, as the processes use them."""

from __future__ import annotations

from onefold.model.definitions import Definitions, DestinationDefinition, SegmentDefinition
from onefold.model.sources import Source
from onefold.store import SQLiteStore

DESTINATION_KEYS = {"type", "segments", "enabled", "description"}
"""What a destination's definition holds beside the settings of its type."""


def load_definitions(store: SQLiteStore) -> tuple[Definitions, dict[str, Source]]:
    """What is in force now, and the sources by id."""
    segments = []
    destinations = []
    version = store.registry.version()
    for one in store.registry.definitions():
        body = one.body
        if one.kind == "segment":
            segments.append(
                SegmentDefinition(one.name, body["rule"], body.get("description", ""), one.version)
            )
        elif one.kind == "destination":
            destinations.append(
                DestinationDefinition(
                    one.name,
                    body["type"],
                    {key: value for key, value in body.items() if key not in DESTINATION_KEYS},
                    tuple(body.get("segments", ())),
                    body.get("enabled", True),
                    one.version,
                )
            )
    sources = {source.id: source for source in store.registry.sources()}
    return Definitions(version, tuple(segments), tuple(destinations)), sources
