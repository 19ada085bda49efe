"""What comes faster than its source may send waits for its turn, and is refused only beyond that."""

from __future__ import annotations

import asyncio

import pytest

from onefold.model.errors import RateLimited
from onefold.model.sources import Source
from onefold.serve.limits import Limits

WEB = Source(id="web", name="Web", events_per_second=10)
NOW = 1_790_000_000_000_000


class Slept(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(round(seconds, 3))
        await asyncio.sleep(0)


def many(limits: Limits, calls: int, *, events: int = 10, size: int = 100) -> list[bool]:
    """Calls at once: which of them came through."""

    async def one() -> bool:
        try:
            await limits.turn(WEB, events, size)
        except RateLimited:
            return False
        return True

    async def run() -> list[bool]:
        return await asyncio.gather(*(one() for _ in range(calls)))

    return asyncio.run(run())


def test_calls_wait_one_after_the_other_and_only_those_that_would_wait_too_long_are_refused() -> (
    None
):
    slept = Slept()
    came = many(Limits(lambda: NOW, 3.0, slept), 8)
    assert came == [True] * 5 + [False] * 3
    assert slept == [0.001, 1.0, 2.0, 3.0]


def test_who_is_refused_is_told_when_it_would_come_through() -> None:
    async def run() -> float:
        limits = Limits(lambda: NOW, 1.0, Slept())
        await limits.turn(WEB, 35, 1)
        with pytest.raises(RateLimited) as caught:
            await limits.turn(WEB, 1, 1)
        return caught.value.retry_after

    assert asyncio.run(run()) == 2.5


def test_what_waits_is_bounded_in_its_size_too() -> None:
    slept = Slept()
    assert many(Limits(lambda: NOW, 60.0, slept), 5, size=30 << 20) == [True] * 3 + [False] * 2


def test_who_is_slow_enough_or_has_no_limit_never_waits() -> None:
    slept = Slept()
    clock = iter(range(NOW, NOW + 100_000_000, 1_000_000))

    async def run() -> None:
        limits = Limits(lambda: next(clock), 3.0, slept)
        for _ in range(20):
            await limits.turn(WEB, 9, 1)
        for _ in range(20):
            await limits.turn(Source(id="free", name="Free"), 1_000, 1)

    asyncio.run(run())
    assert slept == []
