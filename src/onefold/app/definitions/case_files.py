"""Tests of definitions as they are written: beside the definition, or in files of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from onefold.app.definitions.dependencies import Key
from onefold.app.definitions.files import TESTS, composed, trap
from onefold.model.errors import Fault
from onefold.model.moments import read_iso

NOON = 1_768_478_400_000_000
"""When a case takes place that does not say so: 2026-01-15 at noon UTC."""
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_SPAN = re.compile(r"(\d{1,9}) (second|minute|hour|day|week)s?")
_CASE = {"name", "at", "given", "expect", "later"}
_BESIDE = {"ago", "at", "times"}
_MOST_TIMES = 10_000
_PLURALS = {"segments": "segment", "traits": "trait", "tags": "tag"}
Expected = dict[Key, Any]


class Check(NamedTuple):
    """What must hold at a time: of a segment its members, of a trait or tag the value of people."""

    at: int
    expected: Expected


class Case(NamedTuple):
    """One test: events by person, in the notation of the tracking API, and what must come of them."""

    name: str
    where: str
    at: int
    given: dict[str, list[dict[str, Any]]]
    checks: list[Check]


class Cases(NamedTuple):
    """What was read: the cases, and what is wrong with how they are written."""

    found: list[Case]
    faults: list[Fault]


def read_cases(directory: Path) -> Cases:
    """All tests in the YAML files of a directory and below."""
    cases = Cases([], [])
    for path in sorted([*directory.rglob("*.yaml"), *directory.rglob("*.yml")]):
        where = path.relative_to(directory).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
            if fault := trap(text, where):
                cases.faults.append(fault)
                continue
            for node, value in composed(text):
                if isinstance(node, yaml.MappingNode):
                    _read_document(value, node, where, path.name.endswith(TESTS), cases)
        except UnicodeDecodeError as error:
            cases.faults.append(Fault(f"is not UTF-8: {error.reason}", where))
        except yaml.YAMLError as error:
            if path.name.endswith(TESTS):  # that of definitions is told with them
                cases.faults.append(Fault(f"is not YAML: {' '.join(str(error).split())}", where))
    return cases


def _read_document(
    value: dict[str, Any], node: yaml.MappingNode, where: str, apart: bool, cases: Cases
) -> None:
    own = None if apart else (str(value.get("kind")), str(value.get("name")))
    for key, inner in node.value:
        if key.value != "tests":
            if apart:
                place = f"{where}:{key.start_mark.line + 1}"
                cases.faults.append(Fault(f"{key.value!r} is not known", place, "write `tests:`"))
            continue
        items = inner.value if isinstance(inner, yaml.SequenceNode) else []
        if not items:
            place = f"{where}:{key.start_mark.line + 1}"
            cases.faults.append(Fault("must be a list of cases", place))
        for item, case in zip(items, value["tests"] if items else [], strict=True):
            place = f"{where}:{item.start_mark.line + 1}"
            reading = _Reading(place, own)
            found = reading.case(case)
            cases.faults.extend(reading.faults)
            if not reading.faults:
                cases.found.append(found)


class _Reading:
    """Reads one case, and notes what is wrong with it."""

    def __init__(self, where: str, own: Key | None) -> None:
        self.where = where
        self.faults: list[Fault] = []
        self._own = own

    def fault(self, message: str, part: str, hint: str = "") -> None:
        self.faults.append(Fault(message, f"{self.where}: {part}", hint))

    def case(self, value: object) -> Case:
        case = value if isinstance(value, dict) else {}
        for key in case.keys() - _CASE:
            self.fault(f"{key!r} is not known", "case", f"known are {', '.join(sorted(_CASE))}")
        if "expect" not in case and "later" not in case:
            self.fault("expects nothing", "case", "write `expect:`")
        at = self._time(case.get("at"), "at")
        given = case.get("given")
        if not isinstance(given, dict) or not given:
            self.fault(
                "must name people with their events", "given", "for example {ann: [Visited]}"
            )
            given = {}
        people = {
            str(who): list(self._events(events, at, str(who))) for who, events in given.items()
        }
        checks = []
        if "expect" in case:
            checks.append(Check(at, self._expected(case["expect"], people)))
        for step in case["later"] if isinstance(case.get("later"), list) else []:
            after = self._span(step.get("after"), "later") if isinstance(step, dict) else 0
            expect = step.get("expect") if isinstance(step, dict) else None
            checks.append(Check(at + after, self._expected(expect, people)))
        return Case(str(case.get("name") or "unnamed"), self.where, at, people, checks)

    def _events(self, events: object, at: int, who: str) -> Iterator[dict[str, Any]]:
        for event in events if isinstance(events, list) else [events]:
            times = event.get("times", 1) if isinstance(event, dict) else 1
            if not isinstance(times, int) or not 0 < times <= _MOST_TIMES:
                self.fault(f"times must be 1 to {_MOST_TIMES:,}", who)
                times = 0
            for _ in range(times):
                yield self._event(event, at, who)

    def _event(self, event: object, at: int, who: str) -> dict[str, Any]:
        """One event as the tracking API takes it."""
        if isinstance(event, str):
            return self._told({"type": "track", "event": event}, at, who)
        if not isinstance(event, dict):
            self.fault("must be an event", who, "write its name, or `traits: {…}`")
            return {}
        when = self._when(event, at, who)
        if "type" in event:
            return self._told({k: v for k, v in event.items() if k not in _BESIDE}, when, who)
        said = {key: value for key, value in event.items() if key not in _BESIDE}
        if len(said) != 1:
            self.fault("must be one event", who, "begin each with a dash of its own")
            return {}
        ((name, about),) = said.items()
        if name == "traits":
            return self._told({"type": "identify", "traits": about}, when, who)
        if isinstance(about, str):
            when = self._ago_or_time(about, at, who)
            about = None
        if about is not None and not isinstance(about, dict):
            self.fault(f"{name}: must have properties, or a time such as `3 days ago`", who)
        elif about and _SPAN.fullmatch(str(about.get("ago"))):
            hint = f"write `{{{name}: {{…}}, ago: {about['ago']}}}`"
            self.fault(f"{name}: ago stands beside the event, not among its properties", who, hint)
        return self._told({"type": "track", "event": name, "properties": about or {}}, when, who)

    def _told(self, event: dict[str, Any], when: int, who: str) -> dict[str, Any]:
        said = msgspec.json.decode(msgspec.json.encode(event))
        if not said.keys() & {"userId", "anonymousId"}:
            said["userId"] = who
        return {"timestamp": _iso(when), **said}

    def _when(self, event: dict[str, Any], at: int, who: str) -> int:
        if "ago" in event:
            return at - self._span(event["ago"], who)
        return self._time(event["at"], who) if "at" in event else at

    def _ago_or_time(self, text: str, at: int, who: str) -> int:
        if text.endswith(" ago"):
            return at - self._span(text.removesuffix(" ago"), who)
        return self._time(text, who)

    def _span(self, value: object, part: str) -> int:
        found = _SPAN.fullmatch(str(value).strip())
        if not found:
            self.fault(f"{value!r} is no length of time", part, "write for example 3 days")
            return 0
        return int(found[1]) * _UNITS[found[2]] * 1_000_000

    def _time(self, value: object, part: str) -> int:
        if value is None:
            return NOON
        found = read_iso(str(value))
        if found is None:
            self.fault(f"{value!r} is no time", part, "write for example 2026-01-31T10:00Z")
            return NOON
        return found

    def _expected(self, value: object, people: dict[str, Any]) -> Expected:
        """By definition: the members of a segment, or the value of each person."""
        if self._own is not None:
            by_key: Expected = {self._own: value}
        elif isinstance(value, dict) and value and value.keys() <= _PLURALS.keys():
            by_key = {
                (_PLURALS[plural], str(name)): wanted
                for plural, named in value.items()
                for name, wanted in (named if isinstance(named, dict) else {"": named}).items()
            }
        else:
            self.fault("must say segments, traits or tags", "expect", "each by its name")
            return {}
        for (kind, name), wanted in by_key.items():
            fits = isinstance(wanted, list if kind == "segment" else dict)
            if not fits or not name:
                hint = "[ann]: who is in" if kind == "segment" else "{ann: 3}: the value of each"
                self.fault(f"must say what is expected of {kind} {name}", "expect", hint)
                continue
            for who in wanted:
                if str(who) not in people:
                    self.fault(f"nobody called {who!r} is given", "expect")
        return by_key


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).isoformat()
