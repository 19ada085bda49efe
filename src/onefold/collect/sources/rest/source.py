"""The source itself: streams page by page, parents before their children, positions between pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from onefold.collect.addresses import Reach
from onefold.collect.fetching import Fetcher
from onefold.collect.sources.rest.calling import Caller, Refused
from onefold.collect.sources.rest.paging import Page, first_page, next_page, parameters
from onefold.collect.sources.rest.settings import RestSettings, Stream
from onefold.collect.sources.rest.values import (
    at,
    filled,
    filled_many,
    read_time,
    write_time,
)
from onefold.model.errors import Unreachable
from onefold.model.pulled import Batch, Position, Record, Unreadable
from onefold.model.quantities import parse_duration

_SLICE = 0.5
_GONE = 404
_SECOND = 1_000_000
_MOST_RAW = 16 << 10


class Found(msgspec.Struct):
    """What one page, with all that hangs on it, brought."""

    records: list[Record] = []
    unreadable: list[Unreadable] = []
    page: Page | None = None


class Known:
    """What fills `{places}`: fields of the parent by their path, and the times of this run."""

    def __init__(self, fields: Mapping[str, Any], **times: Any) -> None:
        self.fields = fields
        self._times = times

    def __contains__(self, name: object) -> bool:
        return name in self._times or at(self.fields, str(name)) is not None

    def __getitem__(self, name: str) -> Any:
        return self._times[name] if name in self._times else at(self.fields, name)


class Quoted(Known):
    """The same in a path: what stands there must not become another path."""

    def __getitem__(self, name: str) -> str:
        return quote(str(super().__getitem__(name)), safe="")


class RestSource:
    """Reads all streams of an API, one after the other."""

    def __init__(
        self,
        settings: RestSettings,
        reach: Reach,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._fetcher = Fetcher(reach, timeout=settings.timeout)
        self._caller = Caller(settings, self._fetcher)
        self._clock = clock
        self._sleep = sleep
        self._cursors: dict[str, int] = {}
        self._highs: dict[str, int] = {}
        self._now = 0

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
        self._cursors = dict(state.get("cursors", {}))
        run: dict[str, Any] = state.get("run") or {
            "since": self._since(stream),
            "page": first_page(stream.paging),
            "highs": dict(self._cursors),
        }
        resumed = "run" in state
        self._highs = dict(run["highs"])
        self._now = int(self._clock() * _SECOND)
        while True:
            until = self._until(stream, run["since"])
            over = False
            try:
                for found in self._pages(stream, Known({}), run["page"], run["since"], until):
                    if isinstance(found, float):
                        yield found
                        continue
                    resumed, over = False, found.page is None
                    if over:
                        break
                    run = {**run, "page": found.page, "highs": dict(self._highs)}
                    yield found, {"cursors": self._cursors, "run": run}
            except Refused:
                if not resumed:
                    raise
                # A page that was kept from an earlier run may be known no more: from its beginning.
                resumed, run = False, {**run, "page": first_page(stream.paging)}
                continue
            last = found if isinstance(found, Found) else Found()
            if until >= self._now:
                yield last, {"cursors": {**self._cursors, **self._highs}}
                return
            run = {"since": until, "page": first_page(stream.paging), "highs": dict(self._highs)}
            yield last, {"cursors": self._cursors, "run": run}

    def _since(self, stream: Stream) -> int:
        cursor = stream.cursor
        if cursor is None:
            return 0
        last = self._cursors.get(stream.name)
        if last is None:
            return read_time(cursor.start, "iso", cursor.time_zone) or 0
        return last - int(parse_duration(cursor.late) * _SECOND)

    def _until(self, stream: Stream, since: int) -> int:
        if stream.cursor is None or not stream.cursor.window:
            return self._now
        return min(self._now, since + int(parse_duration(stream.cursor.window) * _SECOND))

    def _pages(
        self,
        stream: Stream,
        known: Known,
        page: Page,
        since: int,
        until: int,
        rows: Sequence[dict[str, Any]] | None = None,
        above: str = "",
    ) -> Generator[float | Found, None, None]:
        """Pages of a stream from one on, each with the children of its records."""
        count = 0
        while True:
            fill = self._times(stream, known, since, until)
            said, answer = yield from self._ask(stream, fill, page, rows)
            items = _items(at(said, stream.records))
            following = next_page(stream.paging, page, said, answer, items)
            found = Found([], [], following)
            for item in items:
                self._add(stream, item, known, above, found)
            count += len(items)
            most = stream.paging.most
            if following is not None and most and count >= most:
                since, following = self._further(stream, since), first_page(stream.paging)
                found.page, count = following, 0
            for child in stream.children:
                yield from self._children(child, items, found, until)
            yield found
            if following is None:
                return
            page = following

    def _further(self, stream: Stream, since: int) -> int:
        """Where to go on when an API pages no further: from the last cursor."""
        high = self._highs.get(stream.name, 0)
        if high <= since:
            raise Unreachable(
                f"{stream.name}: more than {stream.paging.most:,} records have the same time,"
                " and the API gives no more of them"
            )
        return high

    def _children(
        self, child: Stream, items: list[dict[str, Any]], found: Found, until: int
    ) -> Generator[float, None, None]:
        since = self._since(child)
        for start in range(0, len(items), child.group):
            rows = items[start : start + child.group]
            above = "" if child.group > 1 else _place(child, rows[0], only_parent=True)
            some = rows if child.group > 1 else None
            pages = self._pages(
                child, Known(rows[0]), first_page(child.paging), since, until, some, above
            )
            try:
                for one in pages:
                    if isinstance(one, float):
                        yield one
                        continue
                    found.records += one.records
                    found.unreadable += one.unreadable
            except Refused as error:
                if error.status != _GONE:  # taken away since its parent was read
                    raise

    def _times(self, stream: Stream, known: Known, since: int, until: int) -> Known:
        cursor = stream.cursor
        if cursor is None:
            return known
        form, zone = cursor.format, cursor.time_zone
        times = {"since": write_time(since, form, zone), "until": write_time(until, form, zone)}
        return Known(known.fields, **times)

    def _ask(
        self, stream: Stream, known: Known, page: Page, rows: Sequence[dict[str, Any]] | None
    ) -> Generator[float, None, tuple[Any, Any]]:
        if "url" in page:
            return (yield from self._caller.call(stream.method, page["url"], {}, None))
        path = str(filled(stream.path, Quoted(known.fields)))
        query = filled(stream.query, known)
        sent = parameters(stream.paging, page)
        body = stream.body
        if body is None:
            return (yield from self._caller.call(stream.method, path, {**query, **sent}, None))
        made = filled(body, known) if rows is None else filled_many(body, rows)
        for name, value in sent.items():
            made = _put(made, name, value)
        return (yield from self._caller.call(stream.method, path, query, made))

    def _add(
        self, stream: Stream, item: dict[str, Any], known: Known, above: str, found: Found
    ) -> None:
        """One record, or why it is none."""
        cursor = stream.cursor
        changed = None
        if cursor is not None:
            changed = read_time(at(item, cursor.field), cursor.format, cursor.time_zone)
            if changed is not None:
                self._highs[stream.name] = max(changed, self._highs.get(stream.name, 0))
        if not stream.emit:
            return
        place = _place(stream, item)
        if not place:
            raw = msgspec.json.encode(item)[:_MOST_RAW]
            reason = f"has no {', '.join(stream.key)}"
            found.unreadable.append(Unreadable(raw, stream.name, above or "?", (reason,)))
            return
        fields = {**item, **{f"parent.{name}": at(known.fields, name) for name in stream.keep}}
        whole = f"{above}/{place}" if above else place
        found.records.append(Record(fields, stream.name, whole, time=changed))


def _items(value: Any) -> list[dict[str, Any]]:
    """The records of an answer; a list of bare values as records of one field."""
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list):
        return []
    return [one if isinstance(one, dict) else {"value": one} for one in value]


def _place(stream: Stream, item: Mapping[str, Any], *, only_parent: bool = False) -> str:
    if only_parent:
        found = item.get("id", item.get("value"))
        return "" if found is None else str(found)
    parts = [at(item, name) for name in stream.key]
    return "" if any(part is None for part in parts) else "/".join(map(str, parts))


def _put(body: Any, path: str, value: Any) -> Any:
    """A copy of a body with a value at a dotted path."""
    name, _, rest = path.partition(".")
    inner = body.get(name, {}) if isinstance(body, Mapping) else {}
    return {**body, name: _put(inner, rest, value) if rest else value}
