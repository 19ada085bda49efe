"""Kinds of identifiers as people name them. They are open: any source may send a new one.

So a kind that nobody was seen with may be one that comes later, or a slip of the pen: it is
taken, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from onefold.app.in_force import definitions_from
from onefold.app.profiles.finding import identifier_of
from onefold.app.workspace import node_key
from onefold.model.errors import Fault, InvalidInput
from onefold.resolve import node_id
from onefold.segment.syntax import nearest
from onefold.standardize.identifiers import STANDARD_KINDS, kind_named
from onefold.store import SQLiteStore

_LOOKED_AT = 1_000


def kind_given(name: str) -> str:
    """A kind as events have it; `InvalidInput` where it is no name of one."""
    kind = kind_named(name)
    if kind is None:
        hint = "its letters are a to z, digits and _, such as crm_id"
        fault = Fault(f"{name[:60]!r} is no kind of identifier", "kind", hint)
        raise InvalidInput("nothing was taken", [fault])
    return kind


def strange_kind(
    store: SQLiteStore, kind: str, values: Iterable[str], country: str
) -> tuple[Fault, ...]:
    """Warn of a kind that nobody declared, if nobody has any of the first of these values."""
    declared = definitions_from(store.registry.definitions()).identity.kinds
    known = STANDARD_KINDS.union(declared)
    if kind in known:
        return ()
    found = [identifier_of(kind, value, country) for value in islice(values, _LOOKED_AT)]
    key = node_key(store)
    if store.profiles_of([node_id(key, one) for one in found if one]):
        return ()
    hint = nearest(kind, known) or "declare it with `kind: identifier` if sources will send it"
    return (Fault(f"nobody was seen with these identifiers of the kind {kind!r}", "kind", hint),)
