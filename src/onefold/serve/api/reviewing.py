"""The review queue: what waits for a word, several people at it, and many decided at once."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import delete, get, post
from litestar.params import QueryParameter, RawBody

from onefold.app.identity.decisions import ReviewPage, review_put_off, reviews
from onefold.app.identity.review_queue import (
    BulkDone,
    BulkPreview,
    BulkWanted,
    Claimed,
    bulk_decide,
    bulk_preview,
    bulk_undo,
    review_claim,
    review_release,
)
from onefold.serve.api.doors import Actor, FromContext, Limit, read, requires

Reference = Annotated[str, msgspec.Meta(min_length=3, max_length=600)]
Offset = Annotated[int, QueryParameter(ge=0, le=1_000_000, description="So many are left out.")]
Weight = Annotated[
    float | None, QueryParameter(ge=-1000, le=1000, description="Weights of a match, from or to.")
]


class Postponement(msgspec.Struct, forbid_unknown_fields=True):
    """A review, by its two identifiers, put off (`later`) or back (`open`)."""

    left: Reference
    right: Reference
    state: Literal["later", "open"]


class Lease(msgspec.Struct, forbid_unknown_fields=True):
    """So many reviews, for so many minutes."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 10
    minutes: Annotated[int, msgspec.Meta(ge=1, le=480)] = 15


class Bulk(msgspec.Struct, forbid_unknown_fields=True):
    """What was asked of the preview, and its token."""

    wanted: BulkWanted
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Undo(msgspec.Struct, forbid_unknown_fields=True):
    """`at` of what was decided at once."""

    at: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]


@get("/reviews", summary="What waits for a person's word", guards=[requires("reader")])
async def list_reviews(
    context: FromContext,
    limit: Limit = 100,
    offset: Offset = 0,
    reason: Annotated[str | None, QueryParameter(max_length=40)] = None,
    least: Weight = None,
    most: Weight = None,
) -> ReviewPage:
    """Links that a rule holds back or that are in the middle band, most useful first, side by side."""
    return await context.commands.run(
        reviews, context.settings, limit, offset, reason=reason, least=least, most=most
    )


@post(
    "/claims",
    summary="Take reviews for a while",
    status_code=200,
    opt={"body": Lease},
    guards=[requires("editor")],
)
async def claim_reviews(context: FromContext, actor: Actor, body: RawBody) -> Claimed:
    """The most useful ones that nobody else has; nobody else decides them meanwhile."""
    given = read(body, Lease)
    return await context.commands.run(
        review_claim, context.settings, given.limit, given.minutes, actor=actor
    )


@delete("/claims", summary="Give claimed reviews back", guards=[requires("editor")])
async def release_reviews(context: FromContext, actor: Actor) -> None:
    """All that one has claimed and not decided."""
    await context.commands.run(review_release, context.settings, actor=actor)


@post(
    "/bulk/preview",
    summary="See what deciding many reviews would do",
    status_code=200,
    opt={"body": BulkWanted},
    guards=[requires("editor")],
)
async def preview_bulk(context: FromContext, actor: Actor, body: RawBody) -> BulkPreview:
    """How many pairs and merges, whom and which segments they touch, and twenty of them."""
    wanted = read(body, BulkWanted)
    return await context.commands.run(bulk_preview, context.settings, wanted, actor=actor)


@post(
    "/bulk",
    summary="Decide many reviews",
    status_code=202,
    opt={"body": Bulk},
    guards=[requires("editor")],
)
async def decide_bulk(context: FromContext, actor: Actor, body: RawBody) -> BulkDone:
    """Exactly those that a preview showed, by its token; 412 if they have changed."""
    given = read(body, Bulk)
    return await context.commands.run(
        bulk_decide, context.settings, given.wanted, given.token, actor=actor
    )


@post(
    "/bulk/undo",
    summary="Take many decisions back",
    status_code=202,
    opt={"body": Undo},
    guards=[requires("editor")],
)
async def undo_bulk(context: FromContext, actor: Actor, body: RawBody) -> BulkDone:
    """All that was decided at once at a time: the evidence decides again."""
    return await context.commands.run(bulk_undo, context.settings, read(body, Undo).at, actor=actor)


@post(
    "/reviews",
    summary="Put a review off",
    status_code=204,
    opt={"body": Postponement},
    guards=[requires("editor")],
)
async def put_review_off(context: FromContext, actor: Actor, body: RawBody) -> None:
    """Or put it back among those that wait. To decide it, decide who is who."""
    given = read(body, Postponement)
    await context.commands.run(
        review_put_off, context.settings, given.left, given.right, given.state, actor=actor
    )


REVIEWING = (
    list_reviews,
    put_review_off,
    claim_reviews,
    release_reviews,
    preview_bulk,
    decide_bulk,
    undo_bulk,
)
"""What the router of `identity` holds of it."""
