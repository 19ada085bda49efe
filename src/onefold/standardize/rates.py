"""Rates of exchange by day, and amounts turned by them: nothing is fetched, who has rates hands them in.

A table says what one unit of its base is in other currencies, as the reference rates of the European Central Bank do
(https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/). On days without rates,
such as Sundays, those of the last day before hold, as long as that is no more than a week ago.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from onefold.model.rates import DayRates

MOST_DAYS = 7
_DIGITS = 4


class Converted(NamedTuple):
    """An amount in another currency, by which rate of which day."""

    value: float
    rate: float
    day: date


class Rates:
    """Rates of exchange of many days; false without any."""

    def __init__(self, tables: Iterable[DayRates] = ()) -> None:
        self._days: dict[str, list[date]] = {}
        self._rates: dict[tuple[str, date], Mapping[str, float]] = {}
        for one in tables:
            self._days.setdefault(one.base, []).append(one.day)
            self._rates[one.base, one.day] = {**one.rates, one.base: 1.0}
        for days in self._days.values():
            days.sort()

    def __bool__(self) -> bool:
        return bool(self._rates)

    def convert(self, amount: float, source: str, to: str, day: date) -> Converted | None:
        """An amount by the rate of a day; None where no table has both currencies then.

        >>> rates = Rates([DayRates("EUR", date(2026, 1, 30), {"USD": 1.25, "CNY": 8.0})])
        >>> rates.convert(100, "USD", "EUR", date(2026, 2, 1))
        Converted(value=80.0, rate=0.8, day=datetime.date(2026, 1, 30))
        >>> rates.convert(100, "USD", "CNY", date(2026, 1, 30)).value, rates.convert(1, "USD", "EUR", date(2026, 3, 1))
        (640.0, None)
        """
        if source == to:
            return Converted(amount, 1.0, day)
        for base, days in self._days.items():
            at = bisect_right(days, day) - 1
            # A currency may be missing on a day of its table: then the day before counts.
            while at >= 0 and (day - days[at]).days <= MOST_DAYS:
                rates = self._rates[base, days[at]]
                if source in rates and to in rates:
                    rate = rates[to] / rates[source]
                    return Converted(round(amount * rate, _DIGITS), rate, days[at])
                at -= 1
        return None
