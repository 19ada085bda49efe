"""Values that people correct: claims that go through the log like everything else."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from onefold.app.in_force import load_definitions
from onefold.app.profiles.finding import find, identifier_of
from onefold.app.profiles.given import append_claims
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput
from onefold.model.given import (
    INTERNAL,
    Correction,
    GivenClaim,
    Holds,
    correction_trait,
    is_reserved,
)
from onefold.model.profile import Node, Profile, Statement, identifier_text, statements_of
from onefold.model.records import Identifier
from onefold.store import SQLiteStore

MOST_BYTES = 32_768
_MOST_SAID = 100
_encode = msgspec.json.Encoder(order="sorted").encode


class Corrected(msgspec.Struct, frozen=True):
    """A correction as it was taken in; `until` (µs) where it ends by itself. Without one it was taken back."""

    trait: str
    identifier: str
    value: Any
    holds: Holds | None
    until: int
    at: int


def trait_correct(
    settings: Settings,
    reference: str,
    trait: str,
    value: Any,
    *,
    holds: Holds = "forever",
    until: int = 0,
    actor: str = "cli",
) -> Corrected:
    """Say what the right value of a trait is; null says that there is none.

    It outranks all sources: for ever, `until` a time (µs), or, with `next`, until a source says something that
    none had said before.
    """
    with open_store(settings, cache_mb=4) as store:
        now = now_us()
        check_correction(trait, value, holds, until, now, lambda: _invalid(store, trait, value))
        profile = find(store, reference, settings.default_country)
        node = _node(profile, reference, settings.default_country)
        statements = [one for node in profile.nodes for one in statements_of(node)]
        said = said_of(statements, trait) if holds == "next" else ()
        correction = Correction(value, actor, holds, until if holds == "until" else 0, said)
        claim = _claim(node, now, trait, msgspec.to_builtins(correction), actor)
        append_claims(settings, store, [claim], now)
        detail = {"trait": trait, "identifier": identifier_text(node), "holds": holds}
        store.registry.audit(now, actor, "trait.correct", trait, detail)
    return Corrected(trait, identifier_text(node), value, holds, correction.until, now)


def trait_release(
    settings: Settings, reference: str, trait: str, *, actor: str = "cli"
) -> Corrected:
    """Take all corrections of a trait back: sources decide again."""
    name = correction_trait(trait)
    with open_store(settings, cache_mb=4) as store:
        now = now_us()
        profile = find(store, reference, settings.default_country)
        nodes = [
            node
            for node in profile.nodes
            if any(one.traits.get(name) is not None for one in statements_of(node))
        ] or [_node(profile, reference, settings.default_country)]
        claims = [_claim(node, now, trait, None, actor) for node in nodes]
        append_claims(settings, store, claims, now)
        detail = {"trait": trait, "identifier": identifier_text(nodes[0]), "holds": None}
        store.registry.audit(now, actor, "trait.correct", trait, detail)
    return Corrected(trait, identifier_text(nodes[0]), None, None, 0, now)


def check_correction(
    trait: str, value: Any, holds: Holds, until: int, now: int, invalid: Callable[[], str]
) -> None:
    """Refuse what cannot be a correction; `invalid` says why the trait does not allow the value."""
    faults = []
    if not trait or len(trait) > 200 or is_reserved(trait):
        faults.append(Fault(f"{trait!r} is no trait that can be corrected", "trait"))
    if len(_encode(value)) > MOST_BYTES:
        faults.append(Fault(f"is longer than {MOST_BYTES:,} bytes", "value"))
    if holds == "until" and until <= now:
        faults.append(Fault("is not in the future", "until", "write a time such as 2027-01-31"))
    if not faults and value is not None and (reason := invalid()):
        faults.append(Fault(reason, "value", f"see what is declared of {trait}"))
    if faults:
        raise InvalidInput("the trait cannot be corrected", faults)


def _invalid(store: SQLiteStore, trait: str, value: Any) -> str:
    """Why the definition of the trait does not allow a value."""
    definitions, sources = load_definitions(store)
    computed = {one.name for one in definitions.traits if one.expression}
    if trait in computed | {one.name for one in definitions.tags}:
        return "is computed, or a tag"
    if not any(one.name == trait and one.type for one in definitions.traits):
        return ""
    # Knowing what is valid takes the engine's types; most corrections do without.
    from onefold.pipeline.golden_rules import golden_inputs, golden_rules  # noqa: PLC0415

    unit = golden_rules(golden_inputs(definitions, sources), "UTC").unit(trait)
    check = unit.checks.get(trait) if unit else None
    return check(value) if check else ""


def _node(profile: Profile, reference: str, country: str) -> Node:
    """The identifier that the reference names; of a profile's id its first."""
    kind, colon, value = reference.partition(":")
    named = identifier_of(kind, value, country) if colon else None
    same = (node for node in profile.nodes if Identifier(node.kind, node.value) == named)
    return next(same, profile.nodes[0])


def said_of(statements: Iterable[Statement], trait: str) -> tuple[Any, ...]:
    """What sources say of a trait now: to hear it again is nothing new."""
    found = {
        _encode(one.traits[trait]): one.traits[trait]
        for one in statements
        if one.source != INTERNAL and trait in one.traits
    }
    return tuple(found[key] for key in sorted(found)[:_MOST_SAID])


def _claim(node: Node, now: int, trait: str, says: Any, actor: str) -> GivenClaim:
    name = f"correct-{uuid.uuid4().hex}"
    return GivenClaim(name, now, node.kind, node.value, {correction_trait(trait): says}, actor)
