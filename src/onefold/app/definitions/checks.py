"""What each kind of definition may say: every fault of a body, with its key and a hint."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from onefold.activate.webhook_settings import text_faults
from onefold.app.definitions import (
    account_checks,
    golden_checks,
    identity_checks,
    plan_checks,
    source_checks,
    tag_checks,
)
from onefold.app.in_force import DESTINATION_KEYS
from onefold.model.conversion import nearest
from onefold.model.definitions import DESTINATION_EVENTS
from onefold.model.errors import Fault
from onefold.standardize.mapping import ANY_ENTITY, Schema, entity_faults
from onefold.standardize.mapping.canonical import CANONICAL

Body = dict[str, Any]
TYPES = ("text", "number", "boolean", "date", "time", "list", "numbers", "object")
_ABOUT = {"description", "owner", "folder"}
MOST_CASES = 100
_STATES = ("draft", "approved", "retired")
_TEXT, _FLAG = "must be a text", "must be true or false"


def faults_of(kind: str, body: Body, schema: Schema = CANONICAL) -> Iterator[Fault]:
    """All faults of one definition, as far as it can be judged by itself and the canonical schema."""
    for key in _ABOUT & body.keys():
        if not isinstance(body[key], str):
            yield Fault(_TEXT, key)
    if kind in ("trait", "tag") and body.get("state", "approved") not in _STATES:
        yield Fault(f"must be one of {', '.join(_STATES)}", "state")
    yield from KINDS[kind](body, schema) if kind in _OF_SCHEMA else KINDS[kind](body)


def _trait_faults(body: Body) -> Iterator[Fault]:
    known = {"type", "expression", "state"} | golden_checks.TRAIT_KEYS | _ABOUT
    yield from _unknown_keys(body, known)
    if not body.keys() & {"type", "expression"}:
        hint = "write `expression:` to compute it, or `type:` to declare what sources send"
        yield Fault("has neither an expression nor a type", "", hint)
    if "type" in body:
        yield from _type_faults(body)
    if "expression" in body and not isinstance(body["expression"], str):
        yield Fault(_TEXT, "expression")
    yield from golden_checks.schema_faults(body)


def _account_trait_faults(body: Body) -> Iterator[Fault]:
    yield from _unknown_keys(body, {"type"} | account_checks.KEYS | _ABOUT)
    if "aggregate" not in body:
        yield from _type_faults(body)
        yield from golden_checks.schema_faults(body)
    yield from account_checks.account_trait_faults(body)


def _household_trait_faults(body: Body) -> Iterator[Fault]:
    yield from _unknown_keys(body, {"aggregate", "of", "unit", "pii"} | _ABOUT)
    if "aggregate" not in body:
        yield Fault("has no aggregate", "aggregate", "write how it is added up, such as `count`")
    yield from account_checks.account_trait_faults(body)


def _golden_faults(body: Body) -> Iterator[Fault]:
    yield from _unknown_keys(body, golden_checks.GOLDEN_KEYS | _ABOUT)
    yield from golden_checks.golden_faults(body)


def _property_faults(body: Body) -> Iterator[Fault]:
    yield from _unknown_keys(body, {"event", "property", "type"} | _ABOUT)
    for key in ("event", "property"):
        if key in body and not (isinstance(body[key], str) and body[key].strip()):
            yield Fault(_TEXT, key)
    if "event" not in body:
        yield Fault("has no event", "event", "write `event:` with the name of the event")
    yield from _type_faults(body)


def _type_faults(body: Body) -> Iterator[Fault]:
    given = body.get("type")
    if given not in TYPES:
        near = difflib.get_close_matches(str(given), TYPES, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(TYPES)}"
        yield Fault(f"type {given!r} is not known", "type", hint)


def _tag_faults(body: Body) -> Iterator[Fault]:
    yield from _unknown_keys(body, tag_checks.KEYS | _ABOUT)
    yield from tag_checks.tag_faults(body)
    if "cases" in body:
        yield from _cases_faults(body["cases"])


def _cases_faults(cases: object) -> Iterator[Fault]:
    if not isinstance(cases, list) or not cases:
        yield Fault("must be a list of `value:` and `when:`", "cases")
        return
    if len(cases) > MOST_CASES:
        yield Fault(
            f"{len(cases):,} cases; at most {MOST_CASES}", "cases", "use a ranking or a trait"
        )
        return
    for number, case in enumerate(cases):
        where = f"cases[{number}]"
        if not isinstance(case, dict):
            yield Fault("must have `value:` and `when:`", where)
            continue
        for key in case.keys() - {"value", "when"}:
            yield Fault(f"{key!r} is not known", where, "known are value, when")
        if not _is_value(case.get("value")):
            yield Fault("has no value", where, "write `value:` with up to 100 characters")
        if "when" in case or number < len(cases) - 1:
            yield from _text_faults(case, "when", f"{where}.when")


def _is_value(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= 100


def _segment_faults(body: Body) -> Iterator[Fault]:
    yield from _unknown_keys(body, {"rule", "list"} | _ABOUT)
    if "rule" in body and "list" in body:
        yield Fault("has a rule and a list", "list", "write one of them")
    if "list" not in body:
        yield from _text_faults(body, "rule", "rule")


def _text_faults(body: Body, key: str, where: str) -> Iterator[Fault]:
    """A rule must be there as text; what it says is compiled together with all others."""
    if not isinstance(body.get(key), str):
        yield Fault(f"has no {key}", where, f"write `{key}:` with a condition as text")


def _destination_faults(body: Body) -> Iterator[Fault]:
    own = {key: value for key, value in body.items() if key not in DESTINATION_KEYS}
    if body.get("type") != "webhook":
        yield Fault(f"type {body.get('type')!r} is not known", "type", "use webhook")
        return
    segments = body.get("segments", [])
    if not isinstance(segments, list) or not all(isinstance(one, str) for one in segments):
        yield Fault("must be a list of segment names", "segments")
    events = body.get("events", [])
    if not isinstance(events, list) or not all(one in DESTINATION_EVENTS for one in events):
        known = ", ".join(DESTINATION_EVENTS)
        yield Fault("must be a list of events", "events", f"known are {known}")
    if not isinstance(body.get("enabled", True), bool):
        yield Fault(_FLAG, "enabled")
    yield from text_faults(own)


def _identifier_faults(body: Body) -> Iterator[Fault]:
    yield from _unknown_keys(body, identity_checks.IDENTIFIER_KEYS | _ABOUT)
    yield from identity_checks.identifier_faults(body)


def _identity_faults(body: Body) -> Iterator[Fault]:
    yield from _unknown_keys(body, identity_checks.IDENTITY_KEYS | _ABOUT)
    yield from identity_checks.identity_faults(body)


def _plan_faults(body: Body) -> Iterator[Fault]:
    yield from _unknown_keys(body, plan_checks.KEYS | _ABOUT)
    yield from plan_checks.plan_faults(body)


def _entity_faults(body: Body) -> Iterator[Fault]:
    yield from entity_faults(ANY_ENTITY, body)


KINDS: Mapping[str, Callable[..., Iterator[Fault]]] = {
    "trait": _trait_faults,
    "tag": _tag_faults,
    "segment": _segment_faults,
    "property": _property_faults,
    "golden": _golden_faults,
    "account_trait": _account_trait_faults,
    "household_trait": _household_trait_faults,
    "destination": _destination_faults,
    "source": source_checks.source_faults,
    "mapping": source_checks.mapping_faults,
    "entity": _entity_faults,
    "tracking_plan": _plan_faults,
    "identifier": _identifier_faults,
    "identity": _identity_faults,
}
_OF_SCHEMA = frozenset({"source", "mapping"})
"""The kinds that are judged by the canonical schema too."""


def _unknown_keys(body: Body, known: Collection[str]) -> Iterator[Fault]:
    for key in body:
        if key not in known:
            yield Fault(f"{key!r} is not known", str(key), nearest(str(key), sorted(known)))
