"""`identity`: what waits for a word, several people at it, and many decided at once."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import fields, moment, printable, say, table

if TYPE_CHECKING:
    from onefold.app.identity.decisions import ReviewPage
    from onefold.app.identity.review_queue import Claimed

Reason = Annotated[str | None, typer.Option(help="Only those that wait for this reason.")]
Least = Annotated[float | None, typer.Option(help="Only matches of at least this weight.")]
Most = Annotated[float | None, typer.Option(help="Only matches of at most this weight.")]
By = Annotated[str, typer.Option("--as", help="Who decides.")]


def add_to(identity: typer.Typer) -> None:
    """Add these commands."""
    command(identity, "reviews")(identity_reviews)
    command(identity, "claim")(identity_claim)
    command(identity, "release")(identity_release)
    command(identity, "bulk")(identity_bulk)
    command(identity, "bulk-undo")(identity_bulk_undo)
    command(identity, "calibrate")(identity_calibrate)


def identity_reviews(
    call: Invocation,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1_000)] = 100,
    reason: Reason = None,
    least: Least = None,
    most: Most = None,
) -> None:
    """List the links that wait for a person's word, most useful first, side by side.

    Example: onefold identity reviews --limit 10
    """
    from onefold.app.identity import decisions

    found = decisions.reviews(call.settings, limit, reason=reason, least=least, most=most)
    call.show(found, _say_reviews)


def _say_reviews(found: ReviewPage | Claimed) -> None:
    """Each link with its two sides beside each other, and what makes them alike."""
    for one in found.items:
        alike = (
            ""
            if one.match is None
            else f", weight {one.match.weight:.2f}, probability {one.match.probability:.4f}"
        )
        say(f"{one.reason}: {one.evidence}{alike}, waits since {moment(one.since)}")
        if one.claimed_by:
            say(f"with {printable(one.claimed_by)} until {moment(one.claimed_until)}")
        left, right = one.left, one.right
        rows = [
            (name, getattr(left, name), getattr(right, name), "")
            for name in ("identifier", "profile")
        ]
        rows += [("", *both, "") for both in zip_longest(left.identifiers, right.identifiers)]
        said = dict.fromkeys(one.agrees, "agrees") | dict.fromkeys(one.differs, "differs")
        rows += [
            (name, left.traits.get(name), right.traits.get(name), said.get(name, ""))
            for name in sorted({*left.traits, *right.traits})
        ]
        table(("", "left", "right", ""), rows)
        if one.match is not None:
            say("")
            parts = [(part.what, part.level, f"{part.weight:+.2f}") for part in one.match.parts]
            table(("compared", "level", "weight"), parts)
        say("")
    if not found.items:
        say("nothing waits")


def identity_claim(
    call: Invocation,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1_000)] = 10,
    minutes: Annotated[int, typer.Option(help="For so long.", min=1, max=480)] = 15,
    by: By = "cli",
) -> None:
    """Take the most useful reviews for a while: nobody else decides them meanwhile.

    Example: onefold identity claim --limit 5 --as eve
    """
    from onefold.app.identity import review_queue

    found = review_queue.review_claim(call.settings, limit, minutes, actor=by)
    call.show(found, _say_reviews)


def identity_release(call: Invocation, by: By = "cli") -> None:
    """Give back the reviews that were claimed and not decided.

    Example: onefold identity release --as eve
    """
    from onefold.app.identity import review_queue

    call.show({"released": review_queue.review_release(call.settings, actor=by)}, fields)


def identity_bulk(
    call: Invocation,
    verdict: Annotated[str, typer.Argument(help="same or apart")],
    reason: Reason = None,
    least: Least = None,
    most: Most = None,
    token: Annotated[
        str | None, typer.Option(help="The preview's: decide what it showed, if nothing changed.")
    ] = None,
    by: By = "cli",
) -> None:
    """Show what deciding many reviews at once would do; with its token, do it.

    Example: onefold identity bulk same --least 2.5
    """
    from onefold.app.identity import review_queue
    from onefold.model.errors import InvalidInput

    if verdict not in ("same", "apart"):
        raise InvalidInput(f"{verdict!r} is no verdict: write same or apart")
    wanted = review_queue.BulkWanted("same" if verdict == "same" else "apart", reason, least, most)
    if token is None:
        call.show(review_queue.bulk_preview(call.settings, wanted, actor=by), fields)
    else:
        call.show(review_queue.bulk_decide(call.settings, wanted, token, actor=by), fields)


def identity_bulk_undo(
    call: Invocation,
    at: Annotated[int, typer.Argument(help="`at` of what was decided at once.")],
    by: By = "cli",
) -> None:
    """Take back all that was decided at once: the evidence decides again.

    Example: onefold identity bulk-undo 1790000000000000
    """
    from onefold.app.identity import review_queue

    call.show(review_queue.bulk_undo(call.settings, at, actor=by), fields)


def identity_calibrate(
    call: Invocation,
    model: Annotated[Path, typer.Argument(help="A match model's file.")],
    output: Annotated[Path, typer.Argument(help="Where the new version goes.")],
) -> None:
    """Make a new version of a match model, whose weights fit what reviewers decided.

    Example: onefold identity calibrate model.json calibrated.json
    """
    from onefold.app.identity import review_queue

    call.show(review_queue.calibrate(call.settings, model, output), fields)
