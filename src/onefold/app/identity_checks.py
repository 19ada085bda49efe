"""What definitions of identity rules may say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from onefold.model.errors import Fault
from onefold.model.identity import STRENGTHS, USER

Body = dict[str, Any]
IDENTIFIER_KEYS = {
    "strength",
    "priority",
    "max_per_profile",
    "per_days",
    "max_profiles",
    "lifetime_days",
    "blocked",
}
IDENTITY_KEYS = {"names", "birth_dates", "hold", "consent", "max_identifiers", "bridges"}
_KIND = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
IDENTITY = "people"
"""The name of the one definition that protects people."""
_MOST_BLOCKED, _MOST_LENGTH = 10_000, 512
_NUMBERS = {
    "priority": (0, 1_000),
    "max_per_profile": (0, 10_000),
    "per_days": (0, 36_500),
    "max_profiles": (1, 200),
    "lifetime_days": (0, 36_500),
    "max_identifiers": (2, 100_000),
}


def identifier_faults(body: Body) -> Iterator[Fault]:
    """All faults of the rule of one kind of identifier."""
    yield from _number_faults(body)
    if body.get("strength", "unique") not in STRENGTHS:
        yield Fault(f"must be one of {', '.join(STRENGTHS)}", "strength")
    if body.get("per_days") and not body.get("max_per_profile"):
        hint = "say how many with `max_per_profile:`"
        yield Fault("counts nothing without max_per_profile", "per_days", hint)
    yield from _texts_faults(body, "blocked", _MOST_BLOCKED)
    if isinstance(body.get("blocked"), list) and any(
        isinstance(one, str) and not one.strip("*") for one in body["blocked"]
    ):
        yield Fault("a pattern of nothing but stars blocks every value", "blocked")


def name_faults(kind: str, name: str, body: Body) -> Iterator[Fault]:
    """Faults of a name: `identity` is one definition, and a user id stays what a user has one of."""
    if kind == "identity" and name != IDENTITY:
        yield Fault(f"there is one such definition, named {IDENTITY}", "name", f"name: {IDENTITY}")
    if kind == "identifier" and not _KIND.fullmatch(name):
        yield Fault("is no kind of identifier", "name", "lower case, such as crm_id")
    if kind == "identifier" and name == USER and body.get("strength") in ("shareable", "ephemeral"):
        hint = "send what several people share as an identifier of another kind"
        yield Fault("a user id is what one person has", "strength", hint)


def identity_faults(body: Body) -> Iterator[Fault]:
    """All faults of what protects people."""
    yield from _number_faults(body)
    for key in ("names", "birth_dates"):
        yield from _texts_faults(body, key, 100)
    for key in ("consent", "bridges"):
        if not isinstance(body.get(key, True), bool):
            yield Fault("must be true or false", key)
    if not isinstance(body.get("hold", ""), str):
        yield Fault("must be the name of a trait", "hold")


def _number_faults(body: Body) -> Iterator[Fault]:
    for key, (least, most) in _NUMBERS.items():
        value = body.get(key, least)
        if type(value) is not int or not least <= value <= most:
            yield Fault(f"must be a whole number from {least} to {most:,}", key)


def _texts_faults(body: Body, key: str, most: int) -> Iterator[Fault]:
    value = body.get(key, [])
    if not isinstance(value, list) or not all(
        isinstance(one, str) and 0 < len(one) <= _MOST_LENGTH for one in value
    ):
        yield Fault("must be a list of texts", key)
    elif len(value) > most:
        yield Fault(f"{len(value):,} values; at most {most:,}", key)
