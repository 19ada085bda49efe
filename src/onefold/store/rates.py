"""Rates of exchange that were handed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

import msgspec

from onefold.model.rates import DayRates
from onefold.store.database import Database
from onefold.store.registry import Registry

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, float]).decode


class RatesKept(NamedTuple):
    """What there is of one base: how many days, the first and the last, and that one's rates."""

    base: str
    days: int
    first: date
    last: date
    rates: dict[str, float]


class RateStore:
    """Rates by base and day; handed in again, those of a day replace the older ones."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._registry = Registry(db)

    def put(self, tables: Iterable[DayRates], at: int, actor: str, origin: str) -> None:
        """Keep these, all or none; whoever uses rates looks again."""
        rows = [(one.base, one.day.toordinal(), _encode(one.rates).decode()) for one in tables]
        with self._db.transaction() as connection:
            connection.executemany("insert or replace into rates values (?,?,?)", rows)
            self._registry.changed(at, actor, "rates.load", origin)

    def all(self) -> Iterator[DayRates]:
        """All of them, by base and day."""
        for base, day, rates in self._db.rows("select base, day, rates from rates order by 1, 2"):
            yield DayRates(base, date.fromordinal(day), _decode(rates))

    def kept(self) -> list[RatesKept]:
        """What there is, by base."""
        rows = self._db.rows(
            "select base, count(*), min(day), max(day),"
            " (select rates from rates one where one.base = rates.base order by day desc limit 1)"
            " from rates group by base order by base"
        )
        return [
            RatesKept(base, days, date.fromordinal(first), date.fromordinal(last), _decode(rates))
            for base, days, first, last, rates in rows
        ]
