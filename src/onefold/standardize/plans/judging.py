"""An event held against its plans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from onefold.model.plans import Breach, TrackingPlan, Violation
from onefold.model.records import Event
from onefold.standardize.faults import explain
from onefold.standardize.plans.schemas import Broken, Checker, Path

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_MARK = "violations"
_NAMED_BY_TRAITS = frozenset({"email", "phone"})


class _Ready:
    """One plan, ready to be used."""

    def __init__(self, plan: TrackingPlan) -> None:
        self.plan = plan
        self.sources = frozenset(plan.sources)
        self.checker = Checker(plan.schema)
        self.of_traits = plan.type == "identify"
        self.where = "traits" if self.of_traits else "properties"

    def concerns(self, event: Event) -> bool:
        return event.type == self.plan.type and (not self.sources or event.source in self.sources)

    def value(self, event: Event) -> dict[str, Any]:
        """What of an event is described."""
        if self.of_traits:
            return dict(event.traits)
        found: dict[str, Any] = _decode(event.properties)
        return found


class Plans:
    """The plans in force; `names` are those of the events that any is about. False if there are none."""

    def __init__(self, plans: Iterable[TrackingPlan] = ()) -> None:
        by_name: defaultdict[str, list[_Ready]] = defaultdict(list)
        for plan in plans:
            by_name[plan.event if plan.type == "track" else plan.type].append(_Ready(plan))
        self._by_name = dict(by_name)
        self.names = frozenset(by_name)

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def faults(self, event: Event, *, any_source: bool = False) -> list[tuple[str, str]]:
        """Each field that breaks a plan with the reason, whatever the plan makes of it."""
        return [
            (one.field, _reason(ready, one))
            for ready in self._by_name.get(event.name, ())
            if event.type == ready.plan.type and (any_source or ready.concerns(event))
            for one in ready.checker.broken(ready.value(event))
        ]

    def judge(self, event: Event, key: tuple[int, int], told: list[Violation]) -> Event | list[str]:
        """The event as its plans leave it, or every reason why it is refused; violations go to `told`."""
        reasons: list[str] = []
        for ready in self._by_name.get(event.name, ()):
            if not ready.concerns(event):
                continue
            value = ready.value(event)
            broken = ready.checker.broken(value)
            if not broken:
                continue
            plan = ready.plan
            told += [
                Violation(
                    key,
                    Breach(
                        plan.name, plan.version, event.source, event.name, one.field, one.keyword,
                        plan.mode,
                    ),
                )
                for one in broken
            ]  # fmt: skip
            if plan.mode == "quarantine":
                reasons += [_reason(ready, one) for one in broken]
            elif plan.mode == "drop_field":
                event = _mended(event, ready, value, broken, reasons)
            elif plan.mode == "flag":
                event = _marked(event, plan, broken)
        return reasons or event


def _reason(ready: _Ready, broken: Broken) -> str:
    plan = ready.plan
    where = f"{ready.where}.{broken.field}" if broken.path else ready.where
    return explain(where, broken.message, f"tracking plan {plan.name!r}, version {plan.version}")


def _marked(event: Event, plan: TrackingPlan, broken: Sequence[Broken]) -> Event:
    """The event with what is wrong in its context, so that a rule or a question can leave it out."""
    context = _decode(event.context)
    marks = context.get(_MARK)
    found = marks if isinstance(marks, list) else []
    context[_MARK] = found + [
        {"plan": plan.name, "version": plan.version, "field": one.field, "fault": one.keyword}
        for one in broken
    ]
    return replace(event, context=_encode(context).decode())


def _mended(
    event: Event,
    ready: _Ready,
    value: dict[str, Any],
    broken: Sequence[Broken],
    reasons: list[str],
) -> Event:
    """The event without the fields that are wrong; marked, so that it can be told what is missing."""
    for one in sorted(broken, key=lambda one: _deepest_last(one.path), reverse=True):
        _drop(value, one.path)
    event = _marked(event, ready.plan, broken)
    if not ready.of_traits:
        return replace(event, properties=_encode(value).decode())
    gone = (event.traits.keys() - value.keys()) & _NAMED_BY_TRAITS
    identifiers = tuple(one for one in event.identifiers if one.kind not in gone)
    if not identifiers:
        reasons += [_reason(ready, one) for one in broken]
    return replace(event, traits=value, identifiers=identifiers or event.identifiers)


def _deepest_last(path: Path) -> tuple[int, tuple[int, ...]]:
    return len(path), tuple(part if isinstance(part, int) else -1 for part in path)


def _drop(value: Any, path: Path) -> None:
    """Take out what stands at a path; what is missing or not there stays so."""
    for part in path[:-1]:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return
    if path and isinstance(value, (dict, list)):
        try:
            del value[path[-1]]  # type: ignore[arg-type]
        except (KeyError, IndexError, TypeError):
            return
