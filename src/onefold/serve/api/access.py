"""Sources with their write keys, API keys, and the audit log of all changes."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, RawBody

from onefold.app.access import (
    KeyRow,
    NewKey,
    NewSource,
    SourceRow,
    key_add,
    key_list,
    key_revoke,
    source_add,
    source_enable,
    source_list,
)
from onefold.model.access import Role
from onefold.serve.api.doors import (
    Actor,
    Cursor,
    FromContext,
    Limit,
    decoded,
    number,
    read,
    requires,
)


class SourceWanted(msgspec.Struct, forbid_unknown_fields=True):
    """A source to be added.

    `country` (two letters) reads phone numbers without a country code. `ip` says whether the
    caller's address goes with its events (`direct`) or not (`none`). Over `events_per_second` its
    calls wait for their turn, then are answered with 429; null is without limit.
    """

    name: str
    kind: str = "http"
    country: str | None = None
    ip: Literal["direct", "none"] = "direct"
    events_per_second: int | None = None


class KeyWanted(msgspec.Struct, forbid_unknown_fields=True):
    """An API key to be added."""

    name: str
    role: Role


class AuditRow(msgspec.Struct, frozen=True):
    """One change: when (µs), by which key, what was done to what."""

    id: int
    at: int
    actor: Actor
    action: str
    target: str
    detail: dict[str, object]


class AuditPage(msgspec.Struct, frozen=True):
    """Changes, newest first; `next` is the cursor of the page behind, null on the last."""

    items: list[AuditRow]
    next: str | None


@get("/sources", summary="All sources", guards=[requires("reader")])
async def sources(context: FromContext) -> list[SourceRow]:
    """All sources, by name."""
    return await context.commands.run(source_list, context.settings)


@post("/sources", summary="Add a source", guards=[requires("admin")], opt={"body": SourceWanted})
async def add_source(context: FromContext, actor: Actor, body: RawBody) -> NewSource:
    """Add a source. Its write key is shown now and never again."""
    wanted = read(body, SourceWanted)
    return await context.commands.run(
        source_add,
        context.settings,
        wanted.name,
        wanted.kind,
        default_country=wanted.country,
        ip=wanted.ip,
        events_per_second=wanted.events_per_second,
        actor=actor,
    )


@post(
    "/sources/{name:str}/disable",
    summary="Stop a source",
    status_code=200,
    guards=[requires("admin")],
)
async def disable_source(context: FromContext, actor: Actor, name: FromPath[str]) -> SourceRow:
    """Stop a source: within a second its calls are answered with 401."""
    return await context.commands.run(
        source_enable, context.settings, decoded(name, "name"), enabled=False, actor=actor
    )


@post(
    "/sources/{name:str}/enable",
    summary="Let a source send again",
    status_code=200,
    guards=[requires("admin")],
)
async def enable_source(context: FromContext, actor: Actor, name: FromPath[str]) -> SourceRow:
    """Let a source send again, with the same write key."""
    return await context.commands.run(
        source_enable, context.settings, decoded(name, "name"), enabled=True, actor=actor
    )


@get("/keys", summary="All API keys", guards=[requires("admin")])
async def keys(context: FromContext) -> list[KeyRow]:
    """All API keys by name, revoked ones too."""
    return await context.commands.run(key_list, context.settings)


@post("/keys", summary="Add an API key", guards=[requires("admin")], opt={"body": KeyWanted})
async def add_key(context: FromContext, actor: Actor, body: RawBody) -> NewKey:
    """Add an API key. It is shown now and never again."""
    wanted = read(body, KeyWanted)
    return await context.commands.run(
        key_add, context.settings, wanted.name, wanted.role, actor=actor
    )


@post(
    "/keys/{name:str}/revoke",
    summary="Revoke an API key",
    status_code=200,
    guards=[requires("admin")],
)
async def revoke_key(context: FromContext, actor: Actor, name: FromPath[str]) -> KeyRow:
    """Revoke an API key: it is refused within a second."""
    return await context.commands.run(
        key_revoke, context.settings, decoded(name, "name"), actor=actor
    )


@get("/audit", summary="All changes", guards=[requires("admin")])
async def audit(
    context: FromContext,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> AuditPage:
    """Who changed what, newest first."""
    before = number(cursor) or 1 << 62
    found = context.store.registry.audit_entries(before, limit)
    items = [AuditRow(*entry) for entry in found]
    return AuditPage(items, str(items[-1].id) if len(items) == limit else None)


ACCESS = Router(
    "/api",
    route_handlers=[
        sources,
        add_source,
        disable_source,
        enable_source,
        keys,
        add_key,
        revoke_key,
        audit,
    ],
    tags=["access"],
)
