"""`import`: files into profiles; tried before, and taken back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.numbered import Number
from onefold.cli.rehearsed import Page, progress, show_rehearsed
from onefold.cli.rendering import say

if TYPE_CHECKING:
    from onefold.app.imports.importing import Imported
    from onefold.app.imports.wanted import Wanted


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "import")(import_file)
    load = next(one.typer_instance for one in app.registered_groups if one.name == "load")
    assert load is not None
    command(load, "undo")(load_undo)


def import_file(
    call: Invocation,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV, fixed width, Excel, JSON, NDJSON, XML, Parquet or Avro."
        ),
    ],
    source: Annotated[
        str, typer.Option("--source", help="Whose data it is; without, the file's name.")
    ] = "",
    mapping: Annotated[
        str, typer.Option("--mapping", help="What its records become; without, the source's.")
    ] = "",
    form: Annotated[
        str, typer.Option("--format", help="What it is, where that cannot be seen: csv, fixed …")
    ] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="How it is read: encoding=big5 …"),
    ] = None,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Only say what it would do; nothing is kept.")
    ] = False,
    sample: Annotated[
        int, typer.Option("--sample", min=1, max=100_000, help="Rehearse with so many rows.")
    ] = 3_000,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the rehearsal as a page, too.")
    ] = None,
    language: Annotated[
        str, typer.Option("--language", help="Of that page: en or zh (中文).")
    ] = "en",
) -> None:
    """Bring the records of a file into profiles; goes on where a crash broke it off.

    Works with a running server or without. Rows with a time of their own count once, however often they
    are imported. With --rehearse it says
    what would come of it: rejects, new, updated and merged profiles, conflicts, segments, data quality.

    Example: onefold import customers.csv --source crm --rehearse
    """
    from onefold.app.imports import importing
    from onefold.app.imports.wanted import Wanted

    wanted = Wanted(file, source, mapping, form, read_options(option))
    tell = progress(call)
    if rehearse or html:
        _rehearse(call, wanted, sample, (html, language))
        return
    found = importing.import_file(
        call.settings, wanted, tell=tell, folding=lambda: _worker_beside(call)
    )
    call.show(found, _show)


def load_undo(
    call: Invocation,
    number: Number,
) -> None:
    """Take back exactly what a load brought: everything becomes as if it had never come.

    All other events are folded again for that. The same file can be imported anew afterwards.

    Example: onefold load undo 3
    """
    from onefold.app.imports.undoing import undo_load

    call.show(
        undo_load(call.settings, number),
        lambda found: say(
            f"load {found.load} of {found.source} is taken back: {found.events:,} events,"
            f" {found.rejects:,} rejects, {found.profiles:,} profiles"
        ),
    )


def _rehearse(call: Invocation, wanted: Wanted, sample: int, page: Page) -> None:
    from onefold.app.imports import rehearsing

    show_rehearsed(call, rehearsing.rehearse(call.settings, wanted, sample=sample), page)


def _show(found: Imported) -> None:
    from onefold.app.imports.measuring import NAMELESS_HINTS

    say(
        f"load {found.load}: {found.rows + found.unreadable:,} rows of {found.source} in"
        f" {found.seconds:,} s: {found.events:,} events, {found.rejects:,} rejects,"
        f" {found.repeats:,} that came before; {found.profiles:,} new profiles"
    )
    for kind, count in found.nameless.items():
        say(f"  {kind}: {count:,} values identify nobody: {NAMELESS_HINTS[kind]}")
    for reason, count in found.reasons.items():
        say(f"  {count:,} × {reason}")
    if found.rejects:
        say("`onefold rejects list` shows them with the rows as they came")
    if found.same_as:
        say(
            f"this seems to be the file of load {found.same_as}: rows without a time of their own"
            f" count twice now; `onefold load undo {found.load}` takes this load back"
        )


def read_options(given: list[str] | None) -> dict[str, Any]:
    """What `--option` says; values as JSON where they are, else as text."""
    import msgspec

    from onefold.model.errors import Fault, InvalidInput

    found: dict[str, Any] = {}
    faults = []
    for one in given or []:
        name, equals, value = one.partition("=")
        if not equals or not name:
            faults.append(Fault("is no option", one, "write NAME=VALUE, such as delimiter=;"))
            continue
        try:
            found[name] = msgspec.json.decode(value) if value[:1] in '[{"0123456789tfn' else value
        except msgspec.DecodeError:
            found[name] = value
    if faults:
        raise InvalidInput("--option cannot be read", faults)
    return found


@contextmanager
def _worker_beside(call: Invocation) -> Iterator[None]:
    """A worker, if none is running: it ends with this process, however that ends."""
    from onefold.app.locks import hold
    from onefold.processes.child import VARIABLE
    from onefold.processes.tree import child_environment, program

    with hold(call.settings.data / "worker.lock") as free:
        pass
    if not free:
        yield
        return
    alive, ours = os.pipe()
    environment = {**child_environment(call.loaded), VARIABLE: f"alive={alive}"}
    process = subprocess.Popen(  # noqa: S603 - this very interpreter
        [*program(), "worker"], env=environment, pass_fds=[alive], stdout=subprocess.DEVNULL
    )
    os.close(alive)
    try:
        yield
    finally:
        os.close(ours)
        process.terminate()
        process.wait()
