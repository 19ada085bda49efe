"""`household`: people who live together."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from onefold.cli.invocation import Invocation, command, parse_time
from onefold.cli.rendering import fields, structs

Left = Annotated[str, typer.Argument(metavar="KIND:VALUE", help="An identifier.")]
Right = Annotated[str, typer.Argument(metavar="KIND:VALUE", help="Another identifier.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    household = typer.Typer(help="Households: people who live together.", no_args_is_help=True)
    command(household, "list")(household_list)
    command(household, "show")(household_show)
    command(household, "history")(household_history)
    command(household, "together")(household_together)
    command(household, "apart")(household_apart)
    command(household, "forget")(household_forget)
    app.add_typer(household, name="household")


def household_list(
    call: Invocation,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")
    ] = 100,
    cursor: Annotated[str, typer.Option("--cursor", help="`next` of the page before.")] = "",
) -> None:
    """List households: how many people, and what they have in common.

    Example: onefold household list
    """
    from onefold.app.groups import households

    page = households.household_list(call.settings, limit, cursor)
    call.show(page, lambda page: structs(page.items, "nobody is known to live with somebody"))


def household_show(
    call: Invocation,
    who: Annotated[
        str, typer.Argument(metavar="KIND:VALUE", help="One of its people, or its own id.")
    ],
    as_of: Annotated[str, typer.Option("--as-of", help="As it was at this ISO time.")] = "",
) -> None:
    """Show a household: its people, the traits that they have in common, what they add up to.

    Example: onefold household show email:ann@example.com
    """
    from onefold.app.groups import households, households_past

    if as_of:
        at = parse_time(as_of) or 0
        call.show(households_past.household_as_of(call.settings, who, at), fields)
    else:
        call.show(households.household(call.settings, who), fields)


def household_history(
    call: Invocation,
    who: Annotated[
        str, typer.Argument(metavar="KIND:VALUE", help="One of its people, or its own id.")
    ],
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")
    ] = 100,
    cursor: Annotated[str, typer.Option("--cursor", help="`next` of the page before.")] = "",
) -> None:
    """Show when two of its people were said to live together, and no longer; the newest first.

    Example: onefold household history email:ann@example.com
    """
    from onefold.app.groups import households_past

    page = households_past.household_history(call.settings, who, limit, cursor)
    call.show(page, lambda page: structs(page.items, "nothing changed"))


def household_together(call: Invocation, left: Left, right: Right) -> None:
    """Say that two people live together; they stay two people.

    Example: onefold household together user_id:ann user_id:bob
    """
    call.show(_say(call, left, right, "yes"), fields)


def household_apart(call: Invocation, left: Left, right: Right) -> None:
    """Say that two people do not live together, whatever their claims say.

    Example: onefold household apart user_id:ann user_id:bob
    """
    call.show(_say(call, left, right, "no"), fields)


def household_forget(call: Invocation, left: Left, right: Right) -> None:
    """Take back what was said of two people: their claims decide again.

    Example: onefold household forget user_id:ann user_id:bob
    """
    call.show(_say(call, left, right, "open"), fields)


def _say(call: Invocation, left: str, right: str, together: Any) -> Any:
    from onefold.app.groups import households

    return households.household_say(call.settings, left, right, together)
