"""Profiles: who somebody is now, or was, and all that is known about how it came to be."""

from __future__ import annotations

from litestar import Router, get
from litestar.params import FromPath, FromQuery

from onefold.app.profiles import ProfileView, find, view
from onefold.app.rebuild import profile_as_of
from onefold.serve.api.doors import FromContext, decoded, parse_flag, parse_time, requires


@get("/{reference:str}", summary="One profile")
async def profile(
    context: FromContext,
    reference: FromPath[str],
    as_of: FromQuery[str | None] = None,
    verbose: FromQuery[str | None] = None,
) -> ProfileView:
    """The profile that an identifier (`email:ann@example.com`, percent-encoded) or an id names.

    `as_of` gives it as it was at an ISO time. `verbose` gives each trait with source, time and
    message id. Times are microseconds since 1970-01-01 UTC. The id of a profile that was
    merged into another leads to that one.
    """
    named = decoded(reference, "reference")
    in_full = parse_flag(verbose, "verbose")
    settings = context.settings
    if as_of is not None:
        return await context.lake.run(profile_as_of, settings, named, parse_time(as_of, "as_of"))
    return view(find(context.store, named, settings.default_country), verbose=in_full)


PROFILES = Router(
    "/api/profiles", route_handlers=[profile], guards=[requires("reader")], tags=["profiles"]
)
