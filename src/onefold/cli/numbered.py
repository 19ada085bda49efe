"""What has a number and takes its time, jobs and loads: listed, shown, and asked to stop in one way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import fields, say, table

Number = Annotated[int, typer.Argument(metavar="ID", help="Its number.", min=1, max=1 << 62)]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")]
Cells = Mapping[str, Callable[[Any], object]]
"""What each column says of one."""


def add_show_and_cancel(app: typer.Typer, noun: str, module: str, shown: str, stopped: str) -> None:
    """Add `show` and `cancel`, which are `NOUN_show` and `NOUN_cancel` of a module.

    The module is imported only when one of them is called.
    """

    def add(verb: str, text: str) -> None:
        def run(call: Invocation, number: Number) -> None:
            act = getattr(import_module(module), f"{noun}_{verb}")
            call.show(act(call.settings, number), fields)

        run.__doc__ = f"{text}\n\nExample: onefold {noun} {verb} 3"
        command(app, verb)(run)

    add("show", f"Show one {noun}{shown}.")
    add("cancel", f"Ask a {noun} to stop; it does within seconds{stopped}.")


def show_all(call: Invocation, found: Sequence[Any], cells: Cells, empty: str) -> None:
    """Show a list of them as a table, or as data."""
    rows = [tuple(cell(one) for cell in cells.values()) for one in found]
    call.show(found, lambda _: table(tuple(cells), rows) if rows else say(empty))
