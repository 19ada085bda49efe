"""Mappings that could be, from the beginning of a file."""

from __future__ import annotations

from typing import Annotated

from litestar import Router, post
from litestar.params import FromQuery, QueryParameter, RawBody

from onefold.app.imports.suggested import SuggestedFor
from onefold.serve import questions
from onefold.serve.api.doors import FromContext, requires

_FILE = {"application/octet-stream": {"type": "string", "format": "binary"}}
Name = Annotated[
    str, QueryParameter(max_length=200, description="The file's name, with its ending.")
]


@post(
    "/suggest",
    summary="Suggest a mapping for a file",
    status_code=200,
    guards=[requires("editor")],
    opt={"body": _FILE},
)
async def suggest(
    context: FromContext,
    body: RawBody,
    name: Name = "sample.csv",
    source: FromQuery[str] = "",
    format: FromQuery[str] = "",
) -> SuggestedFor:
    """The body is the file, or its first rows. What each field may become, how sure that is, and why.

    From names, values, and identifiers that are known already. Nothing is kept or put in force: correct
    `body`, and `PUT` it to `/api/mappings/{name}`.
    """
    return await context.lake.run(
        questions.suggest_mapping, context.settings, body, name, source, format
    )


SUGGESTING = Router("/api/mappings", route_handlers=[suggest], tags=["mappings"])
