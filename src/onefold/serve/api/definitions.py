"""Definitions of all kinds: what is in force, and changes of many at once."""

from __future__ import annotations

from litestar import Router, get, post
from litestar.params import FromQuery, RawBody

from onefold.app.definitions.applying import Plan
from onefold.app.definitions.editing import DefinitionRow, apply_text, definition_list
from onefold.app.identity.planning import Planned
from onefold.model.errors import Fault, InvalidInput, TooLarge
from onefold.serve import questions
from onefold.serve.api.doors import Actor, FromContext, parse_flag, requires

_MOST_BYTES = 256 << 10
YAML = {"application/yaml": {"type": "string", "maxLength": _MOST_BYTES}}


@get("", summary="All definitions in force", guards=[requires("reader")])
async def definitions(context: FromContext) -> list[DefinitionRow]:
    """Definitions of all kinds with the version of each; secrets are hidden."""
    return await context.commands.run(definition_list, context.settings)


@post(
    "/plan",
    summary="What applying would change",
    status_code=200,
    guards=[requires("reader")],
    opt={"body": YAML},
)
async def plan(context: FromContext, body: RawBody, prune: FromQuery[str | None] = None) -> Planned:
    """Compare the definitions in a YAML text with those in force; changes nothing.

    Where identity rules change, `identity` says how many merges and splits they would make and what becomes
    of the segments; of more than 20,000 profiles only how many those are (`untried`): `POST /api/identity/try`
    has a job find out, and shows examples.
    """
    text, all_named = yaml_text(body), parse_flag(prune, "prune")
    return await context.lake.run(questions.plan_written, context.settings, text, prune=all_named)


@post(
    "/apply",
    summary="Put definitions in force",
    status_code=200,
    guards=[requires("editor")],
    opt={"body": YAML},
)
async def apply(
    context: FromContext, actor: Actor, body: RawBody, prune: FromQuery[str | None] = None
) -> Plan:
    """Put the definitions of a YAML text in force, all or none.

    With `prune`, definitions that are in force but do not stand in the text are taken out.
    """
    text, all_named = yaml_text(body), parse_flag(prune, "prune")
    return await context.commands.run(
        apply_text, context.settings, text, prune=all_named, actor=actor
    )


def yaml_text(body: bytes) -> str:
    """Definitions as the body of a request."""
    if len(body) > _MOST_BYTES:
        raise TooLarge(f"the definitions are larger than {_MOST_BYTES} bytes")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        fault = Fault("is not UTF-8", "body")
        raise InvalidInput("the definitions cannot be used", [fault]) from error


DEFINITIONS = Router(
    "/api/definitions",
    route_handlers=[definitions, plan, apply],
    tags=["definitions"],
)
