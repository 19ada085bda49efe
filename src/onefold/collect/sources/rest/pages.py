"""A list of records page by page, each with all that hangs on it, and where to go on behind each part."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import msgspec

from onefold.collect.sources.rest.answers import Refused
from onefold.collect.sources.rest.calling import Caller
from onefold.collect.sources.rest.paging import Page, first_page, next_page, parameters
from onefold.collect.sources.rest.settings import Stream
from onefold.collect.sources.rest.values import (
    at,
    filled,
    filled_many,
    read_time,
    stands,
    write_time,
)
from onefold.model.errors import Fault, InvalidInput, Unreachable
from onefold.model.pulled import Record, Unreadable

GONE = 404
_MOST_RAW = 16 << 10
_TOGETHER = 1_000
"""Records after which a page is given in parts: its children may be many."""
_MOST_NAMES = 10

Row = dict[str, Any]


class Start(msgspec.Struct, frozen=True):
    """Where to begin: on which page, since when, and within it behind which part of its children."""

    page: Page
    since: int
    within: Row | None = None


class Found(msgspec.Struct):
    """What one page, or a part of it, brought, and where to go on; None where this was all."""

    records: list[Record] = []
    unreadable: list[Unreadable] = []
    next: Start | None = None


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


class Run(msgspec.Struct):
    """What holds for all pages of a run: the end of what is read, and the last times that were met.

    `since` gives where a child's own cursor begins. What is dated later than `now` does not move the
    cursor: one record with a wrong year would hide all that changes until then.
    """

    now: int
    until: int
    since: dict[str, int]
    highs: dict[str, int]

    def met(self, stream: str, changed: int) -> None:
        """A record of this time was met."""
        self.highs[stream] = max(min(changed, self.now), self.highs.get(stream, 0))


Telling = Generator[float | Found, None, None]
"""Seconds to wait, any number of times, between what was found."""


def pages(
    caller: Caller,
    stream: Stream,
    start: Start,
    run: Run,
    known: Known,
    rows: Sequence[Row] | None = None,
    above: str = "",
) -> Telling:
    """Pages of a stream from one on, each with the children of its records."""
    page, since, within = start.page, start.since, start.within
    order = _Order(stream)
    count = 0
    while True:
        fill = _times(stream, known, since, run.until)
        said, answer = yield from _ask(caller, stream, fill, page, rows)
        items = _items(stream, said)
        following = next_page(stream.paging, page, said, answer, items)
        here = Found()
        fresh = order.fresh(items)
        for item in fresh:
            _add(stream, item, known, above, here, run)
        count += len(items)
        behind = since
        if following is not None:
            if (further := order.further(since)) is not None:
                behind, following, count = further, first_page(stream.paging), 0
            elif stream.paging.most and count >= stream.paging.most:
                behind, following, count = order.beyond(since), first_page(stream.paging), 0
        for part in _children(caller, stream, items, within, run):
            if isinstance(part, float):
                yield part
                continue
            here.records += part.records
            here.unreadable += part.unreadable
            if len(here.records) >= _TOGETHER and part.next is not None:
                yield Found(here.records, here.unreadable, Start(page, since, part.next.within))
                here = Found()
        here.next = None if following is None else Start(following, behind)
        yield here
        if following is None:
            return
        page, since, within = following, behind, None


def _children(
    caller: Caller, stream: Stream, items: list[Row], within: Row | None, run: Run
) -> Telling:
    """What hangs on the records of a page; each part says in `within` where it ends.

    `within` is the part behind which to begin; where the page is another by now, all is read.
    """
    if within is not None and not _is_same(stream, items, within):
        within = None
    for child in stream.children:
        begin, inner = 0, None
        if within is not None:
            if within["child"] != child.name:
                continue
            begin = within["number"]
            if "page" in within:
                inner = Start(within["page"], within["since"])
            else:
                begin += child.group
            within = None
        for number in range(begin, len(items), child.group):
            rows = items[number : number + child.group]
            many = child.group > 1
            start = inner or Start(first_page(child.paging), run.since.get(child.name, 0))
            inner = None
            place = {"child": child.name, "number": number, "at": _named(stream, rows[0])}
            above, some = ("", rows) if many else (_parent(rows[0]), None)
            try:
                for one in pages(caller, child, start, run, Known(rows[0]), some, above):
                    if isinstance(one, float):
                        yield one
                        continue
                    goes_on = one.next and {"page": one.next.page, "since": one.next.since}
                    one.next = Start({}, 0, {**place, **(goes_on or {})})
                    yield one
            except Refused as error:
                if error.status != GONE:  # taken away since its parent was read
                    raise


def _is_same(stream: Stream, items: list[Row], within: Row) -> bool:
    """Does the parent that was read last still stand where it did?"""
    number: int = within["number"]
    return number < len(items) and _named(stream, items[number]) == str(within["at"])


class _Order:
    """Follows a list by its cursor, where it is sorted by that: numbers of pages shift, times do not."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._sorted = stream.paging.sorted and stream.cursor is not None
        self._high = 0
        self._before = b""
        self._met: dict[str, tuple[int, bytes]] = {}

    def fresh(self, items: list[Row]) -> list[Row]:
        """Those that were not met on the pages before, as they are."""
        self._look(items)
        cursor = self._stream.cursor
        if cursor is None or not (self._sorted or self._stream.paging.most):
            return items
        fresh, last = [], 0
        for item in items:
            changed = read_time(at(item, cursor.field), cursor.format, cursor.time_zone) or 0
            if changed < last:  # it is not sorted after all: only its numbers can be followed
                self._sorted = False
            last = changed
            self._high = max(self._high, changed)
            name, seen = _named(self._stream, item), (changed, _digest(item))
            if self._met.get(name) != seen:
                fresh.append(item)
                self._met[name] = seen
        return fresh

    def further(self, since: int) -> int | None:
        """Since when the next page is asked for; None where its number must do: all have one time."""
        if not self._sorted:
            return None
        return self._moved(since)

    def beyond(self, since: int) -> int:
        """The same where the API pages no further."""
        moved = self._moved(since)
        if moved is None:
            stream = self._stream
            raise Unreachable(
                f"{stream.name}: more than {stream.paging.most:,} records have the same time,"
                " and the API gives no more of them"
            )
        return moved

    def _moved(self, since: int) -> int | None:
        cursor = self._stream.cursor
        if cursor is None:
            return None
        # A moment before: an API may mean what is later, and not what is as late.
        moved = self._high - (1_000 if cursor.format == "milliseconds" else 1_000_000)
        if moved <= since or _written(self._stream, moved) == _written(self._stream, since):
            return None
        self._met = {name: one for name, one in self._met.items() if one[0] >= moved}
        self._before = b""
        return moved

    def _look(self, items: list[Row]) -> None:
        """An API that knows no such parameter gives its first page for ever."""
        paging, before = self._stream.paging, self._before
        self._before = _digest(items) if items and paging.type in ("page", "offset") else b""
        if before and before == self._before:
            where = f"{self._stream.name}.paging.parameter"
            fault = Fault("is not heeded: two pages are the same", where)
            raise InvalidInput("the API gives no further page", [fault])


def _digest(item: Any) -> bytes:
    return blake2b(msgspec.json.encode(item), digest_size=8).digest()


def _written(stream: Stream, micros: int) -> str | int:
    assert stream.cursor is not None
    return write_time(micros, stream.cursor.format, stream.cursor.time_zone)


def _times(stream: Stream, known: Known, since: int, until: int) -> Known:
    if stream.cursor is None:
        return known
    times = {"since": _written(stream, since), "until": _written(stream, until)}
    return Known(known.fields, **times)


def _ask(
    caller: Caller, stream: Stream, known: Known, page: Page, rows: Sequence[Row] | None
) -> Generator[float, None, tuple[Any, Any]]:
    if "url" in page:
        return (yield from caller.call(stream.method, page["url"], {}, None))
    path = str(filled(stream.path, Quoted(known.fields)))
    query = filled(stream.query, known)
    sent = parameters(stream.paging, page)
    body = stream.body
    if body is None:
        return (yield from caller.call(stream.method, path, {**query, **sent}, None))
    made = filled(body, known) if rows is None else filled_many(body, rows)
    for name, value in sent.items():
        made = _put(made, name, value)
    return (yield from caller.call(stream.method, path, query, made))


def _add(stream: Stream, item: Row, known: Known, above: str, found: Found, run: Run) -> None:
    """One record, or why it is none."""
    cursor = stream.cursor
    changed = None
    if cursor is not None:
        changed = read_time(at(item, cursor.field), cursor.format, cursor.time_zone)
        if changed is not None:
            run.met(stream.name, changed)
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


def _items(stream: Stream, said: Any) -> list[Row]:
    """The records of an answer; a list of bare values as records of one field."""
    value = at(said, stream.records)
    if isinstance(value, Mapping):
        value = [value]
    if isinstance(value, list):
        return [one if isinstance(one, dict) else {"value": one} for one in value]
    if said is None or (value is None and (stream.sparse or stands(said, stream.records))):
        return []
    # An API that has changed would otherwise look like one that has nothing to say.
    has = ", ".join(map(str, list(said)[:_MOST_NAMES])) if isinstance(said, Mapping) else "no names"
    where = stream.records or "the answer"
    wrong = "is no list" if value is not None else f"is not there; the answer has {has}"
    raise Unreachable(f"{stream.name}: {where} {wrong}")


def _named(stream: Stream, item: Row) -> str:
    return _place(stream, item) or _parent(item)


def _parent(item: Mapping[str, Any]) -> str:
    found = item.get("id", item.get("value"))
    return "" if found is None else str(found)


def _place(stream: Stream, item: Mapping[str, Any]) -> str:
    parts = [at(item, name) for name in stream.key]
    return "" if any(part is None for part in parts) else "/".join(map(str, parts))


def _put(body: Any, path: str, value: Any) -> Any:
    """A copy of a body with a value at a dotted path."""
    name, _, rest = path.partition(".")
    inner = body.get(name, {}) if isinstance(body, Mapping) else {}
    return {**body, name: _put(inner, rest, value) if rest else value}
