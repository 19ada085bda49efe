"""Which definitions mean something else than before, and whose stored values are not what they say."""

from __future__ import annotations

from collections.abc import Mapping

from onefold.segment.fields import path_sql
from onefold.segment.metric import Type, short_id
from onefold.segment.parts import upward
from onefold.segment.plan import Key, Output, Plan

_STORED: Mapping[Type, tuple[str, str, str]] = {
    "number": ("NOT IN ('VARCHAR', 'BOOLEAN', 'OBJECT', 'ARRAY')", "try_cast({} AS DOUBLE)", "{}"),
    "boolean": ("= 'BOOLEAN'", "{}", "CASE WHEN {} THEN 'true' ELSE 'false' END"),
    "text": ("= 'VARCHAR'", "{}", "{}"),
}


def digests(plan: Plan, timezone: str) -> dict[Key, str]:
    """What each output means, with all that it refers to: the same digest, the same values."""
    found: dict[Key, str] = {}
    for one in upward(plan.outputs):
        metrics = [metric.id for metric in one.metrics]
        used = [found[key] for key in one.uses]
        meaning = (one.kind, one.type, one.expression, one.columns, metrics, used)
        found[one.key] = short_id(timezone, *meaning)
    return found


def differs_sql(output: Output, values: str) -> str:
    """Write whether a computed value is another one than that stored in the JSON `values`.

    Values of which that is not easily said differ wherever there are any.
    """
    stored = f"json_type({values}, {path_sql((output.name,))})"
    kind, read, computed = _STORED.get(output.type, ("IS NULL", "{}", "{}"))
    text = f"json_extract_string({values}, {path_sql((output.name,))})"
    return (
        f"CASE WHEN {stored} IS NULL OR {output.column} IS NULL"
        f" THEN {stored} IS NOT NULL OR {output.column} IS NOT NULL"
        f" WHEN {stored} {kind} THEN {read.format(text)} IS DISTINCT FROM"
        f" {computed.format(output.column)} ELSE TRUE END"
    )


def stored_sql(name: str, values: str) -> str:
    """Write whether there is a value of a name in the JSON `values`."""
    return f"json_type({values}, {path_sql((name,))}) IS NOT NULL"
