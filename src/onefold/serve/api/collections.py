"""One collection for each kind of definition: its versions, what depends on it, and changes."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, HeaderParameter, PathParameter, RawBody

from onefold.app.definitions.editing import (
    DefinitionRow,
    DefinitionView,
    Dependents,
    VersionRow,
    definition_delete,
    definition_dependents,
    definition_list,
    definition_put,
    definition_roll_back,
    definition_show,
    definition_version,
    definition_versions,
)
from onefold.model.errors import Fault, InvalidInput
from onefold.serve.api.doors import Actor, FromContext, decoded, read, requires

_PLURALS = {
    "trait": "traits",
    "tag": "tags",
    "property": "properties",
    "golden": "golden",
    "account_trait": "account-traits",
    "household_trait": "household-traits",
    "destination": "destinations",
    "source": "source-definitions",
    "mapping": "mappings",
    "entity": "entities",
    "tracking_plan": "tracking-plans",
    "identifier": "identifiers",
}
_MOST_VERSION = 1 << 31
_FREE = {"type": "object", "additionalProperties": True}
_READER, _EDITOR = [requires("reader")], [requires("editor")]
_SEEN = "Only if it is still at this version; else 412. Take it from `ETag`."
IfMatch = Annotated[str, HeaderParameter(name="If-Match", max_length=40, description=_SEEN)]
Version = Annotated[int, PathParameter(ge=1, le=_MOST_VERSION)]


class RollBack(msgspec.Struct, forbid_unknown_fields=True):
    """Which version is to be in force again."""

    version: Annotated[int, msgspec.Meta(ge=1, le=_MOST_VERSION)]


def expected_version(if_match: str) -> int | None:
    """The version that a change is meant for; None for any."""
    text = if_match.strip().removeprefix("W/").strip('"')
    if text in ("", "*"):
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        fault = Fault(f"{if_match!r} is no version", "If-Match", "take it from the header ETag")
        raise InvalidInput("the request cannot be used", [fault])
    return int(text)


def _answer(found: DefinitionView, status: int = 200) -> Response[DefinitionView]:
    return Response(found, status_code=status, headers={"ETag": f'"{found.version}"'})


def _reading(kind: str) -> list[HTTPRouteHandler]:
    """What may be looked at of one kind of definition."""

    async def look_at(context: FromContext, name: FromPath[str]) -> Response[DefinitionView]:
        """What is in force now, its version (also as `ETag`), and its neighbors."""
        found = await context.commands.run(
            definition_show, context.settings, kind, decoded(name, "name")
        )
        return _answer(found)

    async def versions(context: FromContext, name: FromPath[str]) -> list[VersionRow]:
        """Newest first: what it said, since when, and who changed it; also if it was taken out."""
        return await context.commands.run(
            definition_versions, context.settings, kind, decoded(name, "name")
        )

    async def version(context: FromContext, name: FromPath[str], version: Version) -> VersionRow:
        """What it said at one version."""
        return await context.commands.run(
            definition_version, context.settings, kind, decoded(name, "name"), version
        )

    async def dependents(context: FromContext, name: FromPath[str]) -> Dependents:
        """All that refers to it, directly or through others."""
        return await context.commands.run(
            definition_dependents, context.settings, kind, decoded(name, "name")
        )

    named = ((look_at, "show"), (versions, "versions_of"), (version, "version_of"))
    for function, verb in (*named, (dependents, "dependents_of")):
        function.__name__ = f"{verb}_{kind}"
    return [
        get("/{name:str}", summary=f"One {kind}", guards=_READER)(look_at),
        get("/{name:str}/versions", summary=f"All versions of a {kind}", guards=_READER)(versions),
        get(
            "/{name:str}/versions/{version:int}", summary=f"One version of a {kind}", guards=_READER
        )(version),
        get("/{name:str}/dependents", summary=f"What depends on a {kind}", guards=_READER)(
            dependents
        ),
    ]


def _changing(kind: str) -> list[HTTPRouteHandler]:
    """How one kind of definition is changed."""
    return [_create(kind), _replace(kind), _take_out(kind), _roll_back(kind)]


def _create(kind: str) -> HTTPRouteHandler:
    async def create(context: FromContext, actor: Actor, body: RawBody) -> Response[DefinitionView]:
        """The body is what a YAML file would hold, without `kind`, as JSON; 409 if it is there."""
        given = read(body, dict[str, Any])
        named = given.pop("name", "")
        # What is no text names nothing; that is told with all else that is wrong.
        name = named if isinstance(named, str) else ""
        made = await context.commands.run(
            definition_put, context.settings, kind, name, given, actor=actor, version=0
        )
        return _answer(made, 201)

    create.__name__ = f"create_{kind}"
    body = {"application/json": {**_FREE, "required": ["name"]}}
    return post("", summary=f"Add a {kind}", opt={"body": body}, guards=_EDITOR)(create)


def _replace(kind: str) -> HTTPRouteHandler:
    async def replace(
        context: FromContext,
        actor: Actor,
        name: FromPath[str],
        body: RawBody,
        if_match: IfMatch = "",
    ) -> Response[DefinitionView]:
        """The body is what a YAML file would hold, without `kind` and `name`, as JSON."""
        changed = await context.commands.run(
            definition_put,
            context.settings,
            kind,
            decoded(name, "name"),
            read(body, dict[str, Any]),
            actor=actor,
            version=expected_version(if_match),
        )
        return _answer(changed)

    replace.__name__ = f"put_{kind}"
    body = {"application/json": _FREE}
    return put("/{name:str}", summary=f"Put a {kind} in force", opt={"body": body}, guards=_EDITOR)(
        replace
    )


def _take_out(kind: str) -> HTTPRouteHandler:
    async def take_out(
        context: FromContext, actor: Actor, name: FromPath[str], if_match: IfMatch = ""
    ) -> DefinitionView:
        """Gives it as it was; 409 names those that need it. Its versions stay."""
        return await context.commands.run(
            definition_delete,
            context.settings,
            kind,
            decoded(name, "name"),
            actor=actor,
            version=expected_version(if_match),
        )

    take_out.__name__ = f"delete_{kind}"
    summary = f"Take a {kind} out of force"
    return delete("/{name:str}", summary=summary, status_code=200, guards=_EDITOR)(take_out)


def _roll_back(kind: str) -> HTTPRouteHandler:
    async def roll_back(
        context: FromContext,
        actor: Actor,
        name: FromPath[str],
        body: RawBody,
        if_match: IfMatch = "",
    ) -> Response[DefinitionView]:
        """What it said at a version is in force again, as a new version; also if it was taken out."""
        changed = await context.commands.run(
            definition_roll_back,
            context.settings,
            kind,
            decoded(name, "name"),
            read(body, RollBack).version,
            actor=actor,
            version=expected_version(if_match),
        )
        return _answer(changed)

    roll_back.__name__ = f"roll_back_{kind}"
    return post(
        "/{name:str}/rollback",
        summary=f"Go back to a version of a {kind}",
        status_code=200,
        opt={"body": RollBack},
        guards=_EDITOR,
    )(roll_back)


def list_of(kind: str, plural: str) -> HTTPRouteHandler:
    """All definitions of one kind."""

    async def all_of(context: FromContext) -> list[DefinitionRow]:
        """Those in force, by name, with the version of each; secrets are hidden."""
        return await context.commands.run(definition_list, context.settings, kind)

    all_of.__name__ = f"list_{plural}".replace(" ", "_")
    return get("", summary=f"All {plural}", guards=_READER)(all_of)


def handlers_of(kind: str) -> list[HTTPRouteHandler]:
    """How definitions of one kind are looked at one by one, and changed."""
    return [*_reading(kind), *_changing(kind)]


COLLECTIONS = [
    Router(
        f"/api/{plural}", route_handlers=[list_of(kind, plural), *handlers_of(kind)], tags=[plural]
    )
    for kind, plural in _PLURALS.items()
]
"""`/api/traits`, `/api/tags`, …; those of segments stand with their members, what protects people
with who is who."""
