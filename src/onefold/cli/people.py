"""`dedupe`: who is who in files, without any server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import complain, say

if TYPE_CHECKING:
    from onefold.app.matching.dedupe import Deduped

_UNKNOWN = 0.25
"""Errors beyond that say nothing."""
_File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or Parquet, with a header.")]
_Output = Annotated[Path, typer.Option("-o", "--output", help="What is written: .csv or .parquet.")]
_Column = Annotated[
    list[str] | None, typer.Option("--column", metavar="HEADER=ROLE", help="What a column holds.")
]
_Region = Annotated[
    str | None, typer.Option("--region", help="Country of telephone numbers that name none.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "dedupe")(dedupe)
    command(app, "standardize")(standardize)
    command(app, "extract-identifiers")(extract_identifiers)
    command(app, "merge-records")(merge_records)


def dedupe(
    call: Invocation,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV or Parquet, with a header.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Every row with its profile_id: .csv or .parquet."),
    ] = None,
    golden: Annotated[
        Path | None, typer.Option("--golden", help="One row for each profile.")
    ] = None,
    review: Annotated[
        Path | None, typer.Option("--review", help="Pairs that a person should look at.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", metavar="HEADER=ROLE", help="What a column holds; FILE:HEADER=ROLE of one."
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="Country of telephone numbers that name none.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="Use this model, instead of training one.")
    ] = None,
    save_model: Annotated[
        Path | None, typer.Option("--save-model", help="Write the trained model to this file.")
    ] = None,
    link_only: Annotated[
        bool, typer.Option("--link-only", help="Each source has everybody once.")
    ] = False,
    engine: Annotated[
        str, typer.Option("--engine", help="What matches: duckdb, spark, or Spark by its URL.")
    ] = "duckdb",
) -> None:
    """Find rows about the same person in one or several files.

    Example: onefold dedupe customers.csv -o clusters.parquet --golden golden.parquet
    """
    from onefold.app.matching.dedupe import Wanted, dedupe

    columns = _columns(column)
    wanted = Wanted(output, golden, review, save_model, model, columns, region, link_only, engine)
    if output is None and golden is None and not call.as_json:
        complain("nothing is written; -o FILE writes every row with its profile_id")
    call.show(
        dedupe(files, wanted),
        lambda found: say(
            f"{_so_many(found.rows, 'row')} {_are(found.rows)} {_so_many(found.profiles, 'profile')};"
            f" {_so_many(found.review_pairs, 'pair')} to look at; {_how_sure(found)}"
        ),
    )


def _so_many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _how_sure(found: Deduped) -> str:
    """How good the model expects to be; of a few rows that is not known."""
    if not found.compared_pairs:
        return "no two rows have enough in common to be compared"
    if max(found.precision_error, found.recall_error, found.blocking_error) > _UNKNOWN:
        return "how sure that is cannot be told of so few that are alike"
    return (
        f"expected precision {found.expected_precision:.3f} ± {found.precision_error:.3f}, recall"
        f" {found.expected_recall:.3f} ± {found.recall_error:.3f}; keys find"
        f" {found.blocking_recall:.3f} ± {found.blocking_error:.3f}"
    )


def _columns(told: list[str] | None) -> dict[str, str]:
    """What `--column` says, by header; every one that cannot be read."""
    from onefold.model.errors import Fault, InvalidInput

    found, faults = {}, []
    for one in told or []:
        header, equals, role = one.rpartition("=")
        if not equals or not header or not role:
            faults.append(Fault("does not say what a column holds", one, "write HEADER=ROLE"))
        found[header] = role
    if faults:
        raise InvalidInput("--column cannot be read", faults)
    return found


def standardize(
    call: Invocation,
    file: _File,
    output: _Output,
    column: _Column = None,
    region: _Region = None,
    date_order: Annotated[
        str | None,
        typer.Option("--date-order", help="dmy or mdy; else the dates of the file decide."),
    ] = None,
) -> None:
    """Write records of people in standard columns.

    Example: onefold standardize customers.csv -o standard.parquet --region US
    """
    from onefold.app.matching.file_commands import Given, standardize_file
    from onefold.model.errors import Fault, InvalidInput

    if date_order not in (None, "dmy", "mdy"):
        raise InvalidInput(
            "--date-order cannot be read", [Fault("is dmy or mdy", date_order or "")]
        )
    given = Given(file, _columns(column), region, date_order)
    call.show(
        standardize_file(given, output),
        lambda found: say(f"{_so_many(found.rows, 'row')} in standard columns"),
    )


def extract_identifiers(
    call: Invocation, file: _File, output: _Output, column: _Column = None, region: _Region = None
) -> None:
    """Write the identifiers of records of people, as events would have them.

    Example: onefold extract-identifiers customers.csv -o identifiers.csv --region US
    """
    from onefold.app.matching.file_commands import Given, identifiers_of_file

    given = Given(file, _columns(column), region)
    call.show(
        identifiers_of_file(given, output),
        lambda found: say(
            f"{_so_many(found.written, 'identifier')} in {_so_many(found.rows, 'row')}"
        ),
    )


def merge_records(
    call: Invocation,
    file: _File,
    output: _Output,
    by: Annotated[str, typer.Option("--by", help="The column that says which rows are one.")],
    column: _Column = None,
) -> None:
    """Write one golden row for all rows that have the same value in a column.

    Example: onefold merge-records clusters.parquet --by profile_id -o golden.parquet
    """
    from onefold.app.matching.file_commands import Given, merge_file

    given = Given(file, _columns(column))
    call.show(
        merge_file(given, by, output),
        lambda found: say(
            f"{_so_many(found.rows, 'row')} {_are(found.rows)} {_so_many(found.written, 'golden one')}"
        ),
    )
