"""The claims of one node: of each trait and source the last, or as many as are needed to decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from onefold.model.profile import Statement
from onefold.model.records import CONSENT
from onefold.unify.rules import GoldenRules, Keep, Unit, value_key

Order = tuple[bool, int, str]


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


def add_claims(statements: list[Statement], new: Statement, rules: GoldenRules) -> bool:
    """Merge one statement in, and keep what these rules need of each source; was anything new?

    What is kept is bounded: of a source at most `MOST_KEPT` claims of a trait, the last ones, or of
    so many different values the last claim each. So this commutes and forgets repeats too.
    """
    units = {} if rules.plain else rules.units_in(new.traits)
    if not units:
        return add_statement(statements, new)
    decided = {trait for unit in units.values() for trait in unit.traits}
    rest = {trait: value for trait, value in new.traits.items() if trait not in decided}
    changed = bool(rest) and add_statement(statements, _with(new, rest))
    for unit in units.values():
        changed |= _add(statements, new, unit)
    statements[:] = [statement for statement in statements if statement.traits]
    statements.sort(key=lambda statement: (statement.source, statement.order))
    return changed


def refitted(statements: Iterable[Statement], rules: GoldenRules) -> list[Statement]:
    """The same claims, as far as these rules need them."""
    found: list[Statement] = []
    for statement in statements:
        add_claims(found, statement, rules)
    return found


def _add(statements: list[Statement], new: Statement, unit: Unit) -> bool:
    """Merge in what a statement claims of one unit."""
    held = [
        one
        for one in statements
        if one.source == new.source and not one.traits.keys().isdisjoint(unit.traits)
    ]
    if any(one.order == new.order for one in held):
        return False
    entries = [(one.order, unit.value_in(one.traits)) for one in [*held, new]]
    staying = _staying(unit, entries)
    for one in held:
        if one.order not in staying:
            for trait in unit.traits:
                one.traits.pop(trait, None)
    if new.order not in staying:
        return False
    claimed = {trait: new.traits[trait] for trait in unit.traits if trait in new.traits}
    for one in statements:
        if one.source == new.source and one.order == new.order:
            one.traits.update(claimed)
            return True
    statements.append(_with(new, claimed))
    return True


def _staying(unit: Unit, entries: Sequence[tuple[Order, Any]]) -> set[Order]:
    """The orders of those claims of one source that are kept.

    An invalid value is kept to be shown, and takes no valid one's place. What was said before the
    source took it back is gone.
    """
    last_first = sorted(entries, key=lambda entry: entry[0], reverse=True)
    invalid = [order for order, value in last_first if unit.fault(value)]
    rest = [entry for entry in last_first if entry[0] not in invalid]
    return {*invalid[:1], *_last(unit.kept, rest)}


def _last(keep: Keep, last_first: Sequence[tuple[Order, Any]]) -> Iterator[Order]:
    seen: set[bytes] = set()
    kept = 0
    for order, value in last_first:
        key = value_key(value)
        if keep.distinct and key in seen:
            continue
        seen.add(key)
        yield order
        kept += 1
        if kept == keep.most or value is None:
            return


def _with(statement: Statement, traits: dict[str, Any]) -> Statement:
    return Statement(
        statement.source, statement.time, statement.message_id, statement.strong, traits
    )
