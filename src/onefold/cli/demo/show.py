"""What the demo prints: where to look, and a live line per second."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from onefold.app.status import Status
from onefold.cli.rendering import say
from onefold.testing.shop import Example


def where_to_look(
    url: str, data: Path, key_file: Path, log: Path, examples: tuple[Example, ...]
) -> None:
    """The pages, and look-ups to try by command line and by HTTP."""
    onefold = _command()
    named = "" if data == Path("onefold-data") else f" --data {data}"
    say(f"""
Onefold runs, and a shop is being played into it.

  status page   {url}/
  API docs      {url}/api/docs     admin key: {key_file}
  log lines     {log}

Look somebody up, in a second terminal:
""")
    for example in examples:
        path = quote(example.lookup, safe=":")
        say(f"  {example.story}")
        say(f"    {onefold} profile {example.lookup}{named}")
        say(f'    curl -H "Authorization: Bearer $(cat {key_file})" {url}/api/profiles/{path}')
    say("\nAnd ask:")
    say(f"    {onefold} segment list{named}")
    say(f'    {onefold} sql "{_QUERY}"{named}')
    say("\nCtrl-C stops; the next start goes on from there.\n")


def _command() -> str:
    """How this very Onefold is called from a shell that stands where this one was started."""
    here = Path(sys.executable).with_name("onefold")
    found = shutil.which("onefold")
    if found is not None and Path(found).resolve() == here.resolve():
        return "onefold"
    return str(here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here)


_QUERY = "select name, count(*) as n from events group by name order by n desc"


class LiveLine:
    """A line per second: rewritten in place on a terminal, one below the other elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._events: int | None = None
        self._at = 0.0

    def show(self, status: Status, webhooks: int, note: str = "") -> None:
        """Write the figures of now."""
        text = self._text(status, webhooks, note)
        sys.stdout.write(f"\r\x1b[2K{text}" if self._terminal else f"{text}\n")
        sys.stdout.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._terminal:
            sys.stdout.write("\n")
            sys.stdout.flush()

    def _text(self, status: Status, webhooks: int, note: str) -> str:
        totals: Mapping[str, int] = status.totals
        events, now = totals.get("events", 0), time.monotonic()
        rate = 0.0 if self._events is None else (events - self._events) / (now - self._at)
        self._events, self._at = events, now
        late = [status.worker.get(name) for name in ("latency_p50", "latency_p95")]
        latency = "/".join("–" if one is None else f"{one * 1000:.0f}" for one in late)
        parts = [
            time.strftime("%H:%M:%S"),
            f"events {events:,} (+{rate:,.0f}/s)",
            f"profiles {totals.get('profiles', 0):,}",
            f"merges {totals.get('merges', 0):,}",
            f"members {sum(status.segments.values()):,}",
            f"latency p50/p95 {latency} ms",
            f"webhooks {webhooks:,}",
        ]
        if note:
            parts.append(note)
        return "  ".join(parts)
