"""`segment preview` and its kin: rules, saved or not, asked of everybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import cell, moment, printable, say, table

if TYPE_CHECKING:
    from onefold.app.audiences import Input, Preview, Why, WhyClause

Rule = Annotated[str, typer.Argument(help="A rule, or segment:NAME.", metavar="RULE")]


def add_to(segment: typer.Typer) -> None:
    """Add these commands."""
    command(segment, "preview")(preview)
    command(segment, "why")(why)


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


def why(
    call: Invocation,
    segment: Annotated[str, typer.Argument(metavar="NAME", help="A segment, or a rule.")],
    reference: Annotated[
        str, typer.Argument(metavar="KIND:VALUE", help="An identifier, or a profile's id.")
    ],
) -> None:
    """Show which clauses of a segment's rule hold for a profile, and what made them so.

    Example: onefold segment why loyal-customers email:ann@example.com
    """
    from onefold.app import why as reasons
    from onefold.app.audiences import WhyQuestion

    question = WhyQuestion(_rule(call, segment), reference)
    call.show(reasons.why(call.settings, question, _confine(call)), _say_why)


def _rule(call: Invocation, given: str) -> str:
    """What was given as a rule: a name means the segment of that name, if there is one."""
    from onefold.app.segments import segment_list

    known = {one.name for one in segment_list(call.settings)}
    return f"segment:{given}" if given in known else given


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


def _say_why(found: Why) -> None:
    inside = "satisfies" if found.holds else "does not satisfy"
    say(f"{found.profile} {inside} {found.segment or 'the rule'}")
    if found.member is not None and found.since is not None:
        say(f"member since {moment(found.since)}")
    say("")
    _say_clause(found.clause, "")


def _say_clause(clause: WhyClause, indent: str) -> None:
    sign = {True: "yes", False: "no", None: "absent"}[clause.holds]
    shown = clause.text if clause.kind == "test" else _WORDS[clause.kind]
    say(f"{indent}{sign:<6}  {printable(shown)}")
    for one in clause.inputs:
        _say_input(one, indent + "        ")
    for part in clause.parts:
        _say_clause(part, indent + "  ")


_WORDS = {"and": "all of", "or": "any of", "not": "not"}


def _say_input(one: Input, indent: str) -> None:
    say(f"{indent}{printable(one.name)}: {cell(one.value) or 'absent'}")
    for event in one.events:
        value = "" if event.value is None else f"  {cell(event.value)}"
        say(f"{indent}  {moment(event.time)}  {printable(event.message_id)}{value}")
    if one.count is not None and one.count > len(one.events):
        say(f"{indent}  and {one.count - len(one.events):,} before")
    for inner in one.inputs:
        _say_input(inner, indent + "  ")
