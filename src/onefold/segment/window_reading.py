"""Reading windows from buckets: the value now, and when time alone can next change it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Protocol

from onefold.segment.aggregates import Value, absent_value, bucket_value
from onefold.segment.kinds import Bucket, Moments, merge
from onefold.segment.metric import Column
from onefold.segment.sequences import find_matches
from onefold.segment.this_session import session_at
from onefold.segment.window import Unit, Window, bucket_in, bucket_start
from onefold.segment.zone import Zone

Facts = Mapping[str, Mapping[int, Bucket]]


class Reader(Protocol):
    """Reads one column from the buckets of a metric that it shares with others."""

    index: int

    def read(self, buckets: Mapping[int, Bucket]) -> tuple[Value, int | None]:
        """The value, and the moment (µs UTC) at which time alone can change it, if there is one."""
        ...


class Starts(dict[int, int]):
    """When each bucket of a unit begins, worked out once."""

    def __init__(self, unit: Unit, zone: Zone) -> None:
        super().__init__()
        self._unit: Unit = unit
        self._zone = zone

    def __missing__(self, bucket: int) -> int:
        start = self[bucket] = bucket_start(self._unit, bucket, self._zone)
        return start


class Places(dict[int, tuple[bool, int | None]]):
    """Of each bucket, worked out once: is it inside a window now, and when will that change?"""

    def __init__(self, window: Window, now: int, zone: Zone, starts: Starts) -> None:
        super().__init__()
        self._window = window
        self.span = self._lo, self._hi = window.span(now, zone)
        self._starts = starts
        self.at, self.zone = now, zone

    def bucket_of(self, time: int) -> int:
        """The bucket that a moment falls into."""
        return bucket_in(self._window.unit, time, self.zone)

    def start(self, bucket: int) -> int:
        """When a bucket begins."""
        return self._starts[bucket]

    def __missing__(self, number: int) -> tuple[bool, int | None]:
        inside = self._lo <= number <= self._hi
        if self._window.unit == "ever":
            turns = None
        elif inside:
            turns = self._window.leaves(number)
        else:
            turns = self._window.enters(number) if number > self._hi else None
        place = self[number] = inside, None if turns is None else self._starts[turns]
        return place


class Moment:
    """A moment (µs UTC) in a time zone: the places of buckets in windows, each worked out once."""

    def __init__(self, now: int, zone: Zone) -> None:
        self.at, self.zone = now, zone
        self._starts: dict[Unit, Starts] = {}
        self._places: dict[Window, Places] = {}

    def places(self, window: Window) -> Places:
        """Where buckets lie in a window."""
        places = self._places.get(window)
        if places is None:
            starts = self._starts.setdefault(window.unit, Starts(window.unit, self.zone))
            places = self._places[window] = Places(window, self.at, self.zone, starts)
        return places

    def move(self, now: int) -> set[Unit]:
        """Go to another moment; gives the units of the windows in which other buckets are then."""
        turned: set[Unit] = set()
        if self.zone.day(now) != self.zone.day(self.at):
            turned.add("day")
        for window, places in self._places.items():
            if places.span != window.span(now, self.zone):
                turned.add(window.unit)
            places.at = now
        self.at = now
        for unit in turned:
            self._starts.pop(unit, None)
        self._places = {
            window: places for window, places in self._places.items() if window.unit not in turned
        }
        return turned


def absent(column: Column) -> Value:
    """What a column is over no events."""
    return False if column.sequence is not None else absent_value(column.aggregate)


def make_reader(index: int, column: Column, places: Places) -> Reader:
    """Prepare to read a column, as of one moment, from the buckets of many profiles."""
    if column.aggregate == "days":
        return DaysReader(index, column, places)
    return WindowReader(index, column, places)


class WindowReader:
    """An aggregate of what lies inside a window."""

    __slots__ = ("_aggregate", "_places", "index")

    def __init__(self, index: int, column: Column, places: Places) -> None:
        self.index = index
        self._aggregate = column.aggregate
        self._places = places

    def read(self, buckets: Mapping[int, Bucket]) -> tuple[Value, int | None]:
        """Aggregate what lies inside, and say when the first of it leaves or more comes in."""
        places = self._places
        total: Bucket | None = None
        change: int | None = None
        for number, bucket in buckets.items():
            inside, turns = places[number]
            if inside:
                total = bucket if total is None else _plus(total, bucket)
            if turns is not None and (change is None or turns < change):
                change = turns
        return total if type(total) is int else bucket_value(total, self._aggregate), change


class DaysReader:
    """How many days ago the last event was."""

    __slots__ = ("_places", "_today", "_turns", "index")

    def __init__(self, index: int, column: Column, places: Places) -> None:
        self.index = index
        self._turns = column.turns
        self._places = places
        self._today = bucket_in("day", places.at, places.zone)

    def read(self, buckets: Mapping[int, Bucket]) -> tuple[Value, int | None]:
        """Count the days, and say when the count reaches a number that something depends on."""
        places = self._places
        change = _entering(buckets, places)
        last = max((number for number in buckets if places[number][0]), default=None)
        if last is None:
            return None, change
        days = self._today - last
        turn: int | None = self._today + 1
        if self._turns is not None:
            following = bisect_right(self._turns, days)
            turn = last + self._turns[following] if following < len(self._turns) else None
        change = sooner(change, None if turn is None else places.start(turn))
        return float(days), sooner(change, places[last][1])


class SequenceReader:
    """Whether events happened in a row; it reads several metrics."""

    def __init__(self, index: int, column: Column, places: Places, later: Places) -> None:
        assert column.sequence is not None
        self.index = index
        self._sequence = column.sequence
        self._places = places
        self._later = later

    def read(self, facts: Sequence[Facts]) -> tuple[Value, int | None]:
        """Look for a match, and say when the one that lasts longest ends or one can begin to hold."""
        sequence, places = self._sequence, self._places
        steps = [joined(metric, facts) or {} for metric in sequence.steps]
        if not all(any(map(self._counts, step)) for step in steps):
            return False, None
        spoiling = (joined(sequence.unless, facts) or {}) if sequence.unless else {}
        matches = find_matches(
            [_moments(step, places) for step in steps],
            sequence.within,
            _moments(spoiling, self._later),
            wait=bool(sequence.unless),
        )
        holding = [match for match in matches if match.holds_from <= places.at]
        if holding:
            ends = places[places.bucket_of(max(holding).begun)][1]
            return True, sooner(ends, _entering(spoiling, self._later))
        waiting = min((match.holds_from for match in matches), default=None)
        for step in steps:
            waiting = sooner(waiting, _entering(step, places))
        return False, waiting

    def _counts(self, bucket: int) -> bool:
        """Is a bucket inside, or can it come in? One that has left never does again."""
        inside, turns = self._places[bucket]
        return inside or turns is not None


class SessionReader:
    """An aggregate of what lies in the session that somebody is in."""

    def __init__(self, index: int, column: Column, places: Places, days: Places) -> None:
        self.index = index
        self.type = column.type
        self._column = column
        self._places = places
        self._days = days

    def read(self, facts: Sequence[Facts]) -> tuple[Value, int | None]:
        """Aggregate it, and say when time alone ends the session, begins one, or brings more."""
        column, places, days = self._column, self._places, self._days
        buckets, visits = joined(column.metric, facts), joined(column.session, facts)
        if not buckets or not visits:
            return absent(column), None
        inside = [visits[day] for day in visits if days[day][0]]
        session = session_at(reduce(merge, inside) if inside else None, places.at)
        begun = places.bucket_of(places.at) if session.minute is None else session.minute
        least = max(begun, places.span[0])
        since = {number: one for number, one in buckets.items() if number >= least}
        if not since:
            # Whatever session ends or begins, nothing lies in it.
            return absent(column), None
        change = sooner(session.turns, _entering(visits, days))
        if session.minute is None:
            return absent(column), change
        counted = [one for number, one in since.items() if places[number][0]]
        for number in since:
            change = sooner(change, places[number][1])
        total = reduce(_plus, counted) if counted else None
        return bucket_value(total, column.aggregate), change


def _moments(buckets: Mapping[int, Bucket], places: Places) -> list[int]:
    """The moments inside a window, ascending."""
    found: list[int] = []
    for number, bucket in buckets.items():
        if places[number][0] and isinstance(bucket, Moments):
            found += bucket.times
    return sorted(found)


def _entering(buckets: Iterable[int], places: Places) -> int | None:
    """When something that is dated in the future comes into a window."""
    turns = [places[number][1] for number in buckets if not places[number][0]]
    return min((turn for turn in turns if turn is not None), default=None)


def joined(metric: str, facts: Sequence[Facts]) -> Mapping[int, Bucket] | None:
    """The buckets of a metric of all identifiers of a profile."""
    if len(facts) == 1:
        return facts[0].get(metric)
    found: Mapping[int, Bucket] | None = None
    for each in facts:
        buckets = each.get(metric)
        if buckets:
            found = buckets if found is None else _joined(found, buckets)
    return found


def sooner(a: int | None, b: int | None) -> int | None:
    """The earlier of two moments, of which either may never come."""
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)


def _joined(a: Mapping[int, Bucket], b: Mapping[int, Bucket]) -> Mapping[int, Bucket]:
    together = dict(a)
    for number, bucket in b.items():
        before = together.get(number)
        together[number] = bucket if before is None else _plus(before, bucket)
    return together


def _plus(a: Bucket, b: Bucket) -> Bucket:
    if type(a) is int and type(b) is int:
        return a + b
    return merge(a, b)
