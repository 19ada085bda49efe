"""`import`: files into profiles; tried before, and taken back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.numbered import Number
from onefold.cli.rendering import complain, say, table

if TYPE_CHECKING:
    from onefold.app.imports.importing import Imported
    from onefold.app.imports.rehearsing import Rehearsed
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
) -> None:
    """Bring the records of a file into profiles; goes on where a crash broke it off.

    Works with a running server or without. Rows with a time of their own count once, however often they
    are imported. With --rehearse it says
    what would come of it: rejects, new, updated and merged profiles, conflicts, segments, data quality.

    Example: onefold import customers.csv --source crm --rehearse
    """
    from onefold.app.imports import importing
    from onefold.app.imports.wanted import Wanted

    wanted = Wanted(file, source, mapping, form, _options(option))
    tell = _Progress() if sys.stderr.isatty() and not call.as_json else _silent
    if rehearse or html:
        _rehearse(call, wanted, sample, html)
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


def _rehearse(call: Invocation, wanted: Wanted, sample: int, html: Path | None) -> None:
    from onefold.app.imports import rehearsing
    from onefold.app.imports.page import page_of

    found = rehearsing.rehearse(call.settings, wanted, sample=sample)
    if html:
        html.write_text(page_of(found), encoding="utf-8")
    call.show(found, _show_rehearsed)


def _show_rehearsed(found: Rehearsed) -> None:
    of = "" if found.whole else f"; of {found.sampled:,} of them, at even distances:"
    say(
        f"{found.rows + found.unreadable:,} rows of {found.file} ({found.format}) in"
        f" {found.seconds} s, nothing kept{of}"
    )
    say(
        f"{found.events:,} events, {found.rejects:,} rejects, {found.repeats:,} that came before;"
        f" {found.unreadable:,} rows of the whole file cannot be read"
    )
    for reason, count in (*found.unreadable_reasons.items(), *found.reasons.items()):
        say(f"  {count:,} × {reason}")
    for broken, count in found.violations.items():
        say(f"  {count:,} × breaks the tracking plan {broken}")
    say(
        f"profiles: {found.new:,} new, {found.updated:,} updated, {found.unchanged:,} unchanged,"
        f" {found.merged:,} merged"
    )
    quality = found.quality
    shares = ("complete", "valid", "unique", "consistent", "fresh")
    told = ((name, getattr(quality, name)) for name in shares)
    say("quality: " + ", ".join(f"{name} {share:.1%}" for name, share in told if share is not None))
    for kind, none in quality.nameless.items():
        say(
            f"  {kind}: {none.rows:,} values identify nobody, such as {none.example!r}: {none.hint}"
        )
    for domain, one in quality.mistyped.items():
        say(f"  {domain}: is {one.meant} meant? in {one.rows:,} rows")
    if found.segments:
        rows = [(one.segment, one.now, one.entering, one.leaving) for one in found.segments]
        table(("segment", "now", "enter", "leave"), rows)
    if found.conflicts:
        some = [(one, one.examples[0]) for one in found.conflicts]
        table(
            ("conflict", "values", "file wins", "known", "file"),
            [(one.trait, one.count, one.wins, old, new) for one, (_, old, new) in some],
        )
    table(
        ("field", "filled", "values", "such as"),
        [
            (one.name, f"{one.filled / max(1, one.rows):.1%}", one.distinct, one.example)
            for one in found.fields
        ],
    )


def _show(found: Imported) -> None:
    say(
        f"load {found.load}: {found.rows + found.unreadable:,} rows of {found.source} in"
        f" {found.seconds:,} s: {found.events:,} events, {found.rejects:,} rejects,"
        f" {found.repeats:,} that came before; {found.profiles:,} new profiles"
    )
    for reason, count in found.reasons.items():
        say(f"  {count:,} × {reason}")
    if found.rejects:
        say("`onefold rejects list` shows them with the rows as they came")
    if found.same_as:
        say(
            f"this seems to be the file of load {found.same_as}: rows without a time of their own"
            f" count twice now; `onefold load undo {found.load}` takes this load back"
        )


def _options(given: list[str] | None) -> dict[str, Any]:
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


def _silent(what: str, done: int, total: int) -> None:
    """Tell nobody how far it is."""


class _Progress:
    """Says how far it is, how fast, and how long it still takes."""

    def __init__(self) -> None:
        self._what, self._since = "", 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if what != self._what:
            self._what, self._since = what, now
        rate = done / (now - self._since) if now > self._since else 0.0
        of = f" of {total:,}" if total else ""
        left = f", {(total - done) / rate:,.0f} s left" if total > done and rate else ""
        complain(f"{done:,}{of} {what}, {rate:,.0f} a second{left}")


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
