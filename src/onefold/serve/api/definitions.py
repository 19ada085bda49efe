"""Definitions: what is in force, and changes of it."""

from __future__ import annotations

from typing import Any

from litestar import Router, delete, get, post, put
from litestar.params import FromPath, FromQuery, RawBody

from onefold.app.definitions import Plan
from onefold.app.editing import (
    DefinitionRow,
    apply_text,
    definition_delete,
    definition_list,
    definition_put,
    plan_text,
)
from onefold.model.errors import Fault, InvalidInput, TooLarge
from onefold.serve.api.doors import Actor, FromContext, decoded, parse_flag, read, requires

_MOST_BYTES = 256 << 10
_YAML = {"application/yaml": {"type": "string", "maxLength": _MOST_BYTES}}


@get("", summary="All definitions in force", guards=[requires("reader")])
async def definitions(context: FromContext) -> list[DefinitionRow]:
    """Segments and destinations with the version of each; secrets are hidden."""
    return await context.commands.run(definition_list, context.settings)


@put(
    "/{kind:str}/{name:str}",
    summary="Put one definition in force",
    guards=[requires("editor")],
    opt={"body": dict[str, Any]},
)
async def put_definition(
    context: FromContext, actor: Actor, kind: FromPath[str], name: FromPath[str], body: RawBody
) -> Plan:
    """The body is what a YAML file would hold, without `kind` and `name`, as JSON."""
    return await context.commands.run(
        definition_put,
        context.settings,
        decoded(kind, "kind"),
        decoded(name, "name"),
        read(body, dict[str, Any]),
        actor=actor,
    )


@delete(
    "/{kind:str}/{name:str}",
    summary="Take one definition out of force",
    status_code=200,
    guards=[requires("editor")],
)
async def delete_definition(
    context: FromContext, actor: Actor, kind: FromPath[str], name: FromPath[str]
) -> DefinitionRow:
    """Gives the definition as it was."""
    return await context.commands.run(
        definition_delete,
        context.settings,
        decoded(kind, "kind"),
        decoded(name, "name"),
        actor=actor,
    )


@post(
    "/plan",
    summary="What applying would change",
    status_code=200,
    guards=[requires("reader")],
    opt={"body": _YAML},
)
async def plan(context: FromContext, body: RawBody, prune: FromQuery[str | None] = None) -> Plan:
    """Compare the definitions in a YAML text with those in force; changes nothing."""
    text, all_named = _text(body), parse_flag(prune, "prune")
    return await context.commands.run(plan_text, context.settings, text, prune=all_named)


@post(
    "/apply",
    summary="Put definitions in force",
    status_code=200,
    guards=[requires("editor")],
    opt={"body": _YAML},
)
async def apply(
    context: FromContext, actor: Actor, body: RawBody, prune: FromQuery[str | None] = None
) -> Plan:
    """Put the definitions of a YAML text in force, all or none.

    With `prune`, definitions that are in force but do not stand in the text are taken out.
    """
    text, all_named = _text(body), parse_flag(prune, "prune")
    return await context.commands.run(
        apply_text, context.settings, text, prune=all_named, actor=actor
    )


def _text(body: bytes) -> str:
    if len(body) > _MOST_BYTES:
        raise TooLarge(f"the definitions are larger than {_MOST_BYTES} bytes")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        fault = Fault("is not UTF-8", "body")
        raise InvalidInput("the definitions cannot be used", [fault]) from error


DEFINITIONS = Router(
    "/api/definitions",
    route_handlers=[definitions, put_definition, delete_definition, plan, apply],
    tags=["definitions"],
)
