"""The log in files deletes what is processed and old, or too much, and nothing else."""

from __future__ import annotations

import os
import time

import pytest

from onefold.eventlog.files import FileEventLog, FileLogSettings
from onefold.testing.log_directory import LogDirectory

DAY = 86_400 * 1_000_000
NOW = time.time_ns() // 1000
BY_AGE = FileLogSettings(min_free_bytes=0, segment_bytes=1000, retain_seconds=86_400)
BY_SIZE = FileLogSettings(
    min_free_bytes=0, segment_bytes=1000, retain_seconds=None, retain_bytes=5000
)


def fill(logs: LogDirectory, settings: FileLogSettings, writer: str = "web-0") -> FileEventLog:
    """Ten segments of one record of about 1000 bytes each."""
    log = logs.open(writer, settings=settings)
    for number in range(10):
        log.append([b"%d" % number * 1000])
    return log


def processed(log: FileEventLog, count: int) -> dict[str, int]:
    """The positions behind the first `count` records."""
    records = log.read({}, count, 1 << 20)
    return {"web-0": records[-1].next_offset}


def test_old_segments_go_once_they_are_processed(logs: LogDirectory) -> None:
    log = fill(logs, BY_AGE)
    assert log.retain(NOW + 2 * DAY) == 0
    log.commit(processed(log, 4))
    assert log.retain(NOW) == 0
    assert log.retain(NOW + 2 * DAY) > 4000
    assert logs.payloads() == [b"%d" % number * 1000 for number in range(4, 10)]
    assert log.retain(NOW + 2 * DAY) == 0


def test_a_segment_that_is_processed_in_part_stays(logs: LogDirectory) -> None:
    log = logs.open(settings=BY_AGE)
    log.append([b"x" * 300] * 2)
    log.commit(processed(log, 1))
    assert log.retain(NOW + 2 * DAY) == 0
    assert len(logs.payloads()) == 2


def test_the_oldest_segments_go_when_there_are_too_many(logs: LogDirectory) -> None:
    log = fill(logs, BY_SIZE)
    log.close()
    for number, path in enumerate(logs.segments()):
        os.utime(path, (number, number))
    reader = logs.open(None, settings=BY_SIZE)
    assert reader.retain(NOW) == 0
    reader.commit(processed(reader, 3))
    reader.retain(NOW)
    assert len(logs.payloads()) == 7
    reader.commit(reader.ends())
    reader.retain(NOW)
    kept = sum(path.stat().st_size for path in logs.segments())
    assert 4000 <= kept <= 5000
    assert reader.retain(NOW) == 0


def test_the_last_segment_goes_too_and_offsets_go_on(logs: LogDirectory) -> None:
    log = fill(logs, BY_AGE)
    end = log.ends()
    log.commit(end)
    log.retain(NOW + 2 * DAY)
    assert logs.segments() == []
    assert logs.payloads() == []
    log.append([b"next"])
    (record,) = log.read(end, 10, 1000)
    assert (record.offset, record.payload) == (end["web-0"], b"next")
    assert logs.payloads() == [b"next"]


def test_a_writer_that_is_gone_leaves_no_old_data_behind(logs: LogDirectory) -> None:
    log = fill(logs, BY_AGE)
    end = log.ends()
    log.close()
    reader = logs.open(None, settings=BY_AGE)
    reader.commit(end)
    reader.retain(NOW + 2 * DAY)
    assert logs.segments() == []
    again = logs.open(settings=BY_AGE)
    assert again.ends() == end
    again.append([b"next"])
    assert [record.offset for record in reader.read(end, 10, 1000)] == [end["web-0"]]


def test_the_last_segment_of_another_living_writer_stays(logs: LogDirectory) -> None:
    log = fill(logs, BY_AGE)
    reader = logs.open(None, settings=BY_AGE)
    reader.commit(log.ends())
    reader.retain(NOW + 2 * DAY)
    assert len(logs.segments()) == 1
    log.append([b"goes on"])
    assert logs.payloads()[-1] == b"goes on"


def test_a_reader_whose_records_expired_goes_on_with_the_oldest(logs: LogDirectory) -> None:
    log = fill(logs, BY_AGE)
    reader = logs.open(None, settings=BY_AGE)
    (first,) = reader.read({}, 1, 1000)
    log.commit(processed(log, 5))
    log.retain(NOW + 2 * DAY)
    positions = {"web-0": first.next_offset}
    found = reader.read(positions, 1, 1 << 20) or reader.read(positions, 1, 1 << 20)
    assert [record.payload for record in found] == [b"5" * 1000]


def test_without_an_age_all_goes_that_is_processed(logs: LogDirectory) -> None:
    settings = FileLogSettings(min_free_bytes=0, segment_bytes=1000, retain_seconds=0)
    log = fill(logs, settings)
    log.commit(processed(log, 6))
    log.retain(NOW + DAY)
    assert len(logs.payloads()) == 4


@pytest.mark.parametrize("clock", [NOW - 100 * DAY, 0], ids=["months", "to 1970"])
def test_a_clock_that_jumps_back_deletes_nothing(logs: LogDirectory, clock: int) -> None:
    log = fill(logs, BY_AGE)
    log.commit(log.ends())
    assert log.retain(clock) == 0
    assert len(logs.payloads()) == 10
