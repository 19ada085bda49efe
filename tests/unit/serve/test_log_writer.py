"""Many requests share one append; too many are told to come back, unless they are patient."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from onefold.model.errors import Busy
from onefold.serve.log_writer import LogWriter
from onefold.testing.patience import PATIENCE


class SlowLog:
    """An event log whose appends wait until they are let go."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []
        self.failures: list[Exception] = []
        self.go = threading.Event()

    def append(self, payloads: Sequence[bytes]) -> None:
        assert self.go.wait(PATIENCE)
        if self.failures:
            raise self.failures.pop()
        self.groups.append(list(payloads))


def test_what_comes_during_an_append_shares_the_next():
    log = SlowLog()

    async def run() -> None:
        writer = LogWriter(log.append)
        first = asyncio.create_task(writer.write(b"1"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [asyncio.create_task(writer.write(b"%d" % n)) for n in range(2, 6)]
        await asyncio.sleep(0)
        assert not first.done()
        log.go.set()
        await asyncio.gather(first, *others)
        await writer.close()

    asyncio.run(run())

    assert log.groups == [[b"1"], [b"2", b"3", b"4", b"5"]]


def test_a_failed_append_fails_its_own_group_only():
    log = SlowLog()
    log.failures = [Busy("full")]

    async def run() -> list[object]:
        writer = LogWriter(log.append)
        first = asyncio.create_task(writer.write(b"1"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = asyncio.create_task(writer.write(b"2"))
        await asyncio.sleep(0)
        log.go.set()
        results = await asyncio.gather(first, second, return_exceptions=True)
        await writer.close()
        return list(results)

    first, second = asyncio.run(run())

    assert isinstance(first, Busy)
    assert second is None
    assert log.groups == [[b"2"]]


def test_over_the_limit_it_is_busy_and_the_patient_wait():
    log = SlowLog()

    async def run() -> None:
        writer = LogWriter(log.append, max_waiting_bytes=10)
        first = asyncio.create_task(writer.write(b"1234567890"))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await writer.write(b"refused")
        patient = asyncio.create_task(writer.write(b"patient", patient=True))
        await asyncio.sleep(0)
        log.go.set()
        await asyncio.gather(first, patient)
        await writer.close()

    asyncio.run(run())

    assert log.groups == [[b"1234567890"], [b"patient"]]


def test_a_payload_larger_than_the_limit_passes_alone():
    log = SlowLog()
    log.go.set()

    async def run() -> None:
        writer = LogWriter(log.append, max_waiting_bytes=10)
        await writer.write(b"x" * 100)
        await writer.close()

    asyncio.run(run())

    assert log.groups == [[b"x" * 100]]


def test_a_client_that_goes_away_does_not_disturb_the_others():
    log = SlowLog()

    async def run() -> None:
        writer = LogWriter(log.append)
        gone = asyncio.create_task(writer.write(b"gone"))
        stays = asyncio.create_task(writer.write(b"stays"))
        await asyncio.sleep(0)
        gone.cancel()
        log.go.set()
        await stays
        await writer.close()

    asyncio.run(run())

    assert log.groups == [[b"gone", b"stays"]]


def test_close_waits_for_what_is_under_way():
    log = SlowLog()

    async def run() -> None:
        writer = LogWriter(log.append)
        write = asyncio.create_task(writer.write(b"last"))
        await asyncio.sleep(0)
        closing = asyncio.create_task(writer.close())
        await asyncio.sleep(0)
        log.go.set()
        await asyncio.gather(write, closing)

    asyncio.run(run())

    assert log.groups == [[b"last"]]
