"""`segment preview` and its kin: rules, saved or not, asked of everybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.invocation import Invocation, command, parse_time
from onefold.cli.rendering import cell, moment, printable, say, table

if TYPE_CHECKING:
    from onefold.app.questions.audiences import (
        Backtest,
        Comparison,
        CountedEvent,
        Difference,
        EventRow,
        Input,
        Overlap,
        Preview,
        Step,
        Why,
        WhyClause,
    )

Rule = Annotated[str, typer.Argument(help="A rule, or segment:NAME.", metavar="RULE")]


def add_to(segment: typer.Typer) -> None:
    """Add these commands."""
    command(segment, "preview")(preview)
    command(segment, "why")(why)
    command(segment, "overlap")(overlap)
    command(segment, "compare")(compare)
    command(segment, "backtest")(backtest)


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
    from onefold.app.questions import preview as previews
    from onefold.app.questions.audiences import PreviewQuestion

    question = PreviewQuestion(rule, sample, tuple(by or ()), tuple(event or ()))
    call.show(previews.preview(call.settings, question, _confine(call)), _say_preview)
    call.read(rules=[rule])


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
    from onefold.app.questions import why as reasons
    from onefold.app.questions.audiences import WhyQuestion

    question = WhyQuestion(_rule(call, segment), reference)
    call.show(reasons.why(call.settings, question, _confine(call)), _say_why)
    call.read(rules=[question.rule])


def overlap(
    call: Invocation,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME…", help="Two to ten segments, or rules.")
    ],
) -> None:
    """Count how many are in which of several segments at once.

    Example: onefold segment overlap loyal-customers newsletter "country = 'CN'"
    """
    from onefold.app.questions import overlap as overlaps
    from onefold.app.questions.audiences import OverlapQuestion
    from onefold.model.errors import Fault, InvalidInput

    rules = {name: _rule(call, name) for name in names}
    if not 2 <= len(rules) <= 10:
        fault = Fault(f"there are {len(rules)} different ones", "NAME")
        raise InvalidInput("name two to ten segments or rules", [fault])
    call.show(overlaps.overlap(call.settings, OverlapQuestion(rules), _confine(call)), _say_overlap)
    call.read(rules=rules.values())


def compare(
    call: Invocation,
    segment: Annotated[str, typer.Argument(metavar="NAME", help="A segment, or a rule.")],
    trait: Annotated[
        list[str] | None,
        typer.Option("--trait", metavar="TRAIT", help="Compare these traits only."),
    ] = None,
    days: Annotated[
        int, typer.Option("--days", min=1, max=366, help="Events of the last so many days.")
    ] = 30,
    most: Annotated[int, typer.Option("--most", min=1, max=200, help="At most so many.")] = 20,
) -> None:
    """Show in which traits and events a segment differs most from everybody else.

    Example: onefold segment compare loyal-customers --days 90
    """
    from onefold.app.questions import compare as comparing
    from onefold.app.questions.audiences import CompareQuestion

    question = CompareQuestion(_rule(call, segment), tuple(trait or ()), days, most)
    call.show(comparing.compare(call.settings, question, _confine(call)), _say_comparison)
    call.read(rules=[question.rule])


def backtest(
    call: Invocation,
    segment: Annotated[str, typer.Argument(metavar="NAME", help="A segment, or a rule.")],
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Only at this moment.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="When the period begins.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="When it ends; else now.")
    ] = None,
    step: Annotated[str, typer.Option("--step", metavar="day|hour", help="How finely.")] = "day",
    show: Annotated[
        int, typer.Option("--show", min=0, max=10_000, help="Show so many changes.")
    ] = 20,
) -> None:
    """Show who would have been in a segment in the past, and who would have come and gone.

    Example: onefold segment backtest loyal-customers --since 2026-01-01 --until 2026-02-01
    """
    from onefold.app.questions import backtest as past
    from onefold.app.questions.audiences import BacktestQuestion
    from onefold.app.workspace import now_us
    from onefold.model.errors import Fault, InvalidInput

    if (at is None) == (since is None):
        fault = Fault("give either a moment or when the period begins", "--at, --since")
        raise InvalidInput("there is no such period", [fault])
    if step not in ("day", "hour"):
        raise InvalidInput("there is no such step", [Fault("is day or hour", "--step")])
    steps: Step = "hour" if step == "hour" else "day"
    begin, end = parse_time(at or since) or 0, parse_time(at or until)
    question = BacktestQuestion(
        _rule(call, segment), begin, now_us() if end is None else end, steps, show
    )
    call.show(past.backtest(call.settings, question, _confine(call)), _say_backtest)
    call.read(rules=[question.rule])


def _rule(call: Invocation, given: str) -> str:
    """What was given as a rule: a name means the segment of that name, if there is one."""
    from onefold.app.questions.segments import segment_list

    known = {one.name for one in segment_list(call.settings)}
    return f"segment:{given}" if given in known else given


def _confine(call: Invocation) -> Callable[[], None]:
    """Holds this process to the limits of a query, once all is ready for it."""
    from onefold.app.questions import answering

    return partial(answering.confine, call.settings.sql_memory)


def _say_preview(found: Preview) -> None:
    share = found.count / found.total if found.total else 0.0
    say(f"{found.count:,} of {found.total:,} profiles ({share:.1%})")
    for warning in found.warnings:
        say(f"{warning}")
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
    deeper = indent + "  "
    if one.row is not None:
        _say_row(one.row, deeper)
        if one.events:
            say(f"{deeper}all that was looked at:")
            deeper += "  "
    for event in one.events:
        _say_event(event, deeper)
    if one.count is not None and one.count > len(one.events):
        say(f"{deeper}and {one.count - len(one.events):,} before")
    for inner in one.inputs:
        _say_input(inner, indent + "  ")


def _say_row(row: EventRow, indent: str) -> None:
    """What makes a sequence hold, or keeps it from it."""
    if row.state != "incomplete" or row.events:
        say(f"{indent}{_ROWS[row.state]}:")
    for event in row.events:
        _say_event(event, indent + "  ")
    if row.broken_by is not None:
        say(f"{indent}what must not follow came after it:")
        _say_event(row.broken_by, indent + "  ")
    if row.holds_from is not None:
        say(f"{indent}it holds from {moment(row.holds_from)} on, if nothing comes that must not")
    if row.expected is not None:
        say(f"{indent}{printable(row.expected)} has not come{' after it' if row.events else ''}")


_ROWS = {
    "holds": "this row holds",
    "waits": "this row is complete",
    "broken": "this row was broken",
    "too_long": "this row took too long",
    "incomplete": "this row has begun",
}


def _say_event(event: CountedEvent, indent: str) -> None:
    value = "" if event.value is None else f"  {cell(event.value)}"
    say(f"{indent}{moment(event.time)}  {printable(event.message_id)}{value}")


def _say_overlap(found: Overlap) -> None:
    table(("segment", "profiles"), list(found.sizes.items()))
    say("")
    rows = [(" + ".join(part.rules), part.profiles) for part in found.parts]
    table(("in exactly these", "profiles"), [*rows, ("(none)", found.none)])


def _say_comparison(found: Comparison) -> None:
    say(f"{found.members:,} profiles, compared with {found.others:,} others")
    if (found.members_seen, found.others_seen) != (found.members, found.others):
        say(f"(a sample: {found.members_seen:,} and {found.others_seen:,})")
    say("")
    rows = [
        (
            _what(one),
            _figure(one, one.members),
            _figure(one, one.others),
            "" if one.lift is None else f"{one.lift:.2f}",
            f"{one.difference:+.2f}",
        )
        for one in found.differences
    ]
    table(("what", "members", "others", "lift", "difference"), rows)


def _what(one: Difference) -> str:
    names = {"event": f"did {one.what}", "events": f"{one.what}, how often"}
    value = f"{one.what} = {one.value}" if one.kind == "value" else f"{one.what}, average"
    return names.get(one.kind, value)


def _figure(one: Difference, number: float) -> str:
    return f"{number:.1%}" if one.kind in ("value", "event") else f"{number:,.2f}"


def _say_backtest(found: Backtest) -> None:
    rows = [(moment(one.at), one.members, one.entered, one.left) for one in found.points]
    table(("at", "members", "entered", "left"), rows)
    if found.changes:
        say("")
        changes = [
            (moment(one.at), one.profile, "entered" if one.entered else "left")
            for one in found.changes
        ]
        table(("at", "profile", "what"), changes)
    if found.truncated:
        say("and more; see --show")
    for note in found.notes:
        say(f"\n{note.clause} {note.message}")
