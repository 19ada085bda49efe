"""A plan cut up by what a profile changes by: a trait, or an event of some name.

Of a thousand outputs an event can change only those that count it. A section is the plan of the
outputs that some causes can change and of what these refer to; its query gives for them what the
whole plan's query would.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from onefold.segment.plan import Key, Output, Plan, plan_of

Cause = tuple[Literal["trait", "event"], str]
"""What a profile can change by."""

_TOGETHER = 40


class Sections:
    """The sections of a plan: causes that change few outputs share one."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        by_cause: dict[Cause, set[Key]] = {}
        for key, causes in _causes(plan.outputs).items():
            for cause in causes:
                by_cause.setdefault(cause, set()).add(key)
        self._numbers: dict[Cause, int] = {}
        self._keys: list[set[Key]] = []
        self._made: dict[int, Plan] = {}
        for cause in sorted(by_cause, key=lambda one: (len(by_cause[one]), one)):
            self._place(cause, by_cause[cause])

    def _place(self, cause: Cause, keys: set[Key]) -> None:
        if not self._keys or len(self._keys[-1] | keys) > _TOGETHER:
            self._keys.append(set())
        self._keys[-1] |= keys
        self._numbers[cause] = len(self._keys) - 1

    def concerned(self, causes: Iterable[Cause]) -> set[int]:
        """The numbers of the sections that hold everything which these causes can change."""
        numbers = self._numbers
        return {numbers[cause] for cause in causes if cause in numbers}

    def section(self, number: int) -> Plan:
        """The plan of a section, made when it is first needed."""
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = part_of(self.plan, self._keys[number])
        return made


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


def _causes(outputs: Iterable[Output]) -> dict[Key, set[Cause]]:
    """What each output can change by, itself or through what it refers to."""
    causes: dict[Key, set[Cause]] = {}
    for one in upward(outputs):
        found = causes[one.key] = set()
        found.update(("trait", column.path[0]) for column in one.columns if column.kind == "trait")
        found.update(("event", metric.event) for metric in one.metrics)
        found.update(*(causes[key] for key in one.uses))
    return causes
