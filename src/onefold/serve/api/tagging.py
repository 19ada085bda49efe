"""Tags as they are given, refreshed and looked after; the lists of segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, QueryParameter, RawBody

from onefold.app.job_list import job_add
from onefold.app.profiles.given import GivenTag, tag_set
from onefold.app.profiles.uploads import Spool, Upload, segment_upload, tag_import
from onefold.app.tags.answers import TagHealth
from onefold.model.access import ApiKey
from onefold.model.job import Job
from onefold.serve import questions
from onefold.serve.api.doors import Actor, FromContext, decoded, read, requires

Column = Annotated[
    str,
    QueryParameter(
        max_length=1_000, description="The column of the identifiers: its header, or number from 1."
    ),
]
Encoding = Annotated[
    str,
    QueryParameter(
        max_length=40, description="Such as `gb18030`; UTF-8 and UTF-16 are recognized."
    ),
]
_CSV = {"text/csv": {"type": "string"}}


class TagValue(msgspec.Struct, forbid_unknown_fields=True):
    """The value to give."""

    value: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class File:
    """A CSV file that comes as the body, and how it is to be read."""

    def __init__(
        self,
        context: FromContext,
        actor: Actor,
        request: Request[ApiKey, Any, Any],
        column: Column = "",
        encoding: Encoding = "",
    ) -> None:
        self._context = context
        self._request = request
        self._how = {"column": column, "encoding": encoding, "actor": actor}

    async def taken(self, take: Callable[..., Upload], name: str, kind: str) -> Upload:
        """Receive it, then make a job of it."""
        spool = Spool(self._context.settings)
        try:
            async for piece in self._request.stream():
                spool.write(piece)
        except BaseException:
            spool.drop()
            raise
        settings = self._context.settings
        return await self._context.commands.run(take, settings, name, spool, kind, **self._how)


@get("/{name:str}/health", summary="How a tag is doing", guards=[requires("reader")])
async def health_of_tag(context: FromContext, name: FromPath[str]) -> TagHealth:
    """Its coverage, drift, users and cost; as of when it holds, if it needs everybody."""
    return await context.lake.run(questions.tag_health, context.settings, decoded(name, "name"))


@post(
    "/{name:str}/refresh",
    summary="Refresh a tag",
    status_code=202,
    guards=[requires("editor")],
)
async def refresh_tag(context: FromContext, actor: Actor, name: FromPath[str]) -> Job:
    """Compute a tag that needs everybody, without waiting until it is due."""
    tag = decoded(name, "name")
    return await context.commands.run(
        job_add, context.settings, "refresh", {}, subject=tag, actor=actor
    )


@put(
    "/{name:str}/profiles/{reference:str}",
    summary="Give a tag",
    opt={"body": TagValue},
    guards=[requires("editor")],
)
async def give_tag(
    context: FromContext,
    actor: Actor,
    name: FromPath[str],
    reference: FromPath[str],
    body: RawBody,
) -> GivenTag:
    """Give a tag to who an identifier names; who is not known yet has it as soon as they are."""
    value = read(body, TagValue).value
    tag, who = decoded(name, "name"), decoded(reference, "reference")
    return await context.commands.run(tag_set, context.settings, tag, who, value, actor=actor)


@delete(
    "/{name:str}/profiles/{reference:str}",
    summary="Take a tag away",
    status_code=200,
    guards=[requires("editor")],
)
async def take_tag_away(
    context: FromContext, actor: Actor, name: FromPath[str], reference: FromPath[str]
) -> GivenTag:
    """Take a tag away that was given."""
    tag, who = decoded(name, "name"), decoded(reference, "reference")
    return await context.commands.run(tag_set, context.settings, tag, who, None, actor=actor)


@post(
    "/{name:str}/import",
    summary="Give a tag to many",
    status_code=202,
    opt={"body": _CSV},
    guards=[requires("editor")],
)
async def import_tag(
    name: FromPath[str], file: NamedDependency[File], kind: FromQuery[str] = "email"
) -> Upload:
    """The body is CSV: an identifier of this kind and a value in each row. A job takes it in."""
    return await file.taken(tag_import, decoded(name, "name"), kind)


@post(
    "/{name:str}/list",
    summary="Upload a segment's list",
    status_code=202,
    opt={"body": _CSV},
    guards=[requires("editor")],
)
async def upload_segment_list(
    name: FromPath[str], file: NamedDependency[File], kind: FromQuery[str] = ""
) -> Upload:
    """The body is CSV with an identifier in each row: the next version of the list."""
    return await file.taken(segment_upload, decoded(name, "name"), kind)


_FILE = {"file": Provide(File, sync_to_thread=False)}
# A file is kept as it comes; how large it may be says `Spool`.
TAGGING = [
    Router(
        "/api/tags",
        route_handlers=[health_of_tag, refresh_tag, give_tag, take_tag_away, import_tag],
        tags=["tags"],
        dependencies=_FILE,
        request_max_body_size=None,
    ),
    Router(
        "/api/segments",
        route_handlers=[upload_segment_list],
        tags=["segments"],
        dependencies=_FILE,
        request_max_body_size=None,
    ),
]
