"""Definitions in force: from the store's rows to what the pipeline uses."""

from __future__ import annotations

from onefold.model.definitions import Definitions, DestinationDefinition, SegmentDefinition
from onefold.model.sources import Source
from onefold.store import SQLiteStore


def load_definitions(store: SQLiteStore) -> tuple[Definitions, dict[str, Source]]:
    """What is in force now, and the sources by id."""
    segments = []
    destinations = []
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
                    body,
                    tuple(body.get("segments", ())),
                    body.get("enabled", True),
                    one.version,
                )
            )
    version = store.registry.version()
    sources = {source.id: source for source in store.registry.sources()}
    return Definitions(version, tuple(segments), tuple(destinations)), sources
