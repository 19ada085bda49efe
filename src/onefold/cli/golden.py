"""`trait`: correcting values; `quality`: how good what is known is."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from onefold.cli.invocation import Invocation, command, parse_time
from onefold.cli.rendering import fields

Who = Annotated[str, typer.Argument(metavar="KIND:VALUE", help="An identifier, or a profile's id.")]
Name = Annotated[str, typer.Argument(help="The trait.")]
Value = Annotated[
    str, typer.Argument(metavar="VALUE", help="The right value: a text, or JSON; null: none.")
]
Until = Annotated[
    str,
    typer.Option("--until", help="forever; next: until a source says something new; or a time."),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    trait = typer.Typer(help="Traits: correcting their values.", no_args_is_help=True)
    command(trait, "correct")(trait_correct)
    command(trait, "release")(trait_release)
    app.add_typer(trait, name="trait")
    command(app, "quality")(quality)


def trait_correct(
    call: Invocation, who: Who, name: Name, value: Value, until: Until = "forever"
) -> None:
    """Correct a value; it outranks what sources say.

    Example: onefold trait correct email:ann@example.com city Berlin --until next
    """
    from onefold.app.profiles import correcting

    holds, at = outranking(until)
    made = correcting.trait_correct(
        call.settings, who, name, right_value(value), holds=holds, until=at
    )
    call.show(made, fields)


def trait_release(call: Invocation, who: Who, name: Name) -> None:
    """Take the corrections of a trait back: sources decide again.

    Example: onefold trait release email:ann@example.com city
    """
    from onefold.app.profiles import correcting

    call.show(correcting.trait_release(call.settings, who, name), fields)


def quality(
    call: Invocation,
    who: Annotated[
        str, typer.Argument(metavar="[KIND:VALUE]", help="One profile; else everybody.")
    ] = "",
) -> None:
    """Judge what is known: complete, valid, fresh, consistent, unique; by trait and by source.

    Example: onefold quality
    """
    from onefold.app.profiles import quality as judging

    if who:
        call.show(judging.profile_quality(call.settings, who), fields)
    else:
        call.show(judging.quality(call.settings), fields)


def outranking(until: str) -> tuple[Any, int]:
    """How long a correction holds, and the time (µs) if it is until then."""
    holds = until if until in ("forever", "next") else "until"
    return holds, (parse_time(until) or 0) if holds == "until" else 0


def right_value(text: str) -> Any:
    """JSON where it is JSON, else the text itself."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
