"""What definitions of sources and mappings may say: every fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from onefold.app.pushing import TYPES, pushing_faults
from onefold.app.syncs.opening import is_pulled, pulling_faults
from onefold.model.conversion import converted
from onefold.model.errors import Fault, InvalidInput
from onefold.model.given import INTERNAL
from onefold.model.mapping import Echo
from onefold.segment.of_records import expressions_plan
from onefold.standardize.mapping import Schema, expressions_of, read_mapping
from onefold.standardize.mapping.canonical import CANONICAL

Body = dict[str, Any]
_LONGEST_ECHO_US = 31 * 86_400_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,39}")


def source_name_fault(name: str) -> Fault | None:
    """What is wrong with the name of a source: it stands in addresses and with every event."""
    if _NAME.fullmatch(name) and name != INTERNAL:
        return None
    hint = "use up to 63 letters, digits and . _ -, beginning with a letter or digit"
    return Fault(f"a source cannot be called {name!r}", "name", hint)


def mapping_faults(body: Body, schema: Schema = CANONICAL) -> Iterator[Fault]:
    """All faults of a mapping to the entities of a schema."""
    faults: list[Fault] = []
    found = read_mapping("mapping", body, faults, schema=schema)
    yield from faults
    for where, expression in expressions_of(found) if found else ():
        yield from _expression_faults(where, expression)


def _expression_faults(where: str, expression: tuple[str, bool]) -> Iterator[Fault]:
    """What is wrong with an expression over the fields of a record."""
    plan = expressions_plan([expression])
    for error in plan.refused.values():
        for one in error.faults or (Fault(error.message),):
            yield Fault(one.message, f"{where} {one.where}".strip(), one.hint)
    if plan.metrics:
        hint = "ask for the fields of the record alone"
        yield Fault("a record has no events", where, hint)


def source_faults(body: Body, schema: Schema = CANONICAL) -> Iterator[Fault]:
    """What is wrong with a source, as far as can be seen without the system that it names."""
    kind = body.get("type")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        hint = "write `type:` with what it is read from, such as csv, sql or webhook"
        yield Fault(f"type {kind!r} is not known", "type", hint)
    if not isinstance(body.get("settings", {}), dict):
        yield Fault("must be names with values", "settings")
    if not isinstance(body.get("enabled", True), bool):
        yield Fault("must be true or false", "enabled")
    country = body.get("country")
    if country is not None and not (isinstance(country, str) and re.fullmatch("[A-Z]{2}", country)):
        yield Fault(f"{country!r} is no country", "country", "use two capital letters such as CN")
    if isinstance(kind, str) and is_pulled(kind) and isinstance(body.get("settings"), dict):
        yield from pulling_faults(kind, body)
    if kind in TYPES and isinstance(body.get("settings", {}), dict):
        yield from pushing_faults(kind, body)
    yield from _echo_faults(body.get("echo"))
    mapping = body.get("mapping")
    if isinstance(mapping, dict):
        for fault in mapping_faults(mapping, schema):
            place = f"mapping.{fault.where}" if fault.where else "mapping"
            yield Fault(fault.message, place, fault.hint)
    elif mapping is not None and not isinstance(mapping, str):
        yield Fault("must name a mapping, or be one", "mapping")


def _echo_faults(given: Any) -> Iterator[Fault]:
    """What is wrong with how a source's echoes are known."""
    if given is None:
        return
    try:
        echo = converted(given, Echo, "it", "echo")
    except InvalidInput as error:
        hint = "write `echo: {of: [destination]}`"
        yield from (msgspec.structs.replace(one, hint=one.hint or hint) for one in error.faults)
        return
    if not echo.of and echo.marker is None:
        yield Fault("says nothing", "echo", "name destinations (`of`), a `marker`, or both")
    try:
        known = 0 < echo.window_us <= _LONGEST_ECHO_US
    except ValueError:
        known = False
    if not known:
        yield Fault(f"{echo.window!r} is none", "echo.window", "write up to 31d, such as 7d")
