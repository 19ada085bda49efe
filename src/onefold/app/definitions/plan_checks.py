"""What a tracking plan may say: every fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from onefold.model.errors import Fault
from onefold.model.plans import Mode
from onefold.model.records import EVENT_TYPES
from onefold.standardize.plans import schema_faults

KEYS = {"schema", "type", "event", "sources", "mode", "samples"}
_MOST_SAMPLES = 1_000
Body = dict[str, Any]


def plan_faults(body: Body) -> Iterator[Fault]:
    """All faults of a tracking plan, but for keys that are not known."""
    yield from _about_faults(body)
    sources = body.get("sources", [])
    if not isinstance(sources, list) or not all(isinstance(one, str) for one in sources):
        yield Fault("must be a list of the ids of sources", "sources", "leave it out for all")
    if body.get("mode", "observe") not in get_args(Mode):
        yield Fault(f"{body['mode']!r} is not known", "mode", f"use {', '.join(get_args(Mode))}")
    if "schema" not in body:
        yield Fault("has no schema", "schema", "write `schema:` with a JSON Schema")
    else:
        yield from schema_faults(body["schema"])
    yield from _sample_faults(body.get("samples", []))


def _about_faults(body: Body) -> Iterator[Fault]:
    """Which events it is about: a `track` by its name, all others by their type."""
    kind, event = body.get("type", "track"), body.get("event", "")
    if kind not in EVENT_TYPES:
        yield Fault(f"{kind!r} is no type of event", "type", f"use {', '.join(EVENT_TYPES)}")
    elif kind != "track" and event:
        yield Fault(f"{kind} events have no names", "event", "leave it out")
    elif kind == "track" and not (isinstance(event, str) and event.strip()):
        yield Fault("has no event", "event", "write `event:` with its name, or `type: identify`")


def _sample_faults(samples: object) -> Iterator[Fault]:
    if not isinstance(samples, list) or len(samples) > _MOST_SAMPLES:
        yield Fault(f"must be a list of at most {_MOST_SAMPLES:,} events", "samples")
        return
    for number, one in enumerate(samples):
        where = f"samples[{number}]"
        if not isinstance(one, dict) or not isinstance(one.get("event"), dict):
            hint = "write `event:` as it would be sent, and `faults:` with fields"
            yield Fault("must have an event", where, hint)
            continue
        faults = one.get("faults", [])
        if not isinstance(faults, list) or not all(isinstance(field, str) for field in faults):
            yield Fault("must be a list of fields", f"{where}.faults")
        for key in one.keys() - {"event", "faults"}:
            yield Fault(f"{key!r} is not known", where, "known are event, faults")
