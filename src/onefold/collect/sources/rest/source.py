"""The source itself: streams one after the other, positions between pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from onefold.collect.addresses import Reach
from onefold.collect.fetching import Fetcher
from onefold.collect.sources.rest.answers import Refused
from onefold.collect.sources.rest.calling import Caller
from onefold.collect.sources.rest.pages import Found, Known, Run, Start, pages
from onefold.collect.sources.rest.paging import first_page
from onefold.collect.sources.rest.settings import RestSettings, Stream
from onefold.collect.sources.rest.values import read_time
from onefold.model.pulled import Batch, Position
from onefold.model.quantities import parse_duration
from onefold.model.refresh_tokens import TokenKeeper

_SLICE = 0.5
_FORGOTTEN = frozenset({400, 404, 410, 422})
"""What an API says of a page that it gave long ago and knows no more."""
_SECOND = 1_000_000


class RestSource:
    """Reads all streams of an API, one after the other.

    `tokens` keeps refresh tokens that may be used once; without it they are known for as long as this is open.
    """

    def __init__(
        self,
        settings: RestSettings,
        reach: Reach,
        *,
        tokens: TokenKeeper | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._fetcher = Fetcher(reach, timeout=settings.timeout)
        self._caller = Caller(settings, self._fetcher, tokens)
        self._clock = clock
        self._sleep = sleep

    def batches(self, position: Position | None) -> Iterator[Batch]:
        """All that changed since `position`; while it waits, an empty batch now and then."""
        done: dict[str, Any] = dict(position or {})
        for stream in self._settings.streams:
            state = dict(done.get(stream.name) or {})
            for found in self._stream(stream, state):
                if isinstance(found, float):
                    for _ in self._slices(found):
                        yield Batch([], done)
                    continue
                batch, state = found
                done = {**done, stream.name: state}
                yield Batch(batch.records, done, tuple(batch.unreadable))

    def stored(self, position: Position) -> None:
        """An API need not be told."""

    def close(self) -> None:
        """Close its connections."""
        self._fetcher.close()

    def _slices(self, seconds: float) -> Iterator[None]:
        left = seconds
        while left > 0:
            self._sleep(min(left, _SLICE))
            left -= _SLICE
            yield

    def _stream(
        self, stream: Stream, state: dict[str, Any]
    ) -> Iterator[float | tuple[Found, dict[str, Any]]]:
        """The pages of one stream, each with the state behind it."""
        cursors: dict[str, int] = dict(state.get("cursors", {}))
        now = int(self._clock() * _SECOND)
        since = {one.name: self._since(one, cursors) for one in _with_children(stream)}
        run: dict[str, Any] = state.get("run") or _begun(stream, since[stream.name], cursors)
        resumed = "run" in state
        while True:
            until = run.get("until") or self._until(stream, run["since"], now)
            window = {"until": until} if until < now else {}
            known = Run(now, until, since, dict(run["highs"]))
            start = Start(run["page"], run["since"], run.get("within"))
            last = Found()
            try:
                for found in pages(self._caller, stream, start, known, Known({})):
                    if isinstance(found, float):
                        yield found
                        continue
                    resumed, last = False, found
                    if found.next is not None:
                        going = msgspec.to_builtins(found.next)
                        run = {**going, **window, "highs": dict(known.highs)}
                        yield found, {"cursors": cursors, "run": run}
            except Refused as error:
                if not resumed or error.status not in _FORGOTTEN:
                    raise
                # A page that was kept from an earlier run may be known no more: from its beginning.
                resumed, run = False, {**run, "page": first_page(stream.paging), "within": None}
                continue
            if until >= now:
                yield last, {"cursors": {**cursors, **known.highs}}
                return
            run = _begun(stream, until, known.highs)
            yield last, {"cursors": cursors, "run": run}

    @staticmethod
    def _since(stream: Stream, cursors: dict[str, int]) -> int:
        cursor = stream.cursor
        if cursor is None:
            return 0
        last = cursors.get(stream.name)
        if last is None:
            return read_time(cursor.start, "iso", cursor.time_zone) or 0
        return last - int(parse_duration(cursor.late) * _SECOND)

    @staticmethod
    def _until(stream: Stream, since: int, now: int) -> int:
        if stream.cursor is None or not stream.cursor.window:
            return now
        return min(now, since + int(parse_duration(stream.cursor.window) * _SECOND))


def _with_children(stream: Stream) -> Iterator[Stream]:
    yield stream
    for child in stream.children:
        yield from _with_children(child)


def _begun(stream: Stream, since: int, highs: dict[str, int]) -> dict[str, Any]:
    return {"page": first_page(stream.paging), "since": since, "highs": dict(highs)}
