"""Sample events against tracking plans, without a server: what a build checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from onefold.app.definitions.case_files import NOON
from onefold.app.definitions.files import Written
from onefold.model.errors import InvalidInput
from onefold.model.plans import TrackingPlan
from onefold.model.records import Accepted, Event, Reject
from onefold.standardize import Plans, standardize

_SOURCE = "test"
_MOST_BYTES = 256 << 20


class Checked(NamedTuple):
    """One event that was held against plans: what it is, where it stands, what is wrong."""

    name: str
    where: str
    problems: tuple[str, ...]


def check_samples(written: Sequence[Written]) -> Iterator[Checked]:
    """Each sample of a plan: does the plan complain of exactly the fields that the sample names?"""
    for one in written:
        if one.kind != "tracking_plan":
            continue
        plan = msgspec.convert({**one.body, "name": one.name}, TrackingPlan)
        plans = Plans([plan])
        for number, sample in enumerate(plan.samples, 1):
            event = {"type": plan.type, "userId": "sample", **sample.event}
            if plan.type == "track":
                event.setdefault("event", plan.event)
            found = _read(event)
            problems = _difference(plans, found, sample.faults)
            yield Checked(f"{one.name}, sample {number}", one.place("samples"), tuple(problems))


def check_file(written: Sequence[Written], path: Path, source: str) -> Iterator[Checked]:
    """Each event of a file of JSON lines: does it obey the plans there are for it?

    Without a source, it is held against the plans of all of them.
    """
    plans = Plans(
        msgspec.convert({**one.body, "name": one.name}, TrackingPlan)
        for one in written
        if one.kind == "tracking_plan"
    )
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        kind = "batch" if line.lstrip().startswith(b"[") or b'"batch"' in line else "event"
        events, rejects = standardize([Accepted(source or _SOURCE, NOON, kind, line)], {})
        where = f"{path.name}:{number}"
        for event in events:
            told = plans.faults(event, any_source=not source)
            yield Checked(event.name, where, tuple(reason for _, reason in told))
        for reject in rejects:
            yield Checked("not an event", where, reject.reasons)


def _lines(path: Path) -> list[bytes]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidInput(f"{path} is larger than {_MOST_BYTES >> 20} MB")
        return path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error


def _read(event: dict[str, Any]) -> Event | Reject:
    body = msgspec.json.encode(event)
    events, rejects = standardize([Accepted(_SOURCE, NOON, "event", body)], {})
    return events[0] if events else rejects[0]


def _difference(plans: Plans, found: Event | Reject, wanted: Sequence[str]) -> Iterator[str]:
    if isinstance(found, Reject):
        yield from (f"not an event: {reason}" for reason in found.reasons)
        return
    told = plans.faults(found, any_source=True)
    fields = {field for field, _ in told}
    for field, reason in told:
        if field not in wanted:
            yield reason
    for field in wanted:
        if field not in fields:
            yield f"{field}: should be wrong, and is not"
