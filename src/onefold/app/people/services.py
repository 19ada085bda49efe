"""Services over the records of one call, without any state: standardize, extract identifiers, merge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import phonenumbers

from onefold.app.definitions.golden_checks import faults_of_all, golden_faults
from onefold.app.people.answers import (
    Extracted,
    FoundIdentifier,
    Lost,
    Merge,
    Merged,
    Picked,
    Records,
    Standardized,
    Statement,
)
from onefold.app.people.columns import columns_of
from onefold.model.definitions import GoldenDefinition
from onefold.model.errors import Fault, InvalidInput
from onefold.model.golden import Survivorship
from onefold.pipeline.golden_rules import GoldenInputs, golden_rules
from onefold.standardize.identifiers import normalize
from onefold.standardize.people.national_ids import national_id
from onefold.standardize.people.records import (
    as_text,
    identifier_kind,
    standardize_record,
)
from onefold.standardize.people.roles import Layout
from onefold.unify import Unit
from onefold.unify.contest import Claim, Contest, contest


def standardize_records(given: Records) -> Standardized:
    """Records in standard columns.

    >>> found = standardize_records(Records([{"name": "Bob O'Neil", "mail": "Bob@GMial.com"}]))
    >>> found.columns, found.records[0].email
    ({'name': 'full_name', 'mail': 'email'}, 'bob@gmail.com')
    """
    layout = layout_of(given)
    return Standardized(
        layout.columns, [standardize_record(record, layout) for record in given.records]
    )


def extract_identifiers(given: Records) -> Extracted:
    """The identifiers of records, as events would have them.

    >>> found = extract_identifiers(Records([{"mail": "Bob@X.com", "tel": "138 1234 5679"}], region="CN"))
    >>> [f"{one.kind}:{one.value}" for one in found.identifiers[0]]
    ['email:bob@x.com', 'phone:+8613812345679']
    """
    layout = layout_of(given)
    found = [list(identifiers_of(record, layout)) for record in given.records]
    return Extracted(layout.columns, found)


def identifiers_of(record: Mapping[str, Any], layout: Layout) -> Iterator[FoundIdentifier]:
    """The identifiers of one record."""
    for header, role in layout.columns.items():
        text = as_text(record.get(header)).strip()
        kind = role.partition(":")[0]
        if kind == "identifier":
            kind = identifier_kind(header, layout)
        elif kind not in ("email", "phone", "national_id"):
            continue
        if kind == "national_id":
            number = national_id(text) if text else None
            value = number.number if number else None
        else:
            value = normalize(kind, text, layout.region, header, []) if text else None
        if value:
            yield FoundIdentifier(kind, value, header)


def merge_records(given: Merge) -> Merged:
    """One golden record of records about one person.

    >>> said = [Statement({"city": "Bonn"}, "shop", 2), Statement({"city": "Berlin"}, "crm", 1)]
    >>> crm_first = {"survivorship": {"by": "source_priority", "sources": ["crm"]}}
    >>> merge_records(Merge(said, [crm_first])).golden, merge_records(Merge(said)).golden
    ({'city': 'Berlin'}, {'city': 'Bonn'})
    """
    rules = golden_rules(GoldenInputs(tuple(_rules(given.rules))), "UTC")
    traits = dict.fromkeys(name for one in given.records for name in one.values)
    golden: dict[str, Any] = {}
    why: dict[str, Picked] = {}
    units = {name: rules.unit(name) or Unit(name, (name,)) for name in traits}
    for unit in {unit.name: unit for unit in units.values()}.values():
        found = _decided(unit, given.records)
        if found.value is None:
            continue
        picked = Picked(
            sorted({claim.node for claim in found.winners}),
            [Lost(claim.node, claim.value, reason) for claim, reason in _in_order(found)],
        )
        values = found.value if unit.group else {unit.name: found.value}
        known = {name: value for name, value in values.items() if value is not None}
        golden |= known
        why |= dict.fromkeys(known, picked)
    return Merged({name: golden[name] for name in traits if name in golden}, why)


def _decided(unit: Unit, records: Sequence[Statement]) -> Contest:
    def verified(claim: Claim) -> bool:
        if claim.source in unit.way.sources:
            return True
        by = unit.way.verified_by or f"{unit.name}_verified"
        return records[claim.node].values.get(by) is True

    claims = [
        Claim(unit.value_in(one.values), one.source, one.time, "", True, number)
        for number, one in enumerate(records)
        if any(name in one.values for name in unit.traits)
    ]
    return contest(unit, claims, {}, verified)


def _in_order(found: Contest) -> list[tuple[Claim, str]]:
    return sorted(found.losers, key=lambda each: each[0].node)


_OTHERS = GoldenDefinition("", Survivorship("most_frequent"))


def _rules(bodies: Sequence[Mapping[str, Any]]) -> list[GoldenDefinition]:
    """Definitions of these bodies; of all others what is said most often wins."""
    faults: list[Fault] = []
    named: dict[tuple[str, str], dict[str, Any]] = {}
    for number, body in enumerate(bodies):
        where = f"rules.{number}"
        unknown = sorted(body.keys() - _KEYS)
        faults += [Fault(f"{key!r} is not known", where, _KNOWN) for key in unknown]
        for fault in golden_faults(body):
            place = f"{where}.{fault.where}" if fault.where else where
            faults.append(Fault(fault.message, place, fault.hint))
        said = body.get("survivorship")
        if "expression" in (said, said.get("by") if isinstance(said, dict) else None):
            hint = "use another way, or a golden definition"
            faults.append(Fault("an expression is not evaluated here", where, hint))
        named["golden", str(number)] = dict(body)
    if not faults:
        faults += faults_of_all(named, {key: f"rules.{key[1]}" for key in named})
    if faults:
        raise InvalidInput("the rules cannot be used", faults)
    found = [
        msgspec.convert(
            {"name": str(number) if body.get("traits") else "", **_own(body)}, GoldenDefinition
        )
        for number, body in enumerate(bodies)
    ]
    return found if any(not one.traits for one in found) else [*found, _OTHERS]


_KEYS = frozenset({"survivorship", "traits", "together", "name", "kind"})
_KNOWN = "known are survivorship, traits, together"


def _own(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in ("name", "kind")}


def layout_of(given: Records) -> Layout:
    """What the columns hold: as told, else as it is recognized; every fault."""
    headers = dict.fromkeys(header for record in given.records for header in record)
    seen = {header: [record.get(header) for record in given.records] for header in headers}
    columns, faults = columns_of(seen, given.columns)
    if given.region is not None and given.region.upper() not in phonenumbers.SUPPORTED_REGIONS:
        faults.append(Fault(f"{given.region!r} is no country", "region", "two letters, such as US"))
    for header in given.columns:
        if header not in headers:
            faults.append(Fault("there is no such column", f"columns.{header}"))
    if faults:
        raise InvalidInput("the columns are not clear", faults)
    return Layout(columns, given.region and given.region.upper(), given.date_order)
