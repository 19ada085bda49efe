"""`source` and `key`: who may send events, and who may use the API."""

from __future__ import annotations

from typing import Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import fields, say, structs

Name = Annotated[str, typer.Argument(help="Its name.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    source = typer.Typer(help="Sources: who may send events.", no_args_is_help=True)
    command(source, "add")(source_add)
    command(source, "list")(source_list)
    command(source, "disable")(source_disable)
    command(source, "enable")(source_enable)
    app.add_typer(source, name="source")
    key = typer.Typer(help="Keys of the API, with roles.", no_args_is_help=True)
    command(key, "add")(key_add)
    command(key, "list")(key_list)
    command(key, "revoke")(key_revoke)
    app.add_typer(key, name="key")


def source_add(
    call: Invocation,
    name: Name,
    kind: Annotated[str, typer.Option("--kind", help="How its events come.")] = "http",
    country: Annotated[
        str | None,
        typer.Option("--country", help="Country of phone numbers without a country code."),
    ] = None,
    ip: Annotated[
        str,
        typer.Option("--ip", help="direct: with the caller's address (see ip_mode); none."),
    ] = "direct",
    events_per_second: Annotated[
        int | None,
        typer.Option(
            "--events-per-second",
            help="Above it, calls wait for their turn, then are answered with 429.",
        ),
    ] = None,
) -> None:
    """Add a source and print its write key, which is shown only now.

    Example: onefold source add shop
    """
    from onefold.app import access

    made = access.source_add(
        call.settings,
        name,
        kind,
        default_country=country,
        ip=ip,
        events_per_second=events_per_second,
    )
    call.show(made, lambda made: say(f"write key {made.write_key}"))


def source_list(call: Invocation) -> None:
    """List the sources.

    Example: onefold source list
    """
    from onefold.app import access

    call.show(
        access.source_list(call.settings),
        lambda found: structs(found, "no sources; `onefold source add NAME` adds one"),
    )


def source_disable(call: Invocation, name: Name) -> None:
    """Accept no more events from a source; what it sent stays.

    Example: onefold source disable shop
    """
    from onefold.app import access

    call.show(access.source_disable(call.settings, name), fields)


def source_enable(call: Invocation, name: Name) -> None:
    """Accept events from a disabled source again.

    Example: onefold source enable shop
    """
    from onefold.app import access

    call.show(access.source_enable(call.settings, name, enabled=True), fields)


def key_add(
    call: Invocation,
    name: Name,
    role: Annotated[
        str, typer.Option("--role", help="What it may do: admin, editor, analyst or reader.")
    ],
) -> None:
    """Add a key for the API and print it; it is shown only now.

    Example: onefold key add dashboard --role reader
    """
    from onefold.app import access

    made = access.key_add(call.settings, name, role)
    call.show(made, lambda made: say(f"{made.role} key {made.key}"))


def key_list(call: Invocation) -> None:
    """List the keys, without their secrets.

    Example: onefold key list
    """
    from onefold.app import access

    call.show(
        access.key_list(call.settings),
        lambda found: structs(found, "no keys; `onefold key add NAME --role ROLE` adds one"),
    )


def key_revoke(call: Invocation, name: Name) -> None:
    """Revoke a key for good.

    Example: onefold key revoke dashboard
    """
    from onefold.app import access

    call.show(access.key_revoke(call.settings, name), fields)
