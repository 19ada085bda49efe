"""What is answered to who asks for a mapping; light, as the API's description needs it."""

from __future__ import annotations

from typing import Any

import msgspec

from onefold.standardize.mapping.suggestion import SuggestedCountry, Suggestion


class SuggestedFor(msgspec.Struct, frozen=True):
    """A mapping that the records of a file could have, and each field with its reason.

    `text` is the definition as YAML; nothing of it is in force. `notes` say what has to be decided first.
    """

    file: str
    rows: int
    body: dict[str, Any]
    fields: tuple[Suggestion, ...]
    text: str
    country: SuggestedCountry | None = None
    notes: tuple[str, ...] = ()
