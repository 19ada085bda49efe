"""Profiles: who somebody is now, or was, and all that is known about how it came to be."""

from __future__ import annotations

from litestar import Router, get
from litestar.params import FromPath, FromQuery

from onefold.app.answers import ChangePage, EventPage, LinkPage
from onefold.app.profiles.finding import ProfileView, find, view
from onefold.app.profiles.golden_answers import ProfileClaims
from onefold.serve import questions
from onefold.serve.api.doors import (
    Cursor,
    FromContext,
    Limit,
    decoded,
    parse_flag,
    parse_time,
    requires,
)


@get("/{reference:str}", summary="One profile")
async def profile(
    context: FromContext,
    reference: FromPath[str],
    as_of: FromQuery[str | None] = None,
    verbose: FromQuery[str | None] = None,
) -> ProfileView:
    """The profile that an identifier (`email:ann@example.com`, percent-encoded) or an id names.

    `as_of` gives it as it was at an ISO time. `verbose` gives each trait with the claim that its
    value came from and why it won, and as of when each tag holds that needs everybody. Times are
    microseconds since 1970-01-01 UTC. The id of a profile that was merged
    into another leads to that one.
    """
    named = decoded(reference, "reference")
    wants_all = parse_flag(verbose, "verbose")
    settings = context.settings
    if as_of is not None:
        return await context.lake.run(
            questions.profile_as_of, settings, named, parse_time(as_of, "as_of")
        )
    found = find(context.store, named, settings.default_country)
    context.reads.tags.update(found.tags)
    if wants_all:
        return await context.lake.run(questions.profile_in_full, settings, named)
    return view(found)


@get("/{reference:str}/claims", summary="Why a profile's traits are what they are")
async def claims(
    context: FromContext, reference: FromPath[str], trait: FromQuery[str] = ""
) -> ProfileClaims:
    """All that is claimed of each trait, or of one: which claim won, which lost, and why."""
    named = decoded(reference, "reference")
    return await context.lake.run(questions.profile_claims, context.settings, named, trait)


@get("/{reference:str}/events", summary="A profile's events")
async def events(
    context: FromContext, reference: FromPath[str], limit: Limit = 100, cursor: Cursor = ""
) -> EventPage:
    """All events whose facts belong to a profile, newest first."""
    named = decoded(reference, "reference")
    return await context.lake.run(questions.events, context.settings, named, limit, cursor)


@get("/{reference:str}/history", summary="A profile's changes")
async def history(
    context: FromContext, reference: FromPath[str], limit: Limit = 100, cursor: Cursor = ""
) -> ChangePage:
    """All that changed on a profile, newest first: traits, identifiers, segments, merges, splits."""
    named = decoded(reference, "reference")
    return await context.lake.run(questions.changes, context.settings, named, limit, cursor)


@get("/{reference:str}/links", summary="Why a profile is one person")
async def links(
    context: FromContext, reference: FromPath[str], limit: Limit = 100, cursor: Cursor = ""
) -> LinkPage:
    """The evidence that speaks of a profile's identifiers, newest first."""
    named = decoded(reference, "reference")
    return await context.lake.run(questions.links, context.settings, named, limit, cursor)


PROFILES = Router(
    "/api/profiles",
    route_handlers=[profile, claims, events, history, links],
    guards=[requires("reader")],
    tags=["profiles"],
)
