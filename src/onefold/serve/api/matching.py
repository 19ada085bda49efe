"""Records that share no identifier: how much two are alike, and who of all may be whom."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, post
from litestar.params import RawBody

from onefold.app.matching.answers import MatchCandidates, MatchWhy
from onefold.serve import questions
from onefold.serve.api.doors import FromContext, read, requires

Record = Annotated[dict[str, Any], msgspec.Meta(description="Traits of a person, by their names.")]


class TwoRecords(msgspec.Struct, forbid_unknown_fields=True):
    """Two records, and the version of a model; without one, that in force."""

    left: Record
    right: Record
    model: str = ""


class OneRecord(msgspec.Struct, forbid_unknown_fields=True):
    """A record of a person who is looked for."""

    record: Record
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


@post(
    "/score",
    summary="How much two records are alike",
    status_code=200,
    opt={"body": TwoRecords},
    guards=[requires("reader")],
)
async def score_records(context: FromContext, body: RawBody) -> MatchWhy:
    """The weight, and what each field adds to it or takes from it. Changes nothing."""
    given = read(body, TwoRecords)
    return await context.lake.run(
        questions.match_score, context.settings, given.left, given.right, given.model
    )


@post(
    "/candidates",
    summary="Who may be the person that a record is about",
    status_code=200,
    opt={"body": OneRecord},
    guards=[requires("reader")],
)
async def find_candidates(context: FromContext, body: RawBody) -> MatchCandidates:
    """By the model in force, most likely first. Changes nothing."""
    given = read(body, OneRecord)
    return await context.lake.run(
        questions.match_candidates, context.settings, given.record, given.limit
    )


MATCHING = Router("/api/match", route_handlers=[score_records, find_candidates], tags=["matching"])
