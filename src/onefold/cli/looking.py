"""`profile`, `segment`, `sql`, `status`, `config`: questions, which change nothing."""

from __future__ import annotations

import csv
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from onefold.cli import audiences, tagging
from onefold.cli.invocation import Invocation, command, parse_time
from onefold.cli.rendering import complain, fields, structs, table, write_json
from onefold.config import as_text, catalogue
from onefold.model.quantities import rough_size

if TYPE_CHECKING:
    from onefold.app.answers import Table
    from onefold.app.status import Status


class Format(StrEnum):
    """How `sql` writes its rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class SettingRow(msgspec.Struct, frozen=True):
    """A setting as `config` shows it."""

    name: str
    value: Any
    origin: str
    help: str


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "profile")(profile)
    segment = typer.Typer(help="Segments and who is in them.", no_args_is_help=True)
    command(segment, "list")(segment_list)
    command(segment, "members")(segment_members)
    command(segment, "upload")(tagging.segment_upload)
    audiences.add_to(segment)
    app.add_typer(segment, name="segment")
    command(app, "sql")(sql)
    command(app, "status")(status)
    command(app, "config", every_flag=True)(config)


def profile(
    call: Invocation,
    reference: Annotated[
        str, typer.Argument(metavar="KIND:VALUE", help="An identifier, or a profile's id.")
    ],
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="As it was at this time.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="With source and time of each trait.")
    ] = False,
    why_trait: Annotated[
        str,
        typer.Option("--why-trait", metavar="NAME", help="All claims of a trait: who won, why."),
    ] = "",
) -> None:
    """Show a customer's profile: identifiers, traits, segments.

    Example: onefold profile email:ann@example.com
    """
    from onefold.app.profiles import claims, finding, lookback

    at = parse_time(as_of)
    if why_trait:
        (why,) = claims.profile_claims(call.settings, reference, why_trait).traits
        call.show(why, fields)
        return
    if at is not None:
        found = lookback.profile_as_of(call.settings, reference, at)
    elif verbose:
        found = claims.profile_in_full(call.settings, reference)
    else:
        found = finding.profile(call.settings, reference)
    call.show(found, fields)
    call.read(tags=found.tags)


def segment_list(call: Invocation) -> None:
    """List the segments with their rules and how many profiles are in them.

    Example: onefold segment list
    """
    from onefold.app.questions import segments

    call.show(
        segments.segment_list(call.settings),
        lambda found: structs(found, "no segments; `onefold apply DIR` puts definitions in force"),
    )


def segment_members(
    call: Invocation,
    name: Annotated[str, typer.Argument(help="The segment.")],
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many.")
    ] = 100,
    after: Annotated[str, typer.Option("--after", help="Only those after this profile id.")] = "",
) -> None:
    """List the profiles that are in a segment now.

    Example: onefold segment members big-spenders --limit 20
    """
    from onefold.app.questions import segments

    call.show(
        segments.segment_members(call.settings, name, limit=limit, after=after),
        lambda found: structs(found, "nobody is in it"),
    )
    call.read(segment=name)


def sql(
    call: Invocation,
    query: Annotated[str, typer.Argument(help="One SELECT over the lake's tables.")],
    form: Annotated[
        Format, typer.Option("--format", help="How the rows are written.")
    ] = Format.TABLE,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many rows.")
    ] = None,
) -> None:
    """Ask the lake: events, profiles, identifiers, memberships, links, changes.

    Example: onefold sql "select name, count(*) as n from events group by name order by n desc"
    """
    from onefold.app.questions import answering
    from onefold.app.questions import query as queries

    def confine() -> None:
        answering.confine(call.settings.sql_memory)

    found = queries.sql(call.settings, query, limit, confine)
    if call.as_json or form is Format.JSON:
        write_json(found)
    elif form is Format.CSV:
        _write_csv(found)
    else:
        table(found.columns, found.rows)
    if found.truncated:
        complain(f"there are more than these {len(found.rows)} rows; see --limit and sql_rows")
    call.read(queries=[query])


def status(call: Invocation) -> None:
    """Show how Onefold is: what waits, what is stored, what is wrong.

    Example: onefold status
    """
    from onefold.app import status as states

    call.show(states.status(call.settings), _say_status)


def config(call: Invocation) -> None:
    """Print each setting with its value and where that came from.

    Example: onefold config --port 9000
    """
    loaded = call.loaded
    rows = [
        SettingRow(
            name,
            "********" if row.about.secret else getattr(loaded.settings, name),
            loaded.origins[name],
            row.about.help,
        )
        for name, row in catalogue().items()
    ]
    readable = [(row.name, as_text(catalogue()[row.name], row.value), row.origin) for row in rows]
    call.show(rows, lambda _: table(("setting", "value", "origin"), readable))


def _say_status(found: Status) -> None:
    waiting = {partition: rough_size(size) for partition, size in found.log.items()}
    sizes = {"log": waiting, "disk_free": rough_size(found.disk_free)}
    fields(msgspec.to_builtins(found) | sizes)


def _write_csv(found: Table) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(found.columns)
    for row in found.rows:
        writer.writerow([_plain(value) for value in row])


def _plain(value: Any) -> Any:
    """A value as it stands in a CSV file: nested ones as JSON, times as ISO."""
    builtin = msgspec.to_builtins(value, enc_hook=str)
    if isinstance(builtin, dict | list):
        return msgspec.json.encode(builtin).decode()
    return builtin
