"""The shop: all its customers' messages, in the order in which they arrive."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

import msgspec

from onefold.testing.shop.messages import Message
from onefold.testing.shop.people import Person, person
from onefold.testing.shop.scenes import play_visit
from onefold.testing.shop.truth import Truth
from onefold.testing.shop.visits import DAY, SECOND, Life, Visit, moments

_START = 1_767_196_800 * SECOND  # midnight in Shanghai before 2026-01-01
_FEW = 4096


class Shop(msgspec.Struct, frozen=True):
    """An online shop with Chinese and international customers, made up from a seed.

    The same values give the same messages, byte for byte. `start` is the first day's midnight, in
    microseconds, `timezone` that of the workspace that looks at it. A small shop's customers are the
    first ones of a larger shop with the same seed.
    """

    seed: int = 1
    customers: int = 200
    start: int = _START
    days: int = 30
    timezone: str = "Asia/Shanghai"

    @classmethod
    def around(
        cls,
        now: int,
        *,
        seed: int = 1,
        customers: int = 200,
        before: int = 30,
        after: int = 30,
        timezone: str = "Asia/Shanghai",
    ) -> Shop:
        """A shop with so many days before today and so many from today on."""
        today = datetime.fromtimestamp(now // SECOND, ZoneInfo(timezone))
        midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
        start = int(midnight.timestamp()) * SECOND - before * DAY
        return cls(seed, customers, start, before + after, timezone)

    @property
    def end(self) -> int:
        """The end of the last day. What devices send late may come after it."""
        return self.start + self.days * DAY

    def person(self, number: int) -> Person:
        """The truth about one customer."""
        return person(self.seed, number)

    def messages(self, customers: range | None = None) -> Iterator[Message]:
        """What the shop sends, in order of arrival; of some customers only if asked for."""
        pending: list[tuple[int, int, Message]] = []
        count = 0
        for second, some, visit in self._visits(
            range(self.customers) if customers is None else customers
        ):
            while pending and pending[0][0] < second:
                yield heappop(pending)[2]
            for message in play_visit(self.seed, some, visit):
                heappush(pending, (message.at, count, message))
                count += 1
        while pending:
            yield heappop(pending)[2]

    def truth(self, customers: range | None = None) -> Truth:
        """Who is who. It holds all messages, so ask it of a small shop or of some customers."""
        return Truth(self.messages(customers), self.timezone)

    def _visits(self, customers: range) -> Iterator[tuple[int, Person, Visit]]:
        """All visits with the second they begin in, in its order.

        Only numbers are kept of those to come: of many customers, a plan is made for each visit
        again, which is faster than to keep them.
        """

        @lru_cache(_FEW if len(customers) <= _FEW else 1)
        def life(number: int) -> Life:
            return Life(self.seed, person(self.seed, number), self.start, self.days)

        for key in self._timetable(customers):
            somebody = life(key >> 8 & 0xFFFFFFF)
            visit = somebody.visit(key & 0xFF)
            yield self.start + (key >> 36) * SECOND, somebody.person, visit

    def _timetable(self, customers: range) -> Iterator[int]:
        """Visits as sorted numbers: seconds since the start, customer, place in the plan."""
        days = [array("Q") for _ in range(self.days + 2)]
        for number in customers:
            existed, times = moments(self.seed, number, self.start, self.days)
            if existed:
                days[0].append(number % 3600 << 36 | number << 8)
            for place, at in enumerate(times, int(existed)):
                second = (at - self.start) // SECOND
                days[second // 86_400].append(second << 36 | number << 8 | place)
        for day in days:
            yield from sorted(day)
