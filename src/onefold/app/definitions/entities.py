"""Entities that definitions add to the canonical schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from onefold.app.definitions.dependencies import Key
from onefold.model.mapping import EntityDefinition, EntityField
from onefold.standardize.mapping import Schema, entity_faults, schema_of


def entities_of(bodies: Mapping[Key, dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    """Those of these definitions that say what an entity is, as far as they are without fault."""
    return {
        key: body
        for key, body in bodies.items()
        if key[0] == "entity" and not any(entity_faults(key[1], body))
    }


def schema_in(entities: Mapping[Key, dict[str, Any]]) -> Schema:
    """The canonical schema with these."""
    return schema_of(
        EntityDefinition(
            name=name,
            fields=msgspec.convert(body["fields"], dict[str, EntityField]),
            type=body.get("type", ""),
            event=body.get("event", ""),
        )
        for (_, name), body in entities.items()
    )
