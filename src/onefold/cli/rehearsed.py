"""What a rehearsal says in the terminal, and how far reading is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.cli.invocation import Invocation
from onefold.cli.rendering import complain, say, table

if TYPE_CHECKING:
    from onefold.app.imports.rehearsed import Rehearsed


Page = tuple[Path | None, str]
"""Where a rehearsal is written as a page, if at all, and in which language."""


def show_rehearsed(call: Invocation, found: Rehearsed, page: Page) -> None:
    """Say what was rehearsed, and write it as a page too."""
    from onefold.app.imports.page import page_of

    html, language = page
    if html:
        html.write_text(page_of(found, language), encoding="utf-8")
    call.show(found, _show)


def _show(found: Rehearsed) -> None:
    of = "" if found.whole else f"; of {found.sampled:,} of them, at even distances:"
    first = "" if found.read_all else "the first "
    say(
        f"{first}{found.rows + found.unreadable:,} rows of {found.name} ({found.format}) in"
        f" {found.seconds} s, nothing kept{of}"
    )
    if found.read_as:
        say(f"read as {found.read_as}")
    if found.missing:
        say(f"the mapping asks for what no row has: {', '.join(found.missing)}")
    say(
        f"{found.events:,} events, {found.rejects:,} rejects, {found.repeats:,} that came before;"
        f" {found.unreadable:,} of all rows cannot be read"
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
            ("conflict", "values", "new wins", "known", "new"),
            [(one.trait, one.count, one.wins, old, new) for one, (_, old, new) in some],
        )
    table(
        ("field", "filled", "values", "such as"),
        [
            (one.name, f"{one.filled / max(1, one.rows):.1%}", one.distinct, one.example)
            for one in found.fields
        ],
    )


def progress(call: Invocation) -> Callable[[str, int, int], None]:
    """What tells somebody who watches how far it is."""
    return _Progress() if sys.stderr.isatty() and not call.as_json else _silent


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
