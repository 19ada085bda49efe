"""What definitions mean together: whether each can be computed, and how many there may be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from onefold.app.definitions.dependencies import Graph, Key
from onefold.app.definitions.files import Written
from onefold.app.definitions.golden_checks import faults_of_all
from onefold.app.in_force import definitions_from
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput
from onefold.segment import compile_plan, wanted_by
from onefold.segment.plan import Plan
from onefold.segment.rule import ANY, Scope
from onefold.store.registry import StoredDefinition

_TEXT_KEY = {"segment": "rule", "trait": "expression", "tag": "cases"}
_SAME_NAMES = {"trait": "tag", "tag": "trait"}
Bodies = Mapping[Key, dict[str, Any]]
NO_BODIES: Bodies = MappingProxyType({})


class Limits(NamedTuple):
    """How many definitions may be in force at once."""

    segments: int = Settings().max_segments
    traits: int = Settings().max_computed_traits


LIMITS = Limits()
"""The limits unless an installation sets others."""


def limits_of(settings: Settings) -> Limits:
    """The limits of an installation."""
    return Limits(settings.max_segments, settings.max_computed_traits)


def faults_together(
    graph: Graph,
    bodies: Bodies,
    written: Mapping[Key, Written],
    gone: Collection[Key],
    broken: Collection[Key],
) -> Iterator[Fault]:
    """What is wrong with definitions as they would be in force.

    `written` are those that are put in force, `gone` those that are taken out, and `broken` those
    about which enough is said already.
    """
    for key, one in written.items():
        if (_SAME_NAMES.get(key[0], ""), key[1]) in bodies:
            taken = _SAME_NAMES[key[0]]
            hint = "a rule could not tell them apart; choose another name"
            yield Fault(f"there is a {taken} {key[1]!r} already", one.place("name"), hint)
    yield from faults_of_all(bodies, {key: one.where for key, one in written.items()})
    round_about = graph.cycles()
    for cycle in round_about:
        yield _cycle_fault(cycle, written)
    skipped = {key for cycle in round_about for key in cycle} | set(broken)
    skipped |= set(graph.touched_by(skipped))
    concerned = [*written, *graph.touched_by([*written, *gone])]
    yield from _once(
        {key: list(graph.missing(key)) for key in written},
        written,
        list(_computing_faults(graph, bodies, written, concerned, skipped)),
    )


def _once(
    missing: Mapping[Key, Sequence[Fault]],
    written: Mapping[Key, Written],
    found: Sequence[tuple[Key, Fault]],
) -> Iterator[Fault]:
    """What is missing and what cannot be computed; of what is told twice the place of the latter."""
    hints = {(key, one.message): one.hint for key, faults in missing.items() for one in faults}
    told = {(key, one.message) for key, one in found}
    for key, faults in missing.items():
        for one in faults:
            if (key, one.message) not in told:
                yield Fault(one.message, written[key].place(one.where), one.hint)
    for key, one in found:
        yield Fault(one.message, one.where, hints.get((key, one.message), one.hint))


def removal_faults(before: Graph, gone: Collection[Key]) -> Iterator[Fault]:
    """Who still needs what is taken out, and stays."""
    for key in gone:
        users = [user for user in before.users[key] if user not in gone]
        if users:
            named = ", ".join(f"{kind} {name}" for kind, name in sorted(users))
            hint = "change or take out those first"
            yield Fault(f"{key[0]} {key[1]!r} is needed by {named}", "", hint)


def unreadable(kind: str, name: str, body: dict[str, Any], entities: Bodies = NO_BODIES) -> str:
    """Why a definition cannot be read at all; nothing if it can, whatever else is wrong with it.

    Mappings may be to the `entities` of the workspace.
    """
    if kind == "segment" and not body.keys() & {"rule", "list"}:
        return "it has neither a rule nor a list"
    try:
        about = [StoredDefinition(*key, 0, one) for key, one in entities.items()]
        beside = about if kind in ("mapping", "source") else []
        definitions_from([*beside, StoredDefinition(kind, name, 0, body)])
    except msgspec.ValidationError as error:
        return str(error)
    except InvalidInput as error:
        return "; ".join(map(str, error.faults))
    except (LookupError, TypeError, ValueError):
        return "something is missing, or of the wrong type"
    return ""


def too_many(live: Bodies, bodies: Bodies, limits: Limits) -> Iterator[Fault]:
    """How far definitions as they would be in force are beyond the limits.

    Who has too many already, because the limits were others, may still change and take out.
    Asked before anything else, as judging them all would take as long as they are many.
    """
    for what, of, most, setting in (
        ("segments", _is_segment, limits.segments, "max_segments"),
        ("computed traits and tags", _is_computed, limits.traits, "max_computed_traits"),
    ):
        now, then = (sum(map(of, some.items())) for some in (live, bodies))
        if then > max(most, now):
            message = f"{then:,} {what} ({now:,} in force, {then - now:,} more); at most {most:,}"
            yield Fault(message, hint=f"leave out {then - most:,}, or raise {setting}")


def _is_segment(one: tuple[Key, dict[str, Any]]) -> bool:
    return one[0][0] == "segment"


def _is_computed(one: tuple[Key, dict[str, Any]]) -> bool:
    (kind, _), body = one
    return kind == "tag" or (kind == "trait" and "expression" in body)


def _cycle_fault(cycle: list[Key], written: Mapping[Key, Written]) -> Fault:
    first = next((number for number, key in enumerate(cycle) if key in written), 0)
    turned = [*cycle[first:], *cycle[:first]]
    names = " → ".join(f"{kind} {name}" for kind, name in [*turned, turned[0]])
    place = written[turned[0]].where if turned[0] in written else ""
    return Fault(f"it goes round in a circle: {names}", place, "take one of the references out")


def _computing_faults(
    graph: Graph,
    bodies: Bodies,
    written: Mapping[Key, Written],
    concerned: list[Key],
    skipped: Collection[Key],
) -> Iterator[tuple[Key, Fault]]:
    """What cannot be computed, of those that are concerned and need not be skipped."""
    chosen = [key for key in concerned if key not in skipped and key[0] in _TEXT_KEY]
    chosen += [key for key in graph.needed_by(chosen) if key not in chosen]
    refused = _compiled(bodies, chosen).refused
    by_key = {key: refused.get((_sort(key[0]), key[1])) for key in chosen}
    for key, error in by_key.items():
        if error is None or any(by_key.get(used) for used in graph.uses[key]):
            continue
        for fault in error.faults or (Fault(error.message),):
            where = f"{_TEXT_KEY[key[0]]} {fault.where}".strip()
            if key in written:
                place = written[key].place(where)
            else:
                place = f"{key[0]} {key[1]}, in force: {where}"
            yield key, Fault(fault.message, place, fault.hint)


def _compiled(bodies: Bodies, chosen: Iterable[Key], seen: Scope = ANY) -> Plan:
    """These definitions as a plan, on the types of all traits that are declared."""
    declared = [key for key, body in bodies.items() if key[0] == "trait" and "type" in body]
    stored = [
        StoredDefinition(kind, name, 0, bodies[kind, name])
        for kind, name in dict.fromkeys([*chosen, *declared])
        if not unreadable(kind, name, bodies[kind, name])
    ]
    return compile_plan(wanted_by(definitions_from(stored)), None, seen)


def warnings_of(
    graph: Graph, bodies: Bodies, written: Mapping[Key, Written], seen: Collection[tuple[str, str]]
) -> Iterator[Fault]:
    """Names in written definitions that are neither defined nor ever came in."""
    base = Scope(
        seen=frozenset(name for kind, name in seen if kind == "trait"),
        events=frozenset(name for kind, name in seen if kind == "event"),
    )
    keys = [key for key in written if key[0] in _TEXT_KEY]
    for output in _compiled(bodies, [*keys, *graph.needed_by(keys)], base).outputs:
        one = written.get((output.kind, output.name))
        for warning in output.warnings if one else ():
            where = f"{_TEXT_KEY[output.kind]} {warning.where}".strip()
            yield Fault(warning.message, one.place(where) if one else where, warning.hint)


def _sort(kind: str) -> Any:
    return "segment" if kind == "segment" else "value"
