"""Finding the people in records or a file that are handed in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Router, get, post
from litestar.params import FromPath, QueryParameter, RawBody
from litestar.response import File

from onefold.app.matching.clustering_answers import ClusteredRecords
from onefold.app.people.answers import Records
from onefold.app.profiles.uploads import Spool
from onefold.model.access import ApiKey
from onefold.model.errors import Fault, InvalidInput
from onefold.model.job import Job
from onefold.serve import questions
from onefold.serve.api.doors import Actor, FromContext, read, requires
from onefold.serve.api.jobs import JobId

_FILE = {
    "text/csv": {"type": "string"},
    "application/octet-stream": {"type": "string", "format": "binary"},
}
_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
Model = Annotated[
    str,
    QueryParameter(
        max_length=100, description="Version of a match model; else one is learned from the data."
    ),
]
Region = Annotated[
    str | None,
    QueryParameter(max_length=2, description="Country of telephone numbers that name none."),
]
Columns = Annotated[
    str,
    QueryParameter(
        max_length=10_000, description='What columns hold, as JSON: `{"mail": "email"}`.'
    ),
]


Name = Annotated[
    str,
    QueryParameter(
        max_length=200, description="What the file is called: so its columns and faults are told."
    ),
]


@post(
    "/cluster-records", summary="Find the people in records", status_code=200, opt={"body": Records}
)
async def cluster_records(
    context: FromContext, body: RawBody, model: Model = ""
) -> ClusteredRecords:
    """Whose each record is, and a golden record of each person. Nothing is kept."""
    given = read(body, Records)
    return await context.lake.run(questions.cluster_records, context.settings, given, model)


@post("/dedupe", summary="Find the people in a file", status_code=202, opt={"body": _FILE})
async def dedupe_file(
    context: FromContext,
    actor: Actor,
    request: Request[ApiKey, Any, Any],
    columns: Columns = "{}",
    name: Name = "file",
    region: Region = None,
    model: Model = "",
) -> Job:
    """CSV or Parquet. A job does it; its `result` says how many rows and people there are, and how sure
    that is.
    """
    told = _columns(columns)
    spool = Spool(context.settings)
    try:
        async for piece in request.stream():
            spool.write(piece)
    except BaseException:
        spool.drop()
        raise
    return await context.lake.run(
        questions.dedupe_upload,
        context.settings,
        spool,
        told,
        name=name,
        region=region,
        model=model,
        actor=actor,
    )


@get("/dedupe/{job:int}/{which:str}", summary="What was found in a file")
async def deduped_file(
    context: FromContext, job: JobId, which: FromPath[Literal["clusters", "golden"]]
) -> File:
    """`clusters`: every row with its `profile_id`; `golden`: a row for each person. As the file was."""
    path = await context.lake.run(questions.dedupe_file, context.settings, job, which)
    return File(path, filename=f"{which}{path.suffix}", media_type=_TYPES[path.suffix[1:]])


def _columns(text: str) -> dict[str, str]:
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError as error:
        hint = 'write for example {"mail": "email"}'
        fault = Fault("is no object of texts", "columns", hint)
        raise InvalidInput("the request cannot be used", [fault]) from error


CLUSTERING = Router(
    "/api",
    route_handlers=[cluster_records, dedupe_file, deduped_file],
    guards=[requires("analyst")],
    tags=["people"],
)
