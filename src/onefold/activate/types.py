"""Which types of destination there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onefold.activate import webhook
from onefold.activate.destination import Destination
from onefold.activate.webhook_settings import settings_from
from onefold.model.definitions import DestinationDefinition
from onefold.model.errors import Fault, InvalidInput

Given = Mapping[str, Any]


def _webhook(name: str, given: Given) -> Destination:
    return webhook.destination(name, settings_from(given))


TYPES: dict[str, Callable[[str, Given], Destination]] = {"webhook": _webhook}


def destination_from(definition: DestinationDefinition) -> Destination:
    """What a definition describes, its secrets put in, ready to send to; `InvalidInput` has every fault."""
    make = TYPES.get(definition.type)
    if make is None:
        known = f"known are {', '.join(sorted(TYPES))}"
        fault = Fault(f"no type {definition.type!r}", "type", known)
        raise InvalidInput(f"destination {definition.name} cannot be used", [fault])
    return make(definition.name, definition.settings)
