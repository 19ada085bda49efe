"""Records of the log to events, by the mappings that are in force."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from onefold.model.mapping import (
    FILE_TYPES,
    RECORDS,
    UNREADABLE,
    Loaded,
    LoadedRecord,
    LoadedUnreadable,
    MappingDefinition,
    Marker,
    SourceDefinition,
)
from onefold.model.records import Accepted, Event, Reject
from onefold.standardize.envelopes import Call
from onefold.standardize.faults import explain
from onefold.standardize.mapping.columns import Faults
from onefold.standardize.mapping.event_mapping import Ask, ReadyEvent
from onefold.standardize.parsing import clean_value, has_odd_values, is_deep, too_deep
from onefold.standardize.rates import Rates

NO_RATES = Rates()
_MESSAGE = re.compile("msg_[0-9a-f]{32}")
"""The `webhook-id` of what Onefold sends."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Loaded).decode


class Mapped(msgspec.Struct):
    """What came of a call that holds records: events, each with the number of its record, and rejects."""

    accepted: Accepted
    loaded: Loaded
    events: list[tuple[int, Event]]
    rejects: list[Reject]

    def reject(self, number: int, reasons: Sequence[str]) -> Reject:
        """A record as a reject that can be replayed: a body with it alone."""
        raw = _encode(Loaded([self.loaded.records[number]], self.loaded.load, self.loaded.mapping))
        accepted = self.accepted
        at, load = accepted.received_at, self.loaded.load
        return Reject(accepted.source, at, RECORDS, raw, tuple(reasons), load)


class Mappings:
    """What turns records into events: the mappings in force, and which source has which."""

    def __init__(
        self,
        mappings: Iterable[MappingDefinition] = (),
        sources: Iterable[SourceDefinition] = (),
        ask: Ask | None = None,
        rates: Rates = NO_RATES,
    ) -> None:
        self._ask = ask
        self._rates = rates
        self._definitions = {one.name: one for one in mappings}
        sources = tuple(sources)
        self._of_source = {one.name: one.mapping for one in sources}
        self._files = {one.name for one in sources if one.type in FILE_TYPES}
        self._made: dict[tuple[str, str, str | None], _Ready | None] = {}
        self._markers = {one.name: one.echo.marker for one in sources if one.echo}
        self._marked = 0

    def echoes(self) -> int:
        """How many records were left out since this was last asked, as marked to be of our making."""
        marked, self._marked = self._marked, 0
        return marked

    def read(self, accepted: Accepted, country: str | None) -> Mapped:
        """The events of a call that holds records, and each record of which nothing could come."""
        try:
            loaded = _decode(accepted.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return Mapped(accepted, Loaded([]), [], [_whole(accepted, str(error))])
        mapped = Mapped(
            accepted,
            loaded,
            [],
            [_unreadable(accepted, one, loaded.load) for one in loaded.unreadable],
        )
        if marker := self._markers.get(accepted.source):
            left = [one for one in loaded.records if not _is_marked(one, marker)]
            self._marked += len(loaded.records) - len(left)
            loaded.records = left
        if not loaded.records:
            return mapped
        ready = self._ready(accepted.source, loaded.mapping, country)
        faults: Faults = {}
        if ready is None:
            reason = _no_mapping(accepted.source, loaded.mapping)
            faults = {number: [reason] for number in range(len(loaded.records))}
        else:
            _clean(accepted.body, loaded.records, faults)
            mapped.events = ready.events(accepted, loaded, faults, self._ask)
        if faults:
            mapped.events = [one for one in mapped.events if one[0] not in faults]
            mapped.rejects += [mapped.reject(*one) for one in sorted(faults.items())]
        return mapped

    def _ready(self, source: str, name: str, country: str | None) -> _Ready | None:
        key = source, name, country
        if key not in self._made:
            mapping = name or self._of_source.get(source)
            found = self._definitions.get(mapping) if isinstance(mapping, str) else mapping
            of_files = source in self._files
            ready = (
                None if found is None else _Ready(found, country, self._rates, of_files=of_files)
            )
            self._made[key] = ready
        return self._made[key]


class _Ready:
    """One mapping, ready to be used for a source of a country."""

    def __init__(
        self, mapping: MappingDefinition, country: str | None, rates: Rates, *, of_files: bool
    ) -> None:
        mapping = msgspec.structs.replace(mapping, country=mapping.country or country)
        self._country = mapping.country
        self._told = {"mapping": mapping.name, "mapping_version": mapping.version}
        labels: Counter[str] = Counter()
        self._events = []
        for one in mapping.events:
            label = str(one.event.constant if one.event and one.event.constant else one.type)
            labels[label] += 1
            label = label if labels[label] == 1 else f"{label}-{labels[label]}"
            self._events.append(ReadyEvent(one, mapping, label, rates, of_files=of_files))

    def events(
        self,
        accepted: Accepted,
        loaded: Loaded,
        faults: Faults,
        ask: Ask | None,
    ) -> list[tuple[int, Event]]:
        """All events of these records; what is wrong with one is added to `faults`."""
        found: list[tuple[int, Event]] = []
        context = {**({"load": loaded.load} if loaded.load else {}), **self._told}
        for event in self._events:
            call = Call(accepted.source, accepted.received_at, event.type, None, self._country)
            found += event.made(loaded.records, call, context, faults, ask)
        return found


def _clean(body: bytes, records: Sequence[LoadedRecord], faults: Faults) -> None:
    """Take out of the records what no column can hold, where the body shows that there may be such."""
    if is_deep(body, len(records)):
        for number, one in enumerate(records):
            if reason := too_deep(one.fields):
                faults[number] = [reason]
    if has_odd_values(body):
        for number, one in enumerate(records):
            if number not in faults:
                one.fields = clean_value(one.fields)


def _is_marked(record: LoadedRecord, marker: Marker) -> bool:
    """Does a field say that this is what Onefold wrote?"""
    value: Any = record.fields
    for step in marker.field.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if marker.value is None:
        return isinstance(value, str) and _MESSAGE.fullmatch(value) is not None
    return bool(value == marker.value)


def _no_mapping(source: str, name: str) -> str:
    if name:
        return explain("mapping", f"there is no mapping {name!r}", "define it, then replay this")
    problem = f"the source {source!r} has no mapping"
    return explain("mapping", problem, "give its definition one, then replay this")


def _unreadable(accepted: Accepted, one: LoadedUnreadable, load: str) -> Reject:
    place = " ".join(part for part in (one.stream, one.place) if part)
    reasons = tuple(explain(place, why) for why in one.reasons)
    return Reject(accepted.source, accepted.received_at, UNREADABLE, one.raw, reasons, load)


def _whole(accepted: Accepted, problem: str) -> Reject:
    """A body that holds no records: kept as it is."""
    hint = 'give {"records": [{"fields": {…}}]}'
    reason = explain("records", f"cannot be read: {problem}", hint)
    return Reject(accepted.source, accepted.received_at, accepted.kind, accepted.body, (reason,))
