"""One table of a database, read in the order of its cursor and key, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from onefold.collect.sources.sql_settings import SqlSettings, TableSettings
from onefold.collect.sources.sql_values import back, earlier, kept, micros, moment, plain
from onefold.model.pulled import Record, Unreadable
from onefold.model.quantities import parse_duration

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine, Select, Table

_UTC = ZoneInfo("UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_NAMELESS = 1_000


class Found(NamedTuple):
    """A page, and the position behind it."""

    records: list[Record]
    reached: Any
    unreadable: tuple[Unreadable, ...] = ()


class Reading:
    """Reads one table; `now` is in microseconds."""

    def __init__(
        self, given: TableSettings, table: Table, settings: SqlSettings, zone: ZoneInfo, now: int
    ) -> None:
        self._given = given
        self._page = settings.page
        self._exactly = settings.dialect == "mssql"
        self._in_utc = settings.dialect in ("mysql", "mariadb")
        self._zone = zone
        self._now = now
        keys = given.key or tuple(column.name for column in table.primary_key.columns)
        self._keys = [table.columns[name] for name in keys if name in table.columns]
        self._cursor = table.columns.get(given.cursor, None)
        wanted = given.columns or tuple(table.columns.keys())
        needed = [one.name for one in ([] if self._cursor is None else [self._cursor])]
        names = dict.fromkeys([*wanted, *keys, *needed])
        self._columns = [table.columns[name] for name in names if name in table.columns]
        self._shown = [one for one in self._columns if one.name in set(wanted)]
        self.name = f"{given.schema}.{given.table}" if given.schema else given.table

    def count(self, engine: Engine, position: Any) -> int:
        """How many rows are to be read."""
        from sqlalchemy import func, select  # noqa: PLC0415

        query = select(func.count()).select_from(self._columns[0].table)
        start = self._start(position)
        if self._cursor is not None and start is not None:
            query = query.where((self._cursor >= start) | self._cursor.is_(None))
        with engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def pages(self, engine: Engine, position: Any) -> Iterator[Found]:
        """The rows behind a position, page by page, each with the position behind it."""
        start = self._start(position)
        named = [one.is_not(None) for one in self._keys if one.nullable]
        if self._cursor is None:
            after = (position or {}).get("key")
            for rows, key in self._walk(engine, named, self._keys, after):
                yield Found(self._records(rows), {"key": key})
            # The next run begins anew.
            yield Found([], {}, self._nameless(engine, []))
            return
        # Rows without a cursor are read each time: nothing says whether they have changed.
        for rows, _ in self._walk(engine, [self._cursor.is_(None), *named], self._keys, None):
            yield Found(self._records(rows), position or {})
        where = [self._cursor.is_not(None)] if start is None else [self._cursor >= start]
        order = [self._cursor, *self._keys]
        reached = position or {}
        for rows, _ in self._walk(engine, [*where, *named], order, None):
            reached = self._reached(rows) or reached
            yield Found(self._records(rows), reached)
        if nameless := self._nameless(engine, [] if start is None else where):
            yield Found([], reached, nameless)

    def _walk(
        self,
        engine: Engine,
        where: Sequence[ColumnElement[bool]],
        order: list[Any],
        after: list[Any] | None,
    ) -> Iterator[tuple[Sequence[Any], list[Any]]]:
        """All rows in an order that tells each from the others, with the place behind each page."""
        while True:
            query = self._query(where, order, after)
            with engine.connect() as connection:
                rows = connection.execute(query).mappings().all()
            if not rows:
                return
            after = [kept(rows[-1][column.name]) for column in order]
            yield rows, after
            if len(rows) < self._page:
                return

    def _query(
        self, where: Sequence[ColumnElement[bool]], order: list[Any], after: list[Any] | None
    ) -> Select[Any]:
        from sqlalchemy import select  # noqa: PLC0415

        query = select(*self._columns).where(*where).order_by(*order).limit(self._page)
        if after is not None:
            values = [self._sent(*pair) for pair in zip(order, map(back, after), strict=True)]
            query = query.where(behind(order, values))
        return query

    def _nameless(self, engine: Engine, where: list[ColumnElement[bool]]) -> tuple[Unreadable, ...]:
        """Rows that nothing tells from others: told, up to a number, as no page could go on behind them."""
        from sqlalchemy import or_, select  # noqa: PLC0415

        nullable = [one for one in self._keys if one.nullable]
        if not nullable:
            return ()
        missing = or_(*(one.is_(None) for one in nullable))
        query = select(*self._columns).where(missing, *where).limit(_MOST_NAMELESS)
        with engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        reason = f"has no {', '.join(one.name for one in self._keys)}"
        raws = [msgspec.json.encode(self._fields(row), enc_hook=str) for row in rows]
        return tuple(Unreadable(raw, self.name, "?", (reason,)) for raw in raws)

    def _start(self, position: Any) -> Any:
        """The first cursor to read again, so far back that what was committed late is met."""
        last = (position or {}).get("cursor")
        # A cursor of another column says nothing of this one; older positions do not say whose it is.
        if last is None or position.get("of", self._given.cursor) != self._given.cursor:
            return None
        late = self._given.late
        seconds = 600.0 if late == "" else parse_duration(late) if isinstance(late, str) else late
        numbers = late if isinstance(late, int) else 1_000 if late == "" else 0
        return self._sent(self._cursor, earlier(back(last), seconds, numbers))

    def _reached(self, rows: Sequence[Any]) -> dict[str, Any] | None:
        """The last cursor that may hide what is earlier: one of the future would hide all that comes until then."""
        assert self._cursor is not None
        name = self._cursor.name
        last = next((row[name] for row in reversed(rows) if self._has_come(row[name])), None)
        return None if last is None else {"cursor": kept(last), "of": self._given.cursor}

    def _has_come(self, value: Any) -> bool:
        from sqlalchemy import Date, DateTime  # noqa: PLC0415

        assert self._cursor is not None
        is_time = isinstance(self._cursor.type, (Date, DateTime)) or self._cursor.info.get(
            "is_time"
        )
        if is_time and isinstance(moment(value), str):
            return False  # `infinity`, and whatever else is no time
        if isinstance(value, date) and not isinstance(value, datetime):
            today = _EPOCH + timedelta(microseconds=self._now)
            return value <= today.astimezone(self._zone).date()
        at = micros(value, self._clock_of(self._cursor))
        return at is None or at <= self._now

    def _sent(self, column: Any, value: Any) -> Any:
        """A value as it is compared with a column.

        SQL Server takes a time for a more exact type than `datetime`: not even the row that it came from
        would be equal to it. A time that came as a text is none to PostgreSQL before it is said to be one.
        """
        from sqlalchemy import Date, DateTime, cast, literal  # noqa: PLC0415

        told = isinstance(value, str) and isinstance(column.type, (Date, DateTime))
        if told or (self._exactly and isinstance(value, datetime)):
            return cast(literal(value), column.type)
        return value

    def _records(self, rows: Sequence[Any]) -> list[Record]:
        return [self._record(row) for row in rows]

    def _record(self, row: Any) -> Record:
        fields = self._fields(row)
        place = "/".join(str(plain(row[column.name], self._zone)) for column in self._keys)
        if self._cursor is None or (at := row[self._cursor.name]) is None:
            return Record(fields, self.name, place)
        time = micros(at, self._clock_of(self._cursor))
        version = "" if time is not None else str(plain(at, self._zone))
        return Record(fields, self.name, place, time=time, version=version)

    def _fields(self, row: Any) -> dict[str, Any]:
        return {
            one.name: plain(_declared(one.info, row[one.name]), self._clock_of(one))
            for one in self._shown
        }

    def _clock_of(self, column: Any) -> ZoneInfo:
        """The zone of a column's times that name none."""
        from sqlalchemy import TIMESTAMP  # noqa: PLC0415

        return _UTC if self._in_utc and isinstance(column.type, TIMESTAMP) else self._zone


def _declared(info: dict[str, Any], value: Any) -> Any:
    """A value of SQLite as what its column was declared to be, if it is that."""
    if info.get("is_time"):
        return moment(value)
    if info.get("is_truth") and value in (0, 1):
        return bool(value)
    if info.get("is_json") and isinstance(value, str):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    return value


def behind(order: list[Any], values: list[Any]) -> ColumnElement[bool]:
    """The rows behind one, in the order of several columns; spelled out, as not all dialects compare rows."""
    from sqlalchemy import and_, or_  # noqa: PLC0415

    return or_(
        *(
            and_(
                *(order[before] == values[before] for before in range(number)),
                order[number] > values[number],
            )
            for number in range(len(order))
        )
    )
