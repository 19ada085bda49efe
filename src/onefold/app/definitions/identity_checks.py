"""What definitions of identity rules may say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from onefold.model.conversion import nearest
from onefold.model.errors import Fault
from onefold.model.identity import INVALID, SCOPES, STRENGTHS, USER
from onefold.standardize.mapping import ANY_ENTITY, entity_faults
from onefold.standardize.normalizers import (
    MOST_PATTERN,
    normalizer,
    normalizer_names,
    validator,
    validator_names,
)

Body = dict[str, Any]
IDENTIFIER_KEYS = {
    "strength",
    "priority",
    "max_per_profile",
    "per_days",
    "max_profiles",
    "lifetime_days",
    "blocked",
    "normalize",
    "validate",
    "scope",
    "sources",
    "session_minutes",
    "traits",
}
IDENTITY_KEYS = {
    "names",
    "birth_dates",
    "hold",
    "consent",
    "max_identifiers",
    "bridges",
    "brands",
    "sign_outs",
}
_KIND = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
IDENTITY = "people"
"""The name of the one definition that protects people."""
_MOST_BLOCKED, _MOST_LENGTH, _MOST_STEPS, _MOST_NAMES = 10_000, 512, 20, 100
_NUMBERS = {
    "priority": (0, 1_000),
    "max_per_profile": (0, 10_000),
    "per_days": (0, 36_500),
    "max_profiles": (1, 200),
    "lifetime_days": (0, 36_500),
    "max_identifiers": (2, 100_000),
    "session_minutes": (1, 240),
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
    yield from _writing_faults(body)


def _writing_faults(body: Body) -> Iterator[Fault]:
    """Faults of how values are written, what they must be and how far they reach."""
    for key, read, known in (
        ("normalize", normalizer, sorted(normalizer_names())),
        ("validate", validator, sorted(validator_names())),
    ):
        faults = list(_texts_faults(body, key, _MOST_STEPS, MOST_PATTERN + 10))
        yield from faults
        for number, one in enumerate(() if faults else body.get(key, ())):
            try:
                read(one)
            except ValueError as error:
                hint = nearest(one.partition(" ")[0], known)
                yield Fault(str(error), f"{key}[{number}]", hint)
    if body.get("scope", "global") not in SCOPES:
        yield Fault(f"must be one of {', '.join(SCOPES)}", "scope")
    yield from _texts_faults(body, "traits", _MOST_NAMES)
    yield from _texts_faults(body, "sources", _MOST_NAMES)
    if body.get("sources") and body.get("scope", "global") == "global":
        yield Fault("says nothing without a scope", "sources", "write `scope: source`")
    if "session_minutes" in body and body.get("scope") != "session":
        yield Fault("says nothing without sessions", "session_minutes", "write `scope: session`")


def name_faults(kind: str, name: str, body: Body) -> Iterator[Fault]:
    """Faults of a name: `identity` is one definition, and a user id stays what a user has one of."""
    if kind == "entity":  # what is wrong whatever its name is told with what it says
        told = set(entity_faults(ANY_ENTITY, body))
        yield from (one for one in entity_faults(name, body) if one not in told)
    if kind == "identity" and name != IDENTITY:
        yield Fault(f"there is one such definition, named {IDENTITY}", "name", f"name: {IDENTITY}")
    if kind == "identifier" and name and not _KIND.fullmatch(name):
        yield Fault("is no kind of identifier", "name", "lower case, such as crm_id")
    if kind == "identifier" and name == USER and body.get("scope") == "session":
        yield Fault("a user id is not what a session is on", "scope")
    if kind == "identifier" and name.startswith(INVALID):
        yield Fault(f"{INVALID}… is what values are that their kind refuses", "name")
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
    yield from _texts_faults(body, "sign_outs", 100)
    brands = body.get("brands", {})
    if not isinstance(brands, dict) or not all(
        isinstance(one, str) and one for pair in brands.items() for one in pair
    ):
        yield Fault("must say the brand of each source: `shop-de: acme`", "brands")
    if not isinstance(body.get("hold", ""), str):
        yield Fault("must be the name of a trait", "hold")


def _number_faults(body: Body) -> Iterator[Fault]:
    for key, (least, most) in _NUMBERS.items():
        value = body.get(key, least)
        if type(value) is not int or not least <= value <= most:
            yield Fault(f"must be a whole number from {least} to {most:,}", key)


def _texts_faults(body: Body, key: str, most: int, length: int = _MOST_LENGTH) -> Iterator[Fault]:
    value = body.get(key, [])
    if not isinstance(value, list) or not all(
        isinstance(one, str) and 0 < len(one) <= length for one in value
    ):
        yield Fault("must be a list of texts", key)
    elif len(value) > most:
        yield Fault(f"{len(value):,} values; at most {most:,}", key)
