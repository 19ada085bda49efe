"""`job`: long work, how far it is, and stopping it."""

from __future__ import annotations

from typing import Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.numbered import Cells, Limit, add_show_and_cancel, show_all
from onefold.cli.rendering import moment


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    job = typer.Typer(help="Long work: how far it is, and stopping it.", no_args_is_help=True)
    command(job, "list")(job_list)
    add_show_and_cancel(job, "job", "onefold.app.job_list", ", with what came out of it", "")
    app.add_typer(job, name="job")


def job_list(
    call: Invocation,
    everything: Annotated[bool, typer.Option("--all", help="Also what has ended.")] = False,
    limit: Limit = 100,
) -> None:
    """List long work that waits or runs, newest first, with how far it is.

    Example: onefold job list
    """
    from onefold.app import job_list as jobs

    found = jobs.job_list(call.settings, limit=limit, only_open=not everything)
    show_all(call, found, _CELLS, "no jobs")


def _share(done: int, total: int) -> str:
    return f"{100 * done // total} % of {total:,}" if total else f"{done:,}" if done else ""


_CELLS: Cells = {
    "id": lambda one: one.id,
    "kind": lambda one: one.kind,
    "of": lambda one: one.subject,
    "state": lambda one: one.state,
    "progress": lambda one: _share(one.done, one.total),
    "step": lambda one: one.step,
    "asked": lambda one: moment(one.created_at),
    "reason": lambda one: one.reason,
}
