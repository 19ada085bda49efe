"""What a load says afterwards: how much of what came, and how it differs from the time before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec

from onefold.model.pulled import Batch, Record

_MOST_STREAMS = 200
_MOST_FIELDS = 1_000
_MOST_REASONS = 50
_MOST_TEXT = 200


class StreamReport(msgspec.Struct):
    """What came of one stream: how many records, first and last place, and which fields they have."""

    rows: int = 0
    first: str = ""
    last: str = ""
    fields: list[str] = []


class Report(msgspec.Struct):
    """What a load brought, as it is kept with it.

    `changes` counts records by what happened to them, `reasons` why something was no record.
    `new_fields` and `missing_fields` (`stream.field`) are those that the load before did not have, or
    had: the system has changed. `waited` are seconds in which the pipeline was behind.
    """

    streams: dict[str, StreamReport] = {}
    changes: dict[str, int] = {}
    reasons: dict[str, int] = {}
    new_fields: list[str] = []
    missing_fields: list[str] = []
    waited: float = 0.0


class Reporter:
    """Makes the report of a load, batch by batch."""

    def __init__(self, begun: dict[str, Any], before: dict[str, Any]) -> None:
        self.report = msgspec.convert(begun, Report)
        self._before = msgspec.convert(before, Report).streams
        self._fields = {name: set(one.fields) for name, one in self.report.streams.items()}
        self._changes = Counter(self.report.changes)
        self._reasons = Counter(self.report.reasons)

    def add(self, batch: Batch) -> None:
        """Take a batch into account."""
        self._changes.update([one.change for one in batch.records])
        for name, some in groupby(batch.records, attrgetter("stream")):
            self._add(name, list(some))
        for one in batch.unreadable:
            for reason in one.reasons:
                if reason[:_MOST_TEXT] in self._reasons or len(self._reasons) < _MOST_REASONS:
                    self._reasons[reason[:_MOST_TEXT]] += 1

    def _add(self, name: str, records: Sequence[Record]) -> None:
        """Take records of one stream into account, in their order."""
        stream = self.report.streams.get(name)
        if stream is None:
            if len(self.report.streams) >= _MOST_STREAMS:
                return
            stream = self.report.streams[name] = StreamReport(first=records[0].place)
            self._fields[name] = set()
        stream.rows += len(records)
        stream.last = records[-1].place
        fields = self._fields[name]
        for record in records:
            if len(fields) < _MOST_FIELDS and not fields.issuperset(record.fields):
                fields.update(map(str, record.fields))

    def told(self) -> dict[str, Any]:
        """The report so far, as it is stored."""
        report = self.report
        report.changes, report.reasons = dict(self._changes), dict(self._reasons)
        for name, fields in self._fields.items():
            report.streams[name].fields = sorted(fields)[:_MOST_FIELDS]
        report.new_fields, report.missing_fields = [], []
        for name, stream in report.streams.items():
            if name in self._before:
                old, new = set(self._before[name].fields), set(stream.fields)
                report.new_fields += [f"{name}.{field}" for field in sorted(new - old)]
                report.missing_fields += [f"{name}.{field}" for field in sorted(old - new)]
        told: dict[str, Any] = msgspec.to_builtins(report)
        return told
