"""In which order definitions are computed that refer to one another."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from onefold.model.errors import Fault, InvalidInput
from onefold.segment.rule import Reference


def in_order(uses: Mapping[Reference, Collection[Reference]]) -> list[Reference]:
    """Those after which all that they refer to comes first; what stands in a cycle is left out."""
    waiting = {key: set(used) for key, used in uses.items()}
    users: dict[Reference, list[Reference]] = {}
    for key, used in waiting.items():
        for one in used:
            users.setdefault(one, []).append(key)
    found: list[Reference] = []
    free = [key for key, used in waiting.items() if not used]
    while free:
        key = free.pop()
        found.append(key)
        for user in users.get(key, ()):
            waiting[user].discard(key)
            if not waiting[user]:
                free.append(user)
    return found


def circles(
    uses: Mapping[Reference, Collection[Reference]], ready: Collection[Reference]
) -> dict[Reference, InvalidInput]:
    """Why each that could not be ordered could not."""
    refused = {}
    for start in uses.keys() - set(ready):
        path = [start]
        while (after := next(one for one in uses[path[-1]] if one not in ready)) not in path:
            path.append(after)
        names = " → ".join(name for _, name in [*path[path.index(after) :], after])
        fault = Fault(f"it goes round in a circle: {names}", hint="take one of the references out")
        refused[start] = InvalidInput("the definition cannot be used", [fault])
    return refused
