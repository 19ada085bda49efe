"""The traits that sources claim of somebody, as a standard person: their names say what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from onefold.model.person import Person
from onefold.standardize.people.headers import role_of
from onefold.standardize.people.records import standardize_record
from onefold.standardize.people.roles import SEVERAL, Layout

_NOT_CLAIMED = frozenset({"source", "ignore", "identifier"})
_ONE_VALUE = frozenset({"given_name", "middle_name", "family_name", "address_more", "nickname"})
_NOBODY = Person()


def person_of_traits(
    traits: Mapping[str, Any], columns: Mapping[str, str], region: str | None = None
) -> Person | None:
    """The standard person of somebody's traits, or None where they say nothing.

    `columns` says what a trait holds where its name does not. Of several traits for one role the one
    that is named best counts; the parts of an object are read as traits of their own.

    >>> person_of_traits({"firstName": "Ann", "address": {"city": "Bonn"}, "plan": "gold"}, {}).city
    'bonn'
    >>> person_of_traits({"plan": "gold"}, {})
    """
    chosen: dict[str, tuple[float, str]] = {}
    several: dict[str, str] = {}
    values = dict(_flat(traits))
    for name in sorted(values):
        role, sure = _role(name) if name not in columns else (columns[name], 1.0)
        if role.partition(":")[0] in _NOT_CLAIMED:
            continue
        if role in SEVERAL and role not in _ONE_VALUE:
            several[name] = role
        elif role not in chosen or sure > chosen[role][0]:
            chosen[role] = (sure, name)
    if "family_name" in chosen:
        chosen.pop("full_name", None)
    layout = Layout({name: role for role, (_, name) in chosen.items()} | several, region)
    person = standardize_record(values, layout) if layout.columns else _NOBODY
    return None if person == _NOBODY else person


def _flat(traits: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in traits.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{part}", inner) for part, inner in value.items())
        elif value is not None and not isinstance(value, list | bool):
            yield name, value


@lru_cache(maxsize=10_000)
def _role(name: str) -> tuple[str, float]:
    outer, _, part = name.rpartition(".")
    return role_of(part) if outer else role_of(name)
