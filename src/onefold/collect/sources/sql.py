"""SQL databases: tables and views, read in pages by their key, and what changed by a cursor.

Every page is a query of its own that goes on behind the last row: a crash keeps what is done, no
transaction stays open for long, and a table of any size takes the memory of a page. Only `select`
is sent, in read-only transactions, its values as parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from onefold.collect.addresses import Reach
from onefold.collect.sources.sql_settings import SqlSettings, TableSettings, check_settings
from onefold.collect.sources.sql_values import back, earlier, kept, micros, plain
from onefold.model.errors import Fault, InvalidInput, Unreachable
from onefold.model.pulled import Batch, Position, Record
from onefold.model.quantities import parse_duration

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine, Select, Table


class SqlSource:
    """Reads the tables of one database, one after the other."""

    def __init__(self, settings: SqlSettings, reach: Reach, engine: Engine | None = None) -> None:
        check_settings(settings)
        # Its driver is loaded only where such a source is read.
        from onefold.collect.sources.sql_engines import engine_of  # noqa: PLC0415

        self._settings = settings
        self._engine = engine or engine_of(settings, reach)
        self._zone = ZoneInfo(settings.time_zone)

    def batches(self, position: Position | None) -> Iterator[Batch]:
        """All rows behind `position`; raises `Unreachable` where the database does not answer."""
        from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415

        done: dict[str, Any] = dict(position or {})
        try:
            readings = self._readings()
            total = self._count(readings, done)
            for reading in readings:
                for records, reached in reading.pages(self._engine, done.get(reading.name)):
                    done = {**done, reading.name: reached}
                    yield Batch(records, done, total=total)
        except DBAPIError as error:
            raise Unreachable(f"the database answers: {error.orig}") from error
        except SQLAlchemyError as error:
            raise Unreachable(f"the database cannot be read: {error}") from error

    def stored(self, position: Position) -> None:
        """A database need not be told."""

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def _readings(self) -> list[_Reading]:
        """Each table as it is now; raises `InvalidInput` with all that is not there."""
        faults: list[Fault] = []
        found = []
        for number, one in enumerate(self._settings.tables):
            table = self._reflected(one, f"settings.tables[{number}]", faults)
            if table is not None:
                found.append(_Reading(one, table, self._settings.page, self._zone))
        if faults:
            raise InvalidInput("the database does not hold what is to be read", faults)
        return found

    def _reflected(self, one: TableSettings, where: str, faults: list[Fault]) -> Table | None:
        from sqlalchemy import MetaData, Table  # noqa: PLC0415
        from sqlalchemy.exc import NoSuchTableError  # noqa: PLC0415

        schema = one.schema or self._settings.schema or None
        try:
            table = Table(
                one.table, MetaData(), schema=schema, autoload_with=self._engine, resolve_fks=False
            )
        except NoSuchTableError:
            faults.append(Fault(f"there is no table {one.table!r}", where))
            return None
        wanted = {*one.columns, *one.key, *([one.cursor] if one.cursor else [])}
        for name in sorted(wanted - set(table.columns.keys())):
            faults.append(Fault(f"table {one.table} has no column {name!r}", where))
        if not one.key and not table.primary_key.columns:
            hint = "name in `key` the columns that tell its rows apart"
            faults.append(Fault(f"{one.table} has no primary key", where, hint))
        return table

    def _count(self, readings: list[_Reading], done: dict[str, Any]) -> int | None:
        if not self._settings.count:
            return None
        return sum(one.count(self._engine, done.get(one.name)) for one in readings)


class _Reading:
    """One table, read in the order of its cursor and key."""

    def __init__(self, given: TableSettings, table: Table, page: int, zone: ZoneInfo) -> None:
        self._given = given
        self._page = page
        self._zone = zone
        keys = given.key or tuple(column.name for column in table.primary_key.columns)
        self._keys = [table.columns[name] for name in keys if name in table.columns]
        self._cursor = table.columns.get(given.cursor, None)
        wanted = given.columns or tuple(table.columns.keys())
        needed = [one.name for one in ([] if self._cursor is None else [self._cursor])]
        names = dict.fromkeys([*wanted, *keys, *needed])
        self._columns = [table.columns[name] for name in names if name in table.columns]
        self._shown = set(wanted)
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

    def pages(self, engine: Engine, position: Any) -> Iterator[tuple[list[Record], Any]]:
        """The rows behind a position, page by page, each with the position behind it."""
        if self._cursor is None:
            after = (position or {}).get("key")
            for records, key in self._walk(engine, [], self._keys, after):
                yield records, {"key": key}
            yield [], {}  # the next run begins anew
            return
        # Rows without a cursor are read each time: nothing says whether they have changed.
        for records, _ in self._walk(engine, [self._cursor.is_(None)], self._keys, None):
            yield records, position or {}
        start = self._start(position)
        where = [self._cursor.is_not(None)] if start is None else [self._cursor >= start]
        for records, reached in self._walk(engine, where, [self._cursor, *self._keys], None):
            yield records, {"cursor": reached[0]}

    def _walk(
        self,
        engine: Engine,
        where: list[ColumnElement[bool]],
        order: list[Any],
        after: list[Any] | None,
    ) -> Iterator[tuple[list[Record], list[Any]]]:
        """All rows in an order that tells each from the others, with the place behind each page."""
        while True:
            query = self._query(where, order, after)
            with engine.connect() as connection:
                rows = connection.execute(query).mappings().all()
            if not rows:
                return
            after = [kept(rows[-1][column.name]) for column in order]
            yield [self._record(row) for row in rows], after
            if len(rows) < self._page:
                return

    def _query(
        self, where: list[ColumnElement[bool]], order: list[Any], after: list[Any] | None
    ) -> Select[Any]:
        from sqlalchemy import select  # noqa: PLC0415

        query = select(*self._columns).where(*where).order_by(*order).limit(self._page)
        if after is not None:
            query = query.where(behind(order, [back(one) for one in after]))
        return query

    def _start(self, position: Any) -> Any:
        """The first cursor to read again, so far back that what was committed late is met."""
        last = (position or {}).get("cursor")
        if last is None:
            return None
        late = self._given.late
        seconds = 600.0 if late == "" else parse_duration(late) if isinstance(late, str) else late
        numbers = late if isinstance(late, int) else 1_000 if late == "" else 0
        return earlier(back(last), seconds, numbers)

    def _record(self, row: Any) -> Record:
        fields = {name: plain(row[name], self._zone) for name in row if name in self._shown}
        place = "/".join(str(plain(row[column.name], self._zone)) for column in self._keys)
        if self._cursor is None or (at := row[self._cursor.name]) is None:
            return Record(fields, self.name, place)
        time = micros(at, self._zone)
        version = "" if time is not None else str(plain(at, self._zone))
        return Record(fields, self.name, place, time=time, version=version)


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
