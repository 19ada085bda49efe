"""Parts of a plan: some outputs with what these refer to, or all but some."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from onefold.segment.plan import Key, Output, Plan, plan_of


def part_of(plan: Plan, keys: Collection[Key]) -> Plan:
    """The part of a plan that computes these outputs."""
    outputs = {one.key: one for one in plan.outputs}
    waiting, needed = list(keys), set[Key]()
    while waiting:
        key = waiting.pop()
        if key not in needed:
            needed.add(key)
            waiting.extend(outputs[key].uses)
    return plan_of([one for one in plan.outputs if one.key in needed], {})


def without(plan: Plan, keys: Iterable[Key]) -> Plan:
    """The part of a plan that goes without these outputs, and without all that refer to them."""
    gone = set(keys)
    for one in upward(plan.outputs):
        if not gone.isdisjoint(one.uses):
            gone.add(one.key)
    return plan_of([one for one in plan.outputs if one.key not in gone], plan.refused)


def upward(outputs: Iterable[Output]) -> list[Output]:
    """Each after all that it refers to."""
    return sorted(outputs, key=lambda one: one.level)
