"""`rates`: what currencies are worth, by day."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import fields, say, table


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    rates = typer.Typer(help="Rates of exchange, for amounts in mappings.", no_args_is_help=True)
    command(rates, "load")(rates_load)
    command(rates, "list")(rates_list)
    app.add_typer(rates, name="rates")


def rates_load(
    call: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XML, or either in a ZIP.")],
    base: Annotated[
        str, typer.Option("--base", help="The currency of which one unit is meant.")
    ] = "EUR",
) -> None:
    """Keep rates of exchange by day, such as the files of reference rates of central banks.

    Nothing is ever fetched. Rates of the same base and day are replaced.

    Example: onefold rates load eurofxref-hist.zip
    """
    from onefold.app import rates

    call.show(rates.rates_load(call.settings, file, base=base), fields)


def rates_list(call: Invocation) -> None:
    """List which rates there are: of which currency, from when to when.

    Example: onefold rates list
    """
    from onefold.app import rates

    found = rates.rates_list(call.settings)
    rows = [
        (one.base, one.days, one.first.isoformat(), one.last.isoformat(), " ".join(sorted(one.rates)))
        for one in found
    ]  # fmt: skip
    columns = ("base", "days", "first", "last", "currencies")
    empty = "no rates; `onefold rates load FILE` keeps some"
    call.show(found, lambda _: table(columns, rows) if rows else say(empty))
