"""When time alone changes a window, for everybody at once: read from events, not from buckets.

For each profile and window the query gives the bucket that leaves first, and the one that comes in
first; from a bucket follows the moment, as `window_reading` says. A moment may be too early, never
too late: whoever is looked at then gets the exact next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from onefold.segment.bucket_query import bucket_sql, named_sql
from onefold.segment.kinds import SESSION_GAP
from onefold.segment.metric import Column, Metric
from onefold.segment.population import NOW, Relations
from onefold.segment.this_session import VISITED
from onefold.segment.window import Window
from onefold.segment.window_reading import Places, Starts, make_reader
from onefold.segment.window_sql import fields_sql
from onefold.segment.zone import load_zone


class _Edge(NamedTuple):
    """The first bucket of a metric inside a window, or ahead of it.

    Of a column that counts days since the last event, named by `days`, it is the last one inside.
    """

    metric: str
    window: Window
    ahead: bool
    days: str = ""


class Turning:
    """The windows of some columns, as of one moment (µs UTC)."""

    def __init__(
        self, columns: Iterable[Column], metrics: Iterable[Metric], now: int, timezone: str
    ) -> None:
        self._now = now
        self._zone = load_zone(timezone)
        self._metrics = {metric.id: metric for metric in metrics}
        self._places: dict[Window, Places] = {}
        edges: dict[_Edge, Column] = {}
        waits: dict[tuple[str, Window, int], None] = {}
        for column in columns:
            if column.kind == "window":
                edges |= dict.fromkeys(_edges(column), column)
                sequence = column.sequence
                if sequence is not None and sequence.unless and sequence.within:
                    waits[sequence.steps[-1], column.window, sequence.within] = None
                if column.session:
                    # It begins with an event, and ends so long after its last one, and no sooner
                    # than after any of them.
                    waits[column.session, VISITED, 0] = None
                    waits[column.session, VISITED, SESSION_GAP] = None
        self._edges = {f"e{number}": one for number, one in enumerate(edges.items())}
        self._waits = {f"m{number}": one for number, one in enumerate(waits)}

    @property
    def names(self) -> list[str]:
        """The columns of the query, after `profile`; none when nothing turns."""
        return [*self._edges, *self._waits]

    def query(self, relations: Relations = NOW) -> str:
        """Write the query: `(profile, …)`, where there are any events; each column tells `due`."""
        found = [self._edge_sql(edge, name) for name, (edge, _) in self._edges.items()]
        found += [
            f"min(time + {within}) FILTER (WHERE {self._where(metric, window)}"
            f" AND time + {within} > {self._now}) AS {name}"
            for name, (metric, window, within) in self._waits.items()
        ]
        used = {edge.metric for edge, _ in self._edges.values()}
        used |= {metric for metric, _, _ in self._waits.values()}
        counted = [self._metrics[one] for one in sorted(used)]
        fields = ", ".join(["profile", "name", "time", *fields_sql(counted, relations.read)])
        return (
            f"SELECT profile, {', '.join(found)} FROM (SELECT {fields} FROM {relations.events}"
            f" WHERE {named_sql(sorted({one.event for one in counted}))}{self._since()})"
            " GROUP BY profile"
        )

    def due(self, name: str, found: int) -> int | None:
        """When a profile turns (µs UTC) of which a column of the query is this; None if never."""
        if name in self._waits:
            return found
        edge, column = self._edges[name]
        places = self._places.get(edge.window)
        if places is None:
            starts = Starts(edge.window.unit, self._zone)
            places = Places(edge.window, self._now, self._zone, starts)
            self._places[edge.window] = places
        if not edge.days:
            return places[found][1]
        return make_reader(0, column, places).read({found: 1})[1]

    def _edge_sql(self, edge: _Edge, name: str) -> str:
        unit = edge.window.unit
        if unit == "day":
            bucket = self._zone.day_sql(*self._bounds(edge.window, ahead=edge.ahead))
        else:
            bucket = bucket_sql(unit, self._zone)
        aggregate = "max" if edge.days else "min"
        where = self._where(edge.metric, edge.window, ahead=edge.ahead)
        return f"{aggregate}({bucket}) FILTER (WHERE {where}) AS {name}"

    def _where(self, metric: str, window: Window, *, ahead: bool = False) -> str:
        one = self._metrics[metric]
        since, until = self._bounds(window, ahead=ahead)
        parts = [named_sql([one.event])]
        parts += [f"time >= {since}"] if since is not None else []
        parts += [f"time < {until}"] if until is not None else []
        if one.where is not None:
            parts.append(one.where)
        return " AND ".join(parts)

    def _bounds(self, window: Window, *, ahead: bool) -> tuple[int | None, int | None]:
        """Between which moments lies what is in a window now, or what can still come in."""
        since, until = window.bounds(self._now, self._zone)
        if not ahead:
            return since, until
        # A window can begin in the future.
        return max((one for one in (since, until) if one is not None), default=None), None

    def _since(self) -> str:
        windows = {edge.window for edge, _ in self._edges.values()}
        windows |= {window for _, window, _ in self._waits.values()}
        begins = [window.bounds(self._now, self._zone)[0] for window in windows]
        known = [one for one in begins if one is not None]
        return f" AND time >= {min(known)}" if known and len(known) == len(begins) else ""


def earliest_turning(found: Mapping[str, int | None], turning: Turning) -> int | None:
    """The earliest moment that one row of the query tells, by the names of its columns."""
    moments = [turning.due(name, each) for name, each in found.items() if each is not None]
    return min((one for one in moments if one is not None), default=None)


def _edges(column: Column) -> Iterator[_Edge]:
    """What can change a window by time alone: what leaves it first, and what comes in first."""
    windows = dict.fromkeys((metric, column.window) for metric in column.metrics)
    if column.sequence is not None and (unless := column.sequence.unless):
        # It may be one of the steps as well.
        if unless not in column.sequence.steps:
            del windows[unless, column.window]
        windows[unless, column.window.open_ended()] = None
    days = column.name if column.aggregate == "days" else ""
    for metric, window in windows:
        if window.unit != "ever":
            yield _Edge(metric, window, ahead=False, days=days)
            yield _Edge(metric, window, ahead=True)
    if column.session:
        yield _Edge(column.session, VISITED, ahead=True)
