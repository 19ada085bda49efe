"""`dedupe`: who is who in files, without any server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import complain, say


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "dedupe")(dedupe)


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
) -> None:
    """Find rows about the same person in one or several files.

    Example: onefold dedupe customers.csv -o clusters.parquet --golden golden.parquet
    """
    from onefold.app.dedupe import Wanted, dedupe
    from onefold.model.errors import InvalidInput

    columns = {}
    for one in column or []:
        header, equals, role = one.rpartition("=")
        if not equals or not header:
            raise InvalidInput(f"{one!r} does not say what a column holds: write HEADER=ROLE")
        columns[header] = role
    wanted = Wanted(output, golden, review, save_model, model, columns, region, link_only)
    if output is None and golden is None and not call.as_json:
        complain("nothing is written; -o FILE writes every row with its profile_id")
    call.show(
        dedupe(files, wanted),
        lambda found: say(
            f"{found.rows:,} rows are {found.profiles:,} profiles;"
            f" {found.review_pairs:,} pairs to look at; expected precision"
            f" {found.expected_precision:.3f}, recall {found.expected_recall:.3f}"
            f" (± {found.uncertainty:.3f})"
        ),
    )
