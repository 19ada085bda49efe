"""`source run` and what else concerns sources that are pulled; `load` and `secret`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.numbered import Cells, Limit, add_show_and_cancel, show_all
from onefold.cli.rehearsed import progress, show_rehearsed
from onefold.cli.rendering import complain, fields, moment, say, structs, table
from onefold.model.loads import Load

Name = Annotated[str, typer.Argument(help="Its name.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    source = next(one.typer_instance for one in app.registered_groups if one.name == "source")
    assert source is not None
    command(source, "run")(source_run)
    command(source, "status")(source_status)
    command(source, "test")(source_test)
    command(source, "pause")(source_pause)
    command(source, "resume")(source_resume)
    command(source, "reset")(source_reset)
    command(source, "release")(source_release)
    load = typer.Typer(help="Loads: what each run of a source brought.", no_args_is_help=True)
    command(load, "list")(load_list)
    report = " with its report: streams, changes, reasons, fields that are new or gone"
    kept = ", and what it brought stays"
    add_show_and_cancel(load, "load", "onefold.app.syncs.services", report, kept)
    app.add_typer(load, name="load")
    secret = typer.Typer(
        help="Secrets: kept encrypted, named by definitions.", no_args_is_help=True
    )
    command(secret, "set")(secret_set)
    command(secret, "list")(secret_list)
    command(secret, "remove")(secret_remove)
    app.add_typer(secret, name="secret")


def source_run(
    call: Invocation,
    name: Name,
    later: Annotated[
        bool, typer.Option("--later", help="Let the jobs process do it, and do not wait.")
    ] = False,
) -> None:
    """Read a pulled source now, from where its last run ended, and say what came.

    Example: onefold source run crm
    """
    from onefold.app.syncs import services

    if later:
        call.show(services.source_ask(call.settings, name), fields)
        return
    tell = None if call.as_json or not sys.stderr.isatty() else _progress
    call.show(services.source_run(call.settings, name, tell=tell), fields)


def source_test(
    call: Invocation,
    name: Name,
    sample: Annotated[
        int, typer.Option("--sample", min=1, max=100_000, help="Rehearse with so many rows.")
    ] = 3_000,
    everything: Annotated[
        bool, typer.Option("--all", help="Read to the end; try rows at even distances.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="From the beginning, not where the next run goes on.")
    ] = False,
    payload: Annotated[
        Path | None,
        typer.Option("--payload", metavar="FILE", help="A delivery or message instead."),
    ] = None,
    stream: Annotated[
        str, typer.Option("--stream", help="The payload's topic or table, if it does not say.")
    ] = "",
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the rehearsal as a page, too.")
    ] = None,
    language: Annotated[
        str, typer.Option("--language", help="Of that page: en or zh (中文).")
    ] = "en",
) -> None:
    """Say what a source's next run would bring; nothing is kept, here or there.

    Its position stays. Streams are only looked at: tables as they are now, messages without the group that
    reads them. What pushes is tried with --payload, a delivery as it comes.

    Example: onefold source test crm
    """
    from onefold.app.imports import source_rehearsing

    found = source_rehearsing.rehearse_source(
        call.settings,
        name,
        sample=sample,
        everything=everything,
        anew=anew,
        payload=source_rehearsing.payload_in(payload) if payload else None,
        stream=stream,
        tell=progress(call),
    )
    show_rehearsed(call, found, (html, language))


def source_status(call: Invocation) -> None:
    """List pulled sources: what each is doing, when it ran, when it runs next, and what fails.

    Example: onefold source status
    """
    from onefold.app.syncs import services

    found = services.source_states(call.settings)
    rows = [
        (one.name, one.type, one.doing, one.schedule, _when(one.succeeded_at),
         _when(one.next_at), one.failures, one.reason)
        for one in found
    ]  # fmt: skip
    columns = ("name", "type", "doing", "schedule", "succeeded", "next", "failures", "reason")
    empty = "no sources are pulled; `onefold apply` puts definitions of kind source in force"
    call.show(found, lambda _: table(columns, rows) if rows else say(empty))


def source_pause(call: Invocation, name: Name) -> None:
    """Read a source no more until it is resumed; a load under way ends within seconds.

    Example: onefold source pause crm
    """
    from onefold.app.syncs import services

    call.show(services.source_pause(call.settings, name, paused=True), fields)


def source_resume(call: Invocation, name: Name) -> None:
    """Read a paused source again, from where it was.

    Example: onefold source resume crm
    """
    from onefold.app.syncs import services

    call.show(services.source_pause(call.settings, name, paused=False), fields)


def source_reset(call: Invocation, name: Name) -> None:
    """Forget where a source goes on: the next run reads everything again.

    Example: onefold source reset crm
    """
    from onefold.app.syncs import services

    call.show(services.source_reset(call.settings, name), fields)


def source_release(call: Invocation, name: Name) -> None:
    """Take away what a source keeps on the other system (PostgreSQL's slot); before or after it is removed.

    Example: onefold source release crm
    """
    from onefold.app.syncs import services

    call.show(services.source_release(call.settings, name), fields)


def load_list(
    call: Invocation,
    source: Annotated[str, typer.Option("--source", help="Only of this source.")] = "",
    limit: Limit = 100,
) -> None:
    """List loads, newest first: how far each is, and how it ended.

    Example: onefold load list --source crm
    """
    from onefold.app.syncs import services

    show_all(
        call, services.load_list(call.settings, limit=limit, source=source), _CELLS, "no loads"
    )


def secret_set(call: Invocation, name: Name) -> None:
    """Keep a secret, asked for or read from stdin; definitions name it as `{secret: NAME}`.

    Example: onefold secret set crm-password < password.txt
    """
    from onefold.app import secret_values

    if sys.stdin.isatty():
        value = typer.prompt("value", hide_input=True, err=True)
    else:
        value = sys.stdin.read().rstrip("\r\n")
    call.show(secret_values.secret_set(call.settings, name, value), fields)


def secret_list(call: Invocation) -> None:
    """List secrets: their names, never their values.

    Example: onefold secret list
    """
    from onefold.app import secret_values

    found = secret_values.secret_list(call.settings)
    call.show(found, lambda _: structs(found, "no secrets; `onefold secret set NAME` keeps one"))


def secret_remove(call: Invocation, name: Name) -> None:
    """Forget a secret.

    Example: onefold secret remove crm-password
    """
    from onefold.app import secret_values

    call.show(secret_values.secret_remove(call.settings, name), fields)


def _progress(load: Load) -> None:
    from onefold.app.workspace import now_us

    now = now_us()
    rate, left = load.rate(now), _left(load.remaining(now))
    complain(f"{load.rows:,} rows, {rate:,.0f} a second{', ' + left + ' left' if left else ''}")


def _when(at: int | None) -> str:
    return "" if at is None else moment(at)


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


_CELLS: Cells = {
    "id": lambda one: one.id,
    "source": lambda one: one.source,
    "kind": lambda one: one.kind,
    "state": lambda one: one.state,
    "started": lambda one: moment(one.started_at),
    "rows": lambda one: one.rows,
    "events": lambda one: one.events,
    "rejects": lambda one: one.rejects,
    "left": lambda one: _left(one.remaining),
    "reason": lambda one: one.reason,
}
