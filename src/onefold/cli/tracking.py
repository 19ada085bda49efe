"""`tracking`: what broke tracking plans, and drafts of them."""

from __future__ import annotations

from typing import Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import say, structs

Source = Annotated[str, typer.Option("--source", help="Only of this source (its id).")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    tracking = typer.Typer(help="Tracking plans: what breaks them, drafts.", no_args_is_help=True)
    command(tracking, "violations")(violations)
    command(tracking, "draft")(draft)
    app.add_typer(tracking, name="tracking")


def violations(
    call: Invocation,
    days: Annotated[int, typer.Option("--days", help="How far back, at most 90.")] = 7,
    source: Source = "",
    event: Annotated[str, typer.Option("--event", help="Only of this event.")] = "",
    plan: Annotated[str, typer.Option("--plan", help="Only of this plan.")] = "",
    by_hour: Annotated[bool, typer.Option("--by-hour", help="Each hour by itself.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most lines.")] = 100,
) -> None:
    """List what broke tracking plans: by plan, source, event and field, the most frequent first.

    Example: onefold tracking violations --days 1
    """
    from onefold.app.tracking_plans import violation_list

    found = violation_list(
        call.settings,
        days=days,
        source=source,
        event=event,
        plan=plan,
        by_hour=by_hour,
        limit=limit,
    )
    call.show(found, lambda rows: structs(rows, "no violations"))


def draft(
    call: Invocation,
    event: Annotated[
        str, typer.Argument(help="The name of a track event; empty with --type.")
    ] = "",
    kind: Annotated[
        str, typer.Option("--type", help="The type, such as identify, of events without names.")
    ] = "track",
    source: Source = "",
    days: Annotated[int, typer.Option("--days", help="How far back, at most 90.")] = 30,
) -> None:
    """Draft a tracking plan that all events obey which came in, as YAML to be corrected.

    Example: onefold tracking draft "Order Completed" > definitions/order-completed.yaml
    """
    from onefold.app.questions.drafting import plan_draft

    found = plan_draft(call.settings, event, kind=kind, source=source, days=days)
    call.show(found, lambda made: say(made.yaml.rstrip()))
