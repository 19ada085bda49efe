"""Records about people, without any state: standardized, their identifiers, merged to one."""

from __future__ import annotations

from litestar import Router, post
from litestar.params import RawBody

from onefold.app.people.answers import Extracted, Merge, Merged, Records, Standardized
from onefold.serve import questions
from onefold.serve.api.doors import FromContext, read, requires


@post(
    "/standardize", summary="Standardize records of people", status_code=200, opt={"body": Records}
)
async def standardize(context: FromContext, body: RawBody) -> Standardized:
    """Names, dates, telephones, addresses in one form. Nothing is kept."""
    return await context.lake.run(questions.standardize_records, read(body, Records))


@post(
    "/extract-identifiers",
    summary="Identifiers of records",
    status_code=200,
    opt={"body": Records},
)
async def find_identifiers(context: FromContext, body: RawBody) -> Extracted:
    """As events would have them, so that `KIND:VALUE` names a profile. Nothing is kept."""
    return await context.lake.run(questions.extract_identifiers, read(body, Records))


@post(
    "/merge-records",
    summary="Merge records to a golden one",
    status_code=200,
    opt={"body": Merge},
)
async def merge(context: FromContext, body: RawBody) -> Merged:
    """By rules like those of `golden` definitions; says for each value why it won. Nothing is kept."""
    return await context.lake.run(questions.merge_records, read(body, Merge))


PEOPLE = Router(
    "/api",
    route_handlers=[standardize, find_identifiers, merge],
    guards=[requires("reader")],
    tags=["people"],
)
