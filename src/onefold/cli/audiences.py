"""`segment preview` and its kin: rules, saved or not, asked of everybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import say, table

if TYPE_CHECKING:
    from onefold.app.audiences import Preview

Rule = Annotated[str, typer.Argument(help="A rule, or segment:NAME.", metavar="RULE")]


def add_to(segment: typer.Typer) -> None:
    """Add these commands."""
    command(segment, "preview")(preview)


def preview(
    call: Invocation,
    rule: Rule,
    sample: Annotated[
        int, typer.Option("--sample", min=0, max=100, help="Show so many of them.")
    ] = 10,
    by: Annotated[
        list[str] | None, typer.Option("--by", metavar="TRAIT", help="Count them by this trait.")
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="NAME", help="Count this event of theirs, day by day."),
    ] = None,
) -> None:
    """Count who satisfies a rule now, and show some of them; nothing has to be saved first.

    Example: onefold segment preview "country = 'CN' and did('Order Completed')" --by city
    """
    from onefold.app import preview as previews
    from onefold.app.audiences import PreviewQuestion

    question = PreviewQuestion(rule, sample, tuple(by or ()), tuple(event or ()))
    call.show(previews.preview(call.settings, question, _confine(call)), _say_preview)


def _confine(call: Invocation) -> Callable[[], None]:
    """Holds this process to the limits of a query, once all is ready for it."""
    from onefold.app import answering

    return partial(answering.confine, call.settings.sql_memory)


def _say_preview(found: Preview) -> None:
    share = found.count / found.total if found.total else 0.0
    say(f"{found.count:,} of {found.total:,} profiles ({share:.1%})")
    if found.sample:
        say("")
        table(("profile", "traits"), [(one.profile, one.traits) for one in found.sample])
    for trait in found.by:
        say("")
        rows = [(one.value, one.profiles) for one in trait.values]
        rows += [("(others)", trait.other)] if trait.other else []
        rows += [("(none)", trait.absent)] if trait.absent else []
        table((trait.by, "profiles"), rows)
    for event in found.events:
        say("")
        table(
            (event.event, "events", "profiles"),
            [(one.day, one.events, one.profiles) for one in event.days if one.events],
        )
