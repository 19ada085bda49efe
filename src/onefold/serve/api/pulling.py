"""Pulled sources, their loads, and secrets."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, delete, get, post, put
from litestar.params import FromPath, FromQuery, PathParameter, QueryParameter, RawBody

from onefold.app.imports.rehearsed import Rehearsed
from onefold.app.secret_values import SecretRow, secret_list, secret_remove, secret_set
from onefold.app.syncs.services import (
    LoadRow,
    LoadShown,
    PulledSourceRow,
    load_cancel,
    load_list,
    load_show,
    source_ask,
    source_pause,
    source_reset,
    source_states,
)
from onefold.serve import questions
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

_DELIVERY = {"application/octet-stream": {"type": "string", "format": "binary"}}
Sample = Annotated[int, QueryParameter(ge=1, le=10_000, description="So many rows at most.")]
LoadId = Annotated[int, PathParameter(ge=1, le=1 << 62)]
_READER, _EDITOR, _ADMIN = [requires("reader")], [requires("editor")], [requires("admin")]


class LoadPage(msgspec.Struct, frozen=True):
    """Loads, newest first; `next` is the cursor of the page behind, null on the last."""

    items: list[LoadRow]
    next: str | None


class SecretWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The value of a secret; no answer ever gives it back."""

    value: str


@get("/status", summary="What pulled sources are doing", guards=_READER)
async def pulled(context: FromContext) -> list[PulledSourceRow]:
    """All pulled sources, by name: what each is doing, when it ran, when it runs next, what fails."""
    return await context.commands.run(source_states, context.settings)


@post("/{name:str}/run", summary="Read a source now", status_code=202, guards=_EDITOR)
async def run_source(context: FromContext, actor: Actor, name: FromPath[str]) -> PulledSourceRow:
    """Ask for a run; it begins within a second or two, from where the last one ended."""
    return await context.commands.run(
        source_ask, context.settings, decoded(name, "name"), actor=actor
    )


@post("/{name:str}/pause", summary="Pause a source", status_code=200, guards=_EDITOR)
async def pause_source(context: FromContext, actor: Actor, name: FromPath[str]) -> PulledSourceRow:
    """Read it no more until it is resumed; a load under way ends within seconds."""
    return await context.commands.run(
        source_pause, context.settings, decoded(name, "name"), paused=True, actor=actor
    )


@post("/{name:str}/resume", summary="Resume a source", status_code=200, guards=_EDITOR)
async def resume_source(context: FromContext, actor: Actor, name: FromPath[str]) -> PulledSourceRow:
    """Read a paused source again, from where it was."""
    return await context.commands.run(
        source_pause, context.settings, decoded(name, "name"), paused=False, actor=actor
    )


@post(
    "/{name:str}/reset", summary="Read a source from the beginning", status_code=200, guards=_EDITOR
)
async def reset_source(context: FromContext, actor: Actor, name: FromPath[str]) -> PulledSourceRow:
    """Forget where it goes on: the next run reads everything."""
    return await context.commands.run(
        source_reset, context.settings, decoded(name, "name"), actor=actor
    )


@post(
    "/{name:str}/test",
    summary="Rehearse a source",
    status_code=200,
    guards=_EDITOR,
    opt={"body": _DELIVERY},
)
async def rehearse_source(
    context: FromContext,
    body: RawBody,
    name: FromPath[str],
    sample: Sample = 1_000,
    anew: FromQuery[bool] = False,
    stream: FromQuery[str] = "",
) -> Rehearsed:
    """What its next run would bring, of `sample` rows, with nothing kept, here or there; from the beginning with `anew`.

    A body is a delivery as its system sends it, for sources that are pushed; else it stands for what would be read.
    `stream` is its topic or table where it does not say so itself.
    """
    return await context.lake.run(
        questions.rehearse_source,
        context.settings,
        decoded(name, "name"),
        sample,
        body,
        stream,
        anew=anew,
    )


@get("", summary="Loads", guards=_READER)
async def loads(
    context: FromContext,
    source: FromQuery[str] = "",
    limit: Limit = 100,
    cursor: Cursor = "",
) -> LoadPage:
    """What each run of a source brought, newest first; of one `source`, or of all."""
    items = await context.commands.run(
        load_list, context.settings, limit=limit, before=number(cursor), source=source
    )
    return LoadPage(items, str(items[-1].id) if len(items) == limit else None)


@get("/{load:int}", summary="One load", guards=_READER)
async def load(context: FromContext, load: LoadId) -> LoadShown:
    """How far it is, how it ended, and its report."""
    return await context.commands.run(load_show, context.settings, load)


@post("/{load:int}/cancel", summary="Stop a load", status_code=200, guards=_EDITOR)
async def cancel_load(context: FromContext, actor: Actor, load: LoadId) -> LoadShown:
    """Ask it to stop; it does within seconds, and what it brought stays. 409 if it has ended."""
    return await context.commands.run(load_cancel, context.settings, load, actor=actor)


@get("", summary="All secrets", guards=_ADMIN)
async def secrets(context: FromContext) -> list[SecretRow]:
    """Their names, when each was set and by whom; never their values."""
    return await context.commands.run(secret_list, context.settings)


@put("/{name:str}", summary="Keep a secret", guards=_ADMIN, opt={"body": SecretWanted})
async def put_secret(
    context: FromContext, actor: Actor, name: FromPath[str], body: RawBody
) -> SecretRow:
    """Keep a value, encrypted, in place of an older one; definitions name it `{secret: NAME}`."""
    wanted = read(body, SecretWanted)
    return await context.commands.run(
        secret_set, context.settings, decoded(name, "name"), wanted.value, actor=actor
    )


@delete("/{name:str}", summary="Forget a secret", status_code=200, guards=_ADMIN)
async def delete_secret(context: FromContext, actor: Actor, name: FromPath[str]) -> SecretRow:
    """Forget it; what needs it says so at its next run."""
    return await context.commands.run(
        secret_remove, context.settings, decoded(name, "name"), actor=actor
    )


PULLING = [
    Router(
        "/api/sources",
        route_handlers=[
            pulled,
            run_source,
            pause_source,
            resume_source,
            reset_source,
            rehearse_source,
        ],
        tags=["sources"],
    ),
    Router("/api/loads", route_handlers=[loads, load, cancel_load], tags=["sources"]),
    Router("/api/secrets", route_handlers=[secrets, put_secret, delete_secret], tags=["access"]),
]
