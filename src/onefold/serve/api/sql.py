"""SQL over the lake."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.params import RawBody

from onefold.app.answers import Format, Table
from onefold.serve.api.doors import FromContext, read, requires

_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
}


_BYTES = {"type": "string", "format": "binary"}
_ANSWERS = {
    "application/json": Table,
    "text/csv": _BYTES,
    "application/vnd.apache.arrow.stream": _BYTES,
}


class Query(msgspec.Struct, forbid_unknown_fields=True):
    """One SELECT, the form of its answer, and the most rows wanted."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
    format: Format = "json"
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None


@post(
    "/api/sql",
    summary="Ask the lake",
    status_code=200,
    tags=["sql"],
    guards=[requires("analyst")],
    opt={"body": Query, "answers": _ANSWERS},
)
async def sql(context: FromContext, body: RawBody) -> Response[bytes]:
    """One SELECT over `events`, `profiles`, `identifiers`, `memberships`, `links`, `changes`.

    DuckDB's dialect; read only, with limits of time, memory and rows. Of CSV and Arrow the header
    `x-onefold-truncated` says whether there were more rows. Times are ISO 8601, UTC.
    """
    wanted = read(body, Query)
    found, truncated = await context.sql.run(
        context.asker.ask, context.settings, wanted.query, wanted.format, wanted.limit
    )
    context.reads.asked(queries=[wanted.query])
    headers = {"x-onefold-truncated": str(truncated).lower()}
    return Response(found, media_type=_TYPES[wanted.format], headers=headers)
