"""`tag`: giving tags, refreshing them, and how they are doing; `segment upload`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import fields, structs
from onefold.model.errors import InvalidInput

Name = Annotated[str, typer.Argument(help="The tag.")]
Who = Annotated[str, typer.Argument(metavar="KIND:VALUE", help="An identifier, or a profile's id.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file, one identifier a row.")]
Column = Annotated[
    str,
    typer.Option("--column", help="The column of the identifiers: its header, or number from 1."),
]
Encoding = Annotated[
    str, typer.Option("--encoding", help="Such as gb18030; UTF-8 and UTF-16 are recognized.")
]
_PIECE = 1 << 20


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    tag = typer.Typer(help="Tags: who has them, giving them, refreshing.", no_args_is_help=True)
    command(tag, "list")(tag_list)
    command(tag, "health")(tag_health)
    command(tag, "set")(tag_set)
    command(tag, "unset")(tag_unset)
    command(tag, "import")(tag_import)
    command(tag, "refresh")(tag_refresh)
    app.add_typer(tag, name="tag")


def tag_list(call: Invocation) -> None:
    """List the tags: where their values come from, how many profiles have one, as of when.

    Example: onefold tag list
    """
    from onefold.app.tags import health

    call.show(health.tag_list(call.settings), lambda found: structs(found, "no tags"))


def tag_health(call: Invocation, name: Name) -> None:
    """Show how a tag is doing: coverage, drift, what uses it, what it costs.

    Example: onefold tag health rfm
    """
    from onefold.app.tags import health

    call.show(health.tag_health(call.settings, name), fields)


def tag_set(
    call: Invocation,
    name: Name,
    who: Who,
    value: Annotated[str, typer.Argument(help="One of the tag's values.")],
) -> None:
    """Give a tag to somebody; who is not known yet has it as soon as they are.

    Example: onefold tag set care email:ann@example.com gold
    """
    from onefold.app.profiles import given

    call.show(given.tag_set(call.settings, name, who, value), fields)


def tag_unset(call: Invocation, name: Name, who: Who) -> None:
    """Take a tag away that was given.

    Example: onefold tag unset care email:ann@example.com
    """
    from onefold.app.profiles import given

    call.show(given.tag_set(call.settings, name, who, None), fields)


def tag_import(
    call: Invocation,
    name: Name,
    file: File,
    kind: Annotated[str, typer.Option("--kind", help="The kind of the identifiers.")] = "email",
    column: Column = "",
    encoding: Encoding = "",
) -> None:
    """Give a tag to many: a CSV file with an identifier and a value in each row.

    A job of the running Onefold takes the rows in; `onefold job show` tells how far it is.

    Example: onefold tag import care care.csv --kind email
    """
    from onefold.app.profiles import uploads

    spool = uploads.received(call.settings, _pieces(file))
    found = uploads.tag_import(call.settings, name, spool, kind, column=column, encoding=encoding)
    call.show(found, fields)


def tag_refresh(call: Invocation, name: Name) -> None:
    """Compute a tag that needs everybody now, without waiting until it is due.

    Example: onefold tag refresh rfm
    """
    from onefold.app.evaluation import refreshing

    call.show(refreshing.refresh_tag(call.settings, name), fields)


def segment_upload(
    call: Invocation,
    name: Annotated[str, typer.Argument(help="A segment that is defined by a list.")],
    file: File,
    kind: Annotated[
        str, typer.Option("--kind", help="The kind of the identifiers, if not the segment's own.")
    ] = "",
    column: Column = "",
    encoding: Encoding = "",
) -> None:
    """Make a CSV file of identifiers the next version of a segment's list.

    A job of the running Onefold takes it in; the version before holds until all of it is.

    Example: onefold segment upload guests guests.csv --kind email
    """
    from onefold.app.profiles import uploads

    spool = uploads.received(call.settings, _pieces(file))
    found = uploads.segment_upload(
        call.settings, name, spool, kind, column=column, encoding=encoding
    )
    call.show(found, fields)


def _pieces(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE):
                yield piece
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
