"""Blocking work beside the event loop, and answers shared by those who ask together."""

from __future__ import annotations

import asyncio
import threading

import pytest

from onefold.model.errors import Busy
from onefold.serve.lanes import Lane
from onefold.serve.latest import Latest
from onefold.testing.patience import PATIENCE


def test_work_runs_so_many_at_once_some_wait_and_the_rest_is_told_to_come_back() -> None:
    go, running = threading.Event(), threading.Semaphore(0)

    def work(number: int) -> int:
        running.release()
        assert go.wait(PATIENCE)
        return number

    async def run() -> list[int | BaseException]:
        lane = Lane("queries", at_once=2, waiting=1)
        tasks = [asyncio.create_task(lane.run(work, number)) for number in range(5)]
        for _ in range(2):
            assert await asyncio.to_thread(running.acquire, timeout=PATIENCE)
        assert not running.acquire(blocking=False)
        go.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert await lane.run(work, 9) == 9
        return found

    found = asyncio.run(run())

    assert found[:3] == [0, 1, 2]
    assert [type(one) for one in found[3:]] == [Busy, Busy]
    assert isinstance(found[3], Busy)
    assert found[3].retry_after == 1


def test_room_is_free_again_after_work_that_failed() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def run() -> None:
        lane = Lane("queries", at_once=1, waiting=0)
        for _ in range(3):
            with pytest.raises(ValueError, match="no"):
                await lane.run(fail)

    asyncio.run(run())


def test_those_who_ask_together_share_one_look() -> None:
    looks = 0

    async def look() -> int:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return looks

    async def run() -> list[int]:
        latest = Latest(look, seconds=3600)
        return list(await asyncio.gather(*(latest.get() for _ in range(20))))

    assert asyncio.run(run()) == [1] * 20
