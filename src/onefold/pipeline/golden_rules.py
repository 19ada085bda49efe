"""The rules for golden records, made ready from what definitions say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from onefold.model.definitions import Definitions, GoldenDefinition, TraitDefinition
from onefold.model.golden import LATEST, Survivorship, survivorship_of
from onefold.model.sources import Source
from onefold.segment.metric import SQL_TYPES, Type
from onefold.segment.reading import convert
from onefold.segment.zone import Zone, load_zone
from onefold.unify import GoldenRules, Unit
from onefold.unify.rules import Check, Read
from onefold.unify.validity import check_of


class GoldenInputs(msgspec.Struct, frozen=True):
    """What definitions say of golden records; the ids of the sources that they name."""

    golden: tuple[GoldenDefinition, ...] = ()
    traits: tuple[TraitDefinition, ...] = ()
    sources: dict[str, str] = {}

    @property
    def fingerprint(self) -> bytes:
        """Other rules have another one; those by which the last claim wins of all have none."""
        if not (self.golden or self.traits):
            return b""
        return blake2b(msgspec.json.encode(self), digest_size=16).digest()


def golden_inputs(definitions: Definitions, sources: Mapping[str, Source]) -> GoldenInputs:
    """The part of the definitions in force that golden records depend on."""
    traits = [
        _without_words(one)
        for one in definitions.traits
        if one.type and not one.expression and one.state == "approved"
    ]
    return _inputs(definitions.golden, traits, sources)


def account_inputs(definitions: Definitions, sources: Mapping[str, Source]) -> GoldenInputs:
    """The same of accounts: what is declared of their traits, and the rule for all others."""
    golden = [one for one in definitions.golden if not one.traits]
    traits = [
        TraitDefinition(
            one.name,
            type=one.type,
            survivorship=one.survivorship,
            pattern=one.pattern,
            range=one.range,
            length=one.length,
            allowed=one.allowed,
        )
        for one in definitions.account_traits
        if not one.aggregate
    ]
    return _inputs(golden, traits, sources)


def _inputs(
    given: Iterable[GoldenDefinition],
    traits: Sequence[TraitDefinition],
    sources: Mapping[str, Source],
) -> GoldenInputs:
    golden = [
        GoldenDefinition(
            "" if not one.traits else one.name, one.survivorship, one.traits, one.together
        )
        for one in given
    ]
    ways = [*(one.survivorship for one in golden), *(one.survivorship for one in traits)]
    named = {name for way in ways if isinstance(way, Survivorship) for name in way.sources}
    ids = {one.name: one.id for one in sources.values() if one.name in named}
    return GoldenInputs(tuple(golden), tuple(one for one in traits if _says(one)), ids)


def golden_rules(inputs: GoldenInputs, timezone: str) -> GoldenRules:
    """These rules, ready to decide; sources may be named, or given by id."""
    zone = load_zone(timezone)
    declared = {one.name: one for one in inputs.traits}
    reads = {name: _read(one, zone) for name, one in declared.items()}
    checks = {
        name: check for name, one in declared.items() if (check := check_of(one, reads[name]))
    }
    default, ways, units = LATEST, dict[str, Survivorship](), list[Unit]()
    for golden in inputs.golden:
        way = _by_id(survivorship_of(golden.survivorship) or LATEST, inputs.sources)
        if golden.together:
            units.append(_group(golden.name, golden.traits, way, checks))
        elif golden.traits:
            ways |= dict.fromkeys(golden.traits, way)
        else:
            default = way
    for name, one in declared.items():
        if own := survivorship_of(one.survivorship):
            ways[name] = _by_id(own, inputs.sources)
    grouped = {trait for unit in units for trait in unit.traits}
    for name in (ways.keys() | declared.keys()) - grouped:
        way = ways.get(name, default)
        if name in checks or way != LATEST or default != LATEST:
            read = {name: reads[name]} if name in reads else {}
            own_check = {name: checks[name]} if name in checks else {}
            units.append(Unit(name, (name,), way, own_check, read))
    return GoldenRules(units, default)


def needed_claims(inputs: GoldenInputs) -> dict[str, str]:
    """Of which traits more than the last claim of each source is needed, and of what kind: `*` is all others."""
    rules = golden_rules(inputs, "UTC")
    about = {one.name: one for one in inputs.traits}
    needed: dict[str, str] = {}
    for unit in rules.declared:
        if unit.kept.most == 1 and not unit.checks and not unit.group:
            continue
        checks = [_checked(about[name]) for name in unit.traits if name in about]
        of = msgspec.json.encode((unit.kept, unit.traits if unit.group else (), checks)).decode()
        needed |= dict.fromkeys(unit.traits, of)
    if (kept := Unit("*", ("*",), rules.default).kept).most > 1:
        needed["*"] = msgspec.json.encode(kept).decode()
    return needed


def _without_words(trait: TraitDefinition) -> TraitDefinition:
    return replace(trait, description="", owner="", folder="", version=0, unit="", pii="")


def _checked(trait: TraitDefinition) -> TraitDefinition:
    """What decides whether a value is valid."""
    return replace(trait, survivorship=None, unique=False)


def _says(trait: TraitDefinition) -> bool:
    """Does it say more than that a text is a text?"""
    return replace(_checked(trait), name="", type="") != TraitDefinition("", version=0) or (
        trait.type != "text" or bool(trait.survivorship)
    )


def _group(
    name: str, traits: Sequence[str], way: Survivorship, checks: Mapping[str, Check]
) -> Unit:
    own = {trait: checks[trait] for trait in traits if trait in checks}
    return Unit(f"group {name}", tuple(traits), way, own, group=True)


def _by_id(way: Survivorship, ids: Mapping[str, str]) -> Survivorship:
    if not way.sources:
        return way
    sources = tuple(ids.get(name, name) for name in way.sources)
    return Survivorship(way.by, sources, way.order, way.verified_by, way.prefer, way.of)


def _read(trait: TraitDefinition, zone: Zone) -> Read:
    of: Type | None = next((known for known in SQL_TYPES if known == trait.type), None)
    return lambda value: convert(value, of, zone) if of else value
