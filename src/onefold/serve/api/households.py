"""Households: people who live together."""

from __future__ import annotations

import msgspec
from litestar import Router, get, put
from litestar.params import FromPath, FromQuery, RawBody

from onefold.app.groups.household_answers import (
    Household,
    HouseholdHistory,
    HouseholdPage,
    LiveTogether,
    Together,
)
from onefold.serve import questions
from onefold.serve.api.doors import (
    Actor,
    Cursor,
    FromContext,
    Limit,
    decoded,
    parse_time,
    read,
    requires,
)


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """Whether they live together; `open` takes back what was said before."""

    together: Together


@get("", summary="All households", guards=[requires("reader")])
async def list_households(
    context: FromContext, limit: Limit = 100, cursor: Cursor = ""
) -> HouseholdPage:
    """People who live together, as their claims say by the match model in force, or as people do."""
    return await context.lake.run(questions.household_list, context.settings, limit, cursor)


@get("/{reference:str}", summary="The household of somebody", guards=[requires("reader")])
async def show_household(
    context: FromContext, reference: FromPath[str], as_of: FromQuery[str | None] = None
) -> Household:
    """Its people, the traits that these have in common, and what they add up to.

    It is named by any identifier or profile id of its people, or by its own id. Who is not known to
    live with anybody is alone in it. `as_of` gives it as it was at an ISO time.
    """
    named = decoded(reference, "reference")
    if as_of is not None:
        at = parse_time(as_of, "as_of")
        return await context.lake.run(questions.household_as_of, context.settings, named, at)
    return await context.lake.run(questions.household, context.settings, named)


@get("/{reference:str}/history", summary="A household's changes", guards=[requires("reader")])
async def list_household_history(
    context: FromContext, reference: FromPath[str], limit: Limit = 100, cursor: Cursor = ""
) -> HouseholdHistory:
    """When two of its people were said to live together, and no longer; the newest first."""
    named, settings = decoded(reference, "reference"), context.settings
    return await context.lake.run(questions.household_history, settings, named, limit, cursor)


@put(
    "/{reference:str}/members/{other:str}",
    summary="Say whether two people live together",
    opt={"body": Said},
    guards=[requires("editor")],
)
async def say_household(
    context: FromContext,
    actor: Actor,
    reference: FromPath[str],
    other: FromPath[str],
    body: RawBody,
) -> LiveTogether:
    """It outranks what their claims say, and merges nobody; the last word of a person holds."""
    given = read(body, Said)
    left, right = decoded(reference, "reference"), decoded(other, "other")
    return await context.lake.run(
        questions.household_say, context.settings, left, right, given.together, actor=actor
    )


HOUSEHOLDS = Router(
    "/api/households",
    route_handlers=[list_households, show_household, list_household_history, say_household],
    tags=["households"],
)
