"""`identity`: who is who: why, what people decide, and what waits for their word."""

from __future__ import annotations

from typing import Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import fields, structs

Left = Annotated[str, typer.Argument(metavar="KIND:VALUE", help="An identifier.")]
Right = Annotated[str, typer.Argument(metavar="KIND:VALUE", help="Another identifier.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    identity = typer.Typer(help="Who is who, why, and what people decide.", no_args_is_help=True)
    command(identity, "why")(identity_why)
    command(identity, "same")(identity_same)
    command(identity, "apart")(identity_apart)
    command(identity, "forget")(identity_forget)
    command(identity, "reviews")(identity_reviews)
    command(identity, "later")(identity_later)
    app.add_typer(identity, name="identity")


def identity_why(call: Invocation, left: Left, right: Right) -> None:
    """Show the chain of evidence that makes two identifiers one person, or what stands between.

    Example: onefold identity why email:ann@example.com user_id:ann
    """
    from onefold.app import identity_why as why

    call.show(why.identity_why(call.settings, left, right), fields)


def identity_same(call: Invocation, left: Left, right: Right) -> None:
    """Say that two identifiers are the same person, whatever the evidence.

    Example: onefold identity same crm_id:17 user_id:ann
    """
    from onefold.app import identity

    call.show(identity.identity_decide(call.settings, left, right, "same"), fields)


def identity_apart(call: Invocation, left: Left, right: Right) -> None:
    """Say that two identifiers are not the same person: undoes a merge, with all that it brought.

    Example: onefold identity apart user_id:ann user_id:bob
    """
    from onefold.app import identity

    call.show(identity.identity_decide(call.settings, left, right, "apart"), fields)


def identity_forget(call: Invocation, left: Left, right: Right) -> None:
    """Take back what was said of two identifiers: the evidence decides again.

    Example: onefold identity forget user_id:ann user_id:bob
    """
    from onefold.app import identity

    call.show(identity.identity_decide(call.settings, left, right, "open"), fields)


def identity_reviews(
    call: Invocation,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1_000)] = 100,
) -> None:
    """List the links that wait for a person's word, side by side.

    Example: onefold identity reviews --limit 10
    """
    from onefold.app import identity

    found = identity.reviews(call.settings, limit)
    call.show(found, lambda page: structs(page.items, "nothing waits"))


def identity_later(call: Invocation, left: Left, right: Right) -> None:
    """Put a review off.

    Example: onefold identity later email:ann@example.com email:a.lee@example.com
    """
    from onefold.app import identity

    identity.review_put_off(call.settings, left, right, "later")
    call.show({"left": left, "right": right, "state": "later"}, fields)
