"""SQL databases: tables and views, read in pages by their key, and what changed by a cursor.

Every page is a query of its own that goes on behind the last row: a crash keeps what is done, no
transaction stays open for long, and a table of any size takes the memory of a page. Only `select`
is sent, in read-only transactions, its values as parameters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from onefold.collect.addresses import Reach
from onefold.collect.sources.sql_settings import SqlSettings, TableSettings, check_settings
from onefold.collect.sources.sql_table import Reading
from onefold.model.errors import Fault, InvalidInput, Unreachable
from onefold.model.pulled import Batch, Position

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table


class SqlSource:
    """Reads the tables of one database, one after the other."""

    def __init__(
        self,
        settings: SqlSettings,
        reach: Reach,
        engine: Engine | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_settings(settings)
        # Its driver is loaded only where such a source is read.
        from onefold.collect.sources.sql_engines import engine_of  # noqa: PLC0415

        self._settings = settings
        self._engine = engine or engine_of(settings, reach)
        self._zone = ZoneInfo(settings.time_zone)
        self._clock = clock

    def batches(self, position: Position | None) -> Iterator[Batch]:
        """All rows behind `position`; raises `Unreachable` where the database does not answer."""
        from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415

        done: dict[str, Any] = dict(position or {})
        try:
            readings = self._readings()
            total = self._count(readings, done)
            for reading in readings:
                for found in reading.pages(self._engine, done.get(reading.name)):
                    done = {**done, reading.name: found.reached}
                    yield Batch(found.records, done, found.unreadable, total)
        except DBAPIError as error:
            raise Unreachable(f"the database answers: {error.orig}") from error
        except SQLAlchemyError as error:
            raise Unreachable(f"the database cannot be read: {error}") from error

    def stored(self, position: Position) -> None:
        """A database need not be told."""

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def _readings(self) -> list[Reading]:
        """Each table as it is now; raises `InvalidInput` with all that is not there."""
        faults: list[Fault] = []
        found = []
        for number, one in enumerate(self._settings.tables):
            table = self._reflected(one, f"settings.tables[{number}]", faults)
            if table is not None:
                now = int(self._clock() * 1_000_000)
                found.append(Reading(one, table, self._settings, self._zone, now))
        if faults:
            raise InvalidInput("the database does not hold what is to be read", faults)
        return found

    def _reflected(self, one: TableSettings, where: str, faults: list[Fault]) -> Table | None:
        from sqlalchemy import Integer, MetaData, Numeric, Table  # noqa: PLC0415
        from sqlalchemy.exc import NoSuchTableError  # noqa: PLC0415

        from onefold.collect.sources.sql_engines import as_stored  # noqa: PLC0415

        schema = one.schema or self._settings.schema or None
        try:
            raw = [("column_reflect", as_stored)] if self._settings.dialect == "sqlite" else []
            table = Table(
                one.table, MetaData(), schema=schema, autoload_with=self._engine, resolve_fks=False,
                listeners=raw,
            )  # fmt: skip
        except NoSuchTableError:
            faults.append(Fault(f"there is no table {one.table!r}", where))
            return None
        wanted = {*one.columns, *one.key, *([one.cursor] if one.cursor else [])}
        for name in sorted(wanted - set(table.columns.keys())):
            faults.append(Fault(f"table {one.table} has no column {name!r}", where))
        cursor = table.columns.get(one.cursor)
        if (
            one.late
            and isinstance(one.late, str)
            and isinstance(getattr(cursor, "type", None), (Integer, Numeric))
        ):
            hint = f"{one.cursor} is a number, and so is how far before the last one to look"
            faults.append(Fault("must be a number", f"{where}.late", hint))
        if not one.key and not table.primary_key.columns:
            hint = "name in `key` the columns that tell its rows apart"
            faults.append(Fault(f"{one.table} has no primary key", where, hint))
        return table

    def _count(self, readings: list[Reading], done: dict[str, Any]) -> int | None:
        if not self._settings.count:
            return None
        return sum(one.count(self._engine, done.get(one.name)) for one in readings)
