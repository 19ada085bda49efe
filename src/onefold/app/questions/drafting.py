"""A first draft of a tracking plan, from what came in."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml
from sqlglot import exp

from onefold.app.questions.query import sql
from onefold.app.tracking_plans import Draft, check_days
from onefold.app.workspace import now_us
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.records import EVENT_TYPES
from onefold.standardize.plans import infer

_US_A_DAY = 86_400_000_000


def plan_draft(
    settings: Settings, event: str, *, kind: str = "track", source: str = "", days: int = 30
) -> Draft:
    """Draft the plan of an event from those that came in, at most 10,000; nothing is put in force."""
    check_days(days)
    if kind not in EVENT_TYPES:
        fault = Fault(f"{kind!r} is no type of event", "type", f"use {', '.join(EVENT_TYPES)}")
        raise InvalidInput("no plan can be drafted", [fault])
    column = "traits" if kind == "identify" else "properties"
    conditions = {"type": kind, **({"name": event} if kind == "track" else {})}
    conditions |= {"source": source} if source else {}
    query = exp.select(exp.column(column)).from_("events")
    for name, value in conditions.items():
        query = query.where(exp.column(name).eq(exp.Literal.string(value)))
    since = exp.func("make_timestamp", exp.Literal.number(now_us() - days * _US_A_DAY))
    query = query.where(exp.column("received_at") >= since).order_by("received_at desc")
    found = sql(settings, query.sql("duckdb"))
    values = [msgspec.json.decode(row[0] or "{}") for row in found.rows]
    if not values:
        named = f"{kind} {event!r}" if kind == "track" else kind
        raise NotFound(
            f"no {named} came in within {days} days" + (f" from {source}" * bool(source))
        )
    about = {"event": event} if kind == "track" else {"type": kind}
    definition: dict[str, Any] = {
        "kind": "tracking_plan",
        "name": event if kind == "track" else kind,
        **about,
        **({"sources": [source]} if source else {}),
        "mode": "observe",
        "schema": infer(values),
    }
    text = yaml.safe_dump(definition, allow_unicode=True, sort_keys=False)
    return Draft(len(values), definition, text)
