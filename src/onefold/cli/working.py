"""`job`: long work, how far it is, and stopping it."""

from __future__ import annotations

from typing import Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import fields, moment, say, table

Number = Annotated[int, typer.Argument(metavar="ID", help="Its number.", min=1, max=1 << 62)]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    job = typer.Typer(help="Long work: how far it is, and stopping it.", no_args_is_help=True)
    command(job, "list")(job_list)
    command(job, "show")(job_show)
    command(job, "cancel")(job_cancel)
    app.add_typer(job, name="job")


def job_list(
    call: Invocation,
    everything: Annotated[bool, typer.Option("--all", help="Also what has ended.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")
    ] = 100,
) -> None:
    """List long work that waits or runs, newest first, with how far it is.

    Example: onefold job list
    """
    from onefold.app import job_list as jobs

    found = jobs.job_list(call.settings, limit=limit, only_open=not everything)
    rows = [
        (one.id, one.kind, one.subject, one.state, _share(one.done, one.total), one.step,
         moment(one.created_at), one.reason)
        for one in found
    ]  # fmt: skip
    columns = ("id", "kind", "of", "state", "progress", "step", "asked", "reason")
    call.show(found, lambda _: table(columns, rows) if rows else say("no jobs"))


def job_show(call: Invocation, number: Number) -> None:
    """Show one job, with what came out of it.

    Example: onefold job show 3
    """
    from onefold.app import job_list as jobs

    call.show(jobs.job_show(call.settings, number), fields)


def job_cancel(call: Invocation, number: Number) -> None:
    """Ask a job to stop; it does within a second or two.

    Example: onefold job cancel 3
    """
    from onefold.app import job_list as jobs

    call.show(jobs.job_cancel(call.settings, number), fields)


def _share(done: int, total: int) -> str:
    return f"{100 * done // total} % of {total:,}" if total else f"{done:,}" if done else ""
