"""What may become of a field, and which country may be that of telephone numbers."""

from __future__ import annotations

from typing import Any

import msgspec


class Suggestion(msgspec.Struct, frozen=True):
    """What one field may become: `target` is a place in a mapping, `how` what stands there.

    Without a target it seems to be of no use. `confidence` goes from 0 to 1.
    """

    field: str
    target: str
    how: Any
    confidence: float
    reason: str


class SuggestedCountry(msgspec.Struct, frozen=True):
    """The country that a mapping should say, how sure that is, and why."""

    code: str
    confidence: float
    reason: str
