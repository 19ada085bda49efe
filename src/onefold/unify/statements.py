"""The claims of one node: of each trait and source, the last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onefold.model.profile import Statement
from onefold.model.records import CONSENT


def claims_of(traits: Mapping[str, Any], strong: bool) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Sort claims by whether they may override; what is said of consent always may.

    It is told anew with each call, and who takes it back need not say again who they are.

    >>> list(claims_of({"city": "Bonn", "consent.ads": False}, False))
    [(False, {'city': 'Bonn'}), (True, {'consent.ads': False})]
    """
    if strong or not any(name.startswith(CONSENT) for name in traits):
        yield strong, dict(traits)
        return
    for of_consent in (False, True):
        found = {
            name: value for name, value in traits.items() if name.startswith(CONSENT) == of_consent
        }
        if found:
            yield of_consent, found


def add_statement(statements: list[Statement], new: Statement) -> bool:
    """Merge one statement in; say whether anything changed.

    Keeps for every trait the claim with the greatest `(strong, time, message_id)` of its source,
    which commutes and forgets repeats.

    >>> old = Statement("crm", 1, "m1", True, {"city": "Bonn", "name": "Ann"})
    >>> kept = [old]
    >>> add_statement(kept, Statement("crm", 2, "m2", True, {"city": "Berlin"}))
    True
    >>> [(s.time, s.traits) for s in kept]
    [(1, {'name': 'Ann'}), (2, {'city': 'Berlin'})]
    """
    traits = dict(new.traits)
    changed = False
    for old in statements:
        if old.source != new.source:
            continue
        shared = old.traits.keys() & traits.keys()
        if not shared:
            continue
        if old.order >= new.order:
            for trait in shared:
                del traits[trait]
        else:
            changed = True
            for trait in shared:
                del old.traits[trait]
    if changed:
        statements[:] = [statement for statement in statements if statement.traits]
    if traits:
        statements.append(Statement(new.source, new.time, new.message_id, new.strong, traits))
        # One order on disk whatever the order of arrival.
        statements.sort(key=lambda statement: (statement.source, statement.order))
    return bool(traits)
