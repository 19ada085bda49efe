"""`mapping`: what the records of a file could become."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.importing import read_options
from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import complain, say, structs, table

if TYPE_CHECKING:
    from onefold.app.imports.standards import TriedValue
    from onefold.app.imports.suggested import SuggestedFor


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    mapping = typer.Typer(help="Mappings: what records of others become.", no_args_is_help=True)
    command(mapping, "suggest")(suggest)
    command(mapping, "standards")(standards)
    app.add_typer(mapping, name="mapping")


def suggest(
    call: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of records.")],
    source: Annotated[
        str, typer.Option("--source", help="Whose data it is; without, the file's name.")
    ] = "",
    form: Annotated[
        str, typer.Option("--format", help="What it is, where that cannot be seen: csv, fixed …")
    ] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="How it is read: header=0 …"),
    ] = None,
) -> None:
    """Say what the fields of a file could become, why, and how sure that is; changes nothing.

    From their names (Chinese, English, German, Japanese), their values, and the identifiers that are
    known already. The mapping is on stdout, the reasons are on stderr: look at both, correct the file, and put
    it in force with `onefold apply`.

    Example: onefold mapping suggest customers.csv > definitions/customers.yaml
    """
    from onefold.app.imports import suggesting
    from onefold.app.imports.wanted import Wanted

    found = suggesting.suggest(
        call.settings, Wanted(file, source, format=form, options=read_options(option))
    )
    call.show(found, _show)


def standards(
    call: Invocation,
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="The standard; without, all are listed.")
    ] = "",
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VALUE]...", help="What it is tried with; -: lines of stdin."),
    ] = None,
    country: Annotated[
        str | None, typer.Option("--country", help="Of telephone numbers that name none.")
    ] = None,
) -> None:
    """List what values can be standardized to, and on whose authority; or try it with values.

    Each different value is told once, with how often it stands there. What it cannot be read as is told as –.

    Example: onefold mapping standards country Deutschland 中国 Narnia
    """
    from onefold.app.imports import standards

    if not name:
        call.show(standards.listed(), lambda found: structs(found, ""))
        return
    given = values or []
    if given == ["-"]:
        given = [line.rstrip("\r\n") for line in sys.stdin]
    call.show(standards.tried(name, given, country), _show_tried)


def _show_tried(found: Sequence[TriedValue]) -> None:
    rows = [(one.value, "–" if one.becomes is None else one.becomes, one.rows) for one in found]
    table(("value", "becomes", "rows"), rows)


def _show(found: SuggestedFor) -> None:
    table(
        ("field", "becomes", "sure", "why"),
        [
            (one.field, one.target or "–", f"{one.confidence:.0%}", one.reason)
            for one in found.fields
        ],
        sys.stderr,
    )
    if found.country:
        complain(
            f"country: {found.country.code}, {found.country.confidence:.0%} sure: {found.country.reason}"
        )
    for note in found.notes:
        complain(f"to decide: {note}")
    complain("")
    say(found.text.rstrip())
