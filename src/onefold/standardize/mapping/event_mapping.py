"""One event of a mapping, ready to be made of many records at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from onefold.model.errors import InvalidInput
from onefold.model.mapping import EventMapping, Field, LoadedRecord, MappingDefinition
from onefold.model.records import Event
from onefold.standardize.envelopes import Call
from onefold.standardize.events import event_of
from onefold.standardize.faults import explain
from onefold.standardize.identifiers import kind_named
from onefold.standardize.mapping.columns import (
    MISSING,
    Column,
    Faults,
    Row,
    column_of,
    condition_key,
    inside,
    value_key,
)
from onefold.standardize.mapping.ending import IN_TRAITS, closed, fields_of, unseen
from onefold.standardize.mapping.money import AT, money_column
from onefold.standardize.mapping.originals import Originals, keeps_original
from onefold.standardize.mapping.sameness import content_of, named
from onefold.standardize.mapping.values import text_of
from onefold.standardize.parsing import MAX_BYTES
from onefold.standardize.rates import Rates

Expression = tuple[str, bool]
"""An expression of the rule language, and whether it is a condition."""
Ask = Callable[[tuple[Expression, ...], Sequence[Row], int], Sequence[Sequence[Any]]]
"""Gives of each row the values of expressions, as of a time (µs)."""
_encode = msgspec.json.Encoder().encode
_TOP = {"user_id": "userId", "anonymous_id": "anonymousId"}
_TIME = "time"
_ORIGINAL = 512
"""So many bytes name an original at most, beside itself."""


class _Source(NamedTuple):
    """What an event is made of: a record or one item of it, and its number among the records."""

    number: int
    record: LoadedRecord
    row: Row
    item: str = ""


class ReadyEvent:
    """What gives the events of each record that it is for."""

    def __init__(
        self,
        event: EventMapping,
        mapping: MappingDefinition,
        label: str,
        rates: Rates,
        *,
        of_files: bool = False,
    ) -> None:
        self.type = event.type
        self._event = event
        self._label = label
        self._of_files = of_files
        self._each = event.each.split(".") if event.each else []
        self._expressions = tuple(dict.fromkeys(_expressions(event)))
        self._keys = [
            condition_key(one) if is_condition else value_key(one)
            for one, is_condition in self._expressions
        ]
        kinds = {kind_named(name) or name: field for name, field in event.identifiers.items()}
        top = {_TOP[kind]: field for kind, field in kinds.items() if kind in _TOP}
        named = (("event", event.event), ("messageId", event.id), ("groupId", event.group))
        top |= {name: field for name, field in named if field is not None}
        zone, country = mapping.timezone, mapping.country
        self._top = _columns(top, "", zone, country)
        if event.time is not None:
            self._top[_TIME] = column_of(event.time, _TIME, zone, moment=True)
        rest = {kind: field for kind, field in kinds.items() if kind not in _TOP}
        self._identifiers = _columns(rest, "identifiers", zone, country)
        targets = (*event.traits.values(), *event.properties.values(), *kinds.values())
        # How large an event can be at most, so that most need not be measured.
        self._copies, self._added = sum(map(_copies, targets)) + 1, sum(map(_added, targets))
        self._traits = _Values(event.traits, "traits", mapping, rates)
        self._properties = _Values(event.properties, "properties", mapping, rates)
        self._originals = Originals(event)
        self._has_money = any(one.money for one in targets)

    def made(
        self,
        records: Sequence[LoadedRecord],
        call: Call,
        context: Mapping[str, Any],
        faults: Faults,
        ask: Ask | None,
    ) -> list[tuple[int, Event]]:
        """Each event with the number of its record; what is wrong is added to `faults`."""
        every = not self._event.streams  # then nearly no record needs a call to be asked
        wanted = [
            (number, one)
            for number, one in enumerate(records)
            if number not in faults and ((every and one.change != "delete") or self._is_for(one))
        ]
        if self._each:
            sources = [source for number, one in wanted for source in self._items(number, one)]
        else:
            sources = [_Source(number, one, fields_of(one)) for number, one in wanted]
        if sources and self._expressions:
            sources = self._ended(self._asked(sources, ask, call, faults))
        if self._has_money:
            sources = self._dated(sources, call)
        wrong: Faults = {}
        said = self._said([one.row for one in sources], wrong) if sources else []
        for at, reasons in wrong.items():
            faults.setdefault(sources[at].number, []).extend(reasons)
        found: list[tuple[int, Event]] = []
        for at, (source, fields) in enumerate(zip(sources, said, strict=True)):
            if at in wrong:
                continue
            result = self._made(source, fields, call, context)
            if isinstance(result, Event):
                found.append((source.number, result))
            else:
                faults.setdefault(source.number, []).extend(result)
        return found

    def _is_for(self, record: LoadedRecord) -> bool:
        if record.change == "delete" and self._event.delete == "ignore":
            return False
        streams = self._event.streams
        return not streams or any(fnmatchcase(record.stream, one) for one in streams)

    def _items(self, number: int, record: LoadedRecord) -> Iterator[_Source]:
        """The items of a list in the record, which also see its fields and those as `parent`."""
        fields = fields_of(record)
        items = inside(fields, self._each)
        for at, item in enumerate(items if type(items) is list else [items]):
            if type(item) is dict:
                row = {**fields, **item, "parent": fields}
                yield _Source(number, record, row, f"-{at}")

    def _asked(
        self, sources: Sequence[_Source], ask: Ask | None, call: Call, faults: Faults
    ) -> list[_Source]:
        """The same with what expressions give, where the event's own condition holds."""
        reasons = [explain("mapping", "its expressions are not asked here")]
        rows = [one.row for one in sources]
        try:
            answers = ask(self._expressions, rows, call.received_at) if ask else None
        except InvalidInput as error:
            answers, reasons = None, [str(one) for one in error.faults] or [error.message]
        if answers is None:
            for one in sources:
                faults.setdefault(one.number, list(reasons))
            return []
        found = [
            one._replace(row={**one.row, **dict(zip(self._keys, given, strict=True))})
            for one, given in zip(sources, answers, strict=True)
        ]
        when = self._event.when
        return [one for one in found if one.row[condition_key(when)] is True] if when else found

    def _ended(self, sources: list[_Source]) -> list[_Source]:
        """The same with those as deleted whose fields say so; without them where that means nothing."""
        if not self._event.deleted_when:
            return sources
        key = condition_key(self._event.deleted_when)
        if self._event.delete == "ignore":
            return [one for one in sources if one.row[key] is not True]
        return [
            one._replace(record=msgspec.structs.replace(one.record, change="delete"))
            if one.row[key] is True
            else one
            for one in sources
        ]

    def _dated(self, sources: Sequence[_Source], call: Call) -> list[_Source]:
        """The same with the time of each event: its rate is that of the day."""
        column = self._top.get(_TIME)
        rows = [one.row for one in sources]
        times: Sequence[Any] = column(rows, {}) if column else [None] * len(rows)
        return [
            one._replace(
                row={**one.row, AT: at if type(at) is int else one.record.time or call.received_at}
            )
            for one, at in zip(sources, times, strict=True)
        ]

    def _said(self, rows: Sequence[Row], wrong: Faults) -> list[dict[str, Any]]:
        """What the events say, as calls of the tracking API would."""
        traits = self._traits.of(rows, wrong)
        external = self._external(rows, traits, wrong)
        said: list[dict[str, Any]] = []
        for known, ids in zip(traits, external, strict=True):
            context: dict[str, Any] = {"externalIds": ids} if ids else {}
            if self.type in ("identify", "group"):
                said.append({"context": context, "traits": known})
                continue
            if known:
                context["traits"] = known
            said.append({"context": context})
        for name, column in self._top.items():
            for one, value in zip(said, column(rows, wrong), strict=True):
                if value is not None and value is not MISSING:
                    one[name] = value
        properties: list[dict[str, Any]] = []
        if self._properties:
            properties = self._properties.of(rows, wrong)
            for one, some in zip(said, properties, strict=True):
                one["properties"] = some
        if self._originals:
            contexts = [one["context"] for one in said]
            self._originals.add("traits", rows, traits, contexts)
            self._originals.add("properties", rows, properties, contexts)
        return said

    def _external(
        self, rows: Sequence[Row], traits: Sequence[dict[str, Any]], wrong: Faults
    ) -> list[list[dict[str, Any]]]:
        """The identifiers that have no field of their own; e-mail address and number are traits."""
        external: list[list[dict[str, Any]]] = [[] for _ in rows]
        for kind, column in self._identifiers.items():
            for at, value in enumerate(column(rows, wrong)):
                if value is None or value is MISSING:
                    continue
                if kind not in IN_TRAITS or traits[at].setdefault(kind, value) != value:
                    external[at].append({"type": kind, "id": value})
        return external

    def _made(
        self, source: _Source, fields: dict[str, Any], call: Call, context: Mapping[str, Any]
    ) -> Event | list[str]:
        record = source.record
        inner = fields["context"]
        inner.update(context)
        inner["stream"] = record.stream
        inner["place"] = record.place
        at: int | None = fields.pop(_TIME, None)
        given = fields.get("messageId")
        most = MAX_BYTES + 1
        deleted = record.change == "delete"
        forgets = deleted and self._event.delete == "forget" and self.type == "identify"
        if given is None:
            kind = self.type if forgets or not deleted else "track"
            content = content_of(record, at, context, kind)
            most = len(content) * self._copies + self._added
            told = "record-" + blake2b(content, digest_size=16).hexdigest()
        else:
            told = named(record.stream, text_of(given), of_files=self._of_files)
        fields["messageId"] = f"{told}-{self._label}{source.item}"
        if forgets:
            told_of = [*fields.get("traits", ()), *unseen(self._event, source.row)]
            fields["traits"] = dict.fromkeys(told_of)
        elif deleted:
            call = closed(fields, call)
        at = record.time if at is None else at
        event = event_of(fields, call, [], at)
        if at is None and isinstance(event, Event):
            event.time += source.number  # who stands further down in a file says it later
        if most > MAX_BYTES and isinstance(event, Event):  # what is less needs no counting
            size = len(event.properties) + len(event.context) + len(_encode(event.traits))
            if size > MAX_BYTES:
                return [explain("event", f"has {size:,} bytes, at most {MAX_BYTES:,} are taken")]
        return event


class _Values:
    """The columns of some names: of each row those that have a value, or say that there is none."""

    def __init__(
        self, fields: Mapping[str, Field], where: str, mapping: MappingDefinition, rates: Rates
    ) -> None:
        self._columns = _columns(fields, where, mapping.timezone, mapping.country)
        zone = ZoneInfo(mapping.timezone)
        for name, field in fields.items():
            if field.money:
                place = f"{where}.{name}"
                plain = self._columns[name]
                self._columns[name] = money_column(plain, field.money, place, zone, rates)
        self._clearing = {
            name for name, field in fields.items() if (field.empty or mapping.empty) == "clear"
        }

    def __bool__(self) -> bool:
        return bool(self._columns)

    def of(self, rows: Sequence[Row], faults: Faults) -> list[dict[str, Any]]:
        """The values of each row by name."""
        if not self._columns:
            return [{} for _ in rows]
        values = zip(*(column(rows, faults) for column in self._columns.values()), strict=True)
        names, clearing = list(self._columns), self._clearing
        if not clearing:
            return [
                {
                    name: value
                    for name, value in zip(names, some, strict=True)
                    if value is not None and value is not MISSING
                }
                for some in values
            ]
        return [
            {
                name: value
                for name, value in zip(names, some, strict=True)
                if value is not MISSING and (value is not None or name in clearing)
            }
            for some in values
        ]


def _copies(field: Field) -> int:
    """How many times as large as its record a value may be, at most; with what it was before."""
    return 2 * max(1, len(field.join)) + 2 * keeps_original(field)


def _added(field: Field) -> int:
    """How many bytes a value may have that do not come from its record."""
    if field.sql:
        return MAX_BYTES
    given = (field.constant, field.default, field.otherwise, *field.lookup.values())
    beside = _ORIGINAL if keeps_original(field) else 0
    return (
        beside
        + max(len(_encode(one)) for one in given)
        + len(field.between.encode()) * len(field.join)
    )


def _columns(
    fields: Mapping[str, Field], where: str, zone: str, country: str | None
) -> dict[str, Column]:
    prefix = f"{where}." if where else ""
    return {name: column_of(field, prefix + name, zone, country) for name, field in fields.items()}


def expressions_of(mapping: MappingDefinition) -> Iterator[tuple[str, Expression]]:
    """All expressions of a mapping, each with where it stands."""
    several = len(mapping.events) > 1
    for number, event in enumerate(mapping.events):
        prefix = f"events[{number}]." if several else ""
        for name, condition in _conditions(event):
            yield f"{prefix}{name}", (condition, True)
        for name, field in _fields(event):
            if field.sql:
                yield f"{prefix}{name}.sql", (field.sql, False)
            if field.when:
                yield f"{prefix}{name}.when", (field.when, True)


def _expressions(event: EventMapping) -> Iterator[Expression]:
    for _, condition in _conditions(event):
        yield condition, True
    for _, field in _fields(event):
        if field.sql:
            yield field.sql, False
        if field.when:
            yield field.when, True


def _conditions(event: EventMapping) -> Iterator[tuple[str, str]]:
    """What is asked of a whole record, by its name."""
    named = (("when", event.when), ("deleted_when", event.deleted_when))
    yield from (one for one in named if one[1])


def _fields(event: EventMapping) -> Iterator[tuple[str, Field]]:
    single = (
        ("event", event.event),
        ("id", event.id),
        ("time", event.time),
        ("group", event.group),
    )
    yield from ((name, field) for name, field in single if field is not None)
    for where, fields in (
        ("identifiers", event.identifiers),
        ("traits", event.traits),
        ("properties", event.properties),
    ):
        yield from ((f"{where}.{name}", field) for name, field in fields.items())
