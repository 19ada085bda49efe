"""What is left of the log in files after crashes and damage: all that was acknowledged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from onefold.eventlog import LogRecord
from onefold.eventlog.files import FileEventLog, FileLogSettings
from onefold.eventlog.frames import HEADER_BYTES, frame
from onefold.testing.faulty_disk import FaultyDisk
from onefold.testing.log_directory import SMALL, LogDirectory, wall_clock
from onefold.testing.patience import wait_until

LARGE = FileLogSettings(min_free_bytes=0)


@contextmanager
def fresh_logs() -> Iterator[LogDirectory]:
    """For each example of a property a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        logs = LogDirectory(Path(directory))
        yield logs
        logs.close()


def framed(payloads: list[bytes], offset: int) -> bytes:
    parts: list[bytes] = []
    frame(payloads, offset, parts)
    return b"".join(parts)


def lose_power(logs: LogDirectory, tail: bytes) -> None:
    """Leave behind what a power loss may: an old mark, and something behind the last record."""
    (logs.directory / "web-0" / "end").write_bytes(b"")
    with logs.segments()[-1].open("ab") as file:
        file.write(tail)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_torn_tail_is_cut_wherever_it_tore(data: st.DataObject) -> None:
    with fresh_logs() as logs:
        log = logs.open(settings=LARGE)
        log.append([b"one", b"two"])
        log.close()
        end = logs.segments()[-1].stat().st_size
        whole = framed([b"never acknowledged"], end)
        torn = whole[: data.draw(st.integers(1, len(whole) - 1))] + bytes(
            data.draw(st.sampled_from([0, 100, 5000]))
        )
        lose_power(logs, torn)
        with capture_logs() as lines:
            log = logs.open(settings=LARGE)
        (line,) = [line for line in lines if line["event"] == "log_tail_cut"]
        assert (line["partition"], line["offset"]) == ("web-0", end)
        assert line["bytes"] == len(torn.rstrip(b"\0"))
        log.append([b"three"])
        assert logs.payloads() == [b"one", b"two", b"three"]


def test_room_that_was_reserved_is_no_torn_tail(logs: LogDirectory) -> None:
    logs.open(settings=LARGE).append([b"one"])
    logs.close()
    lose_power(logs, bytes(100_000))
    with capture_logs() as lines:
        logs.open(settings=LARGE).append([b"two"])
    assert lines == []
    assert logs.payloads() == [b"one", b"two"]


def test_after_a_power_loss_all_is_read_even_if_its_writer_never_starts_again(
    logs: LogDirectory,
) -> None:
    log = logs.open()
    for number in range(100):
        log.append([b"%d" % number * 50])
    log.close()
    for mark in (b"", (0).to_bytes(24, "little"), b"x" * 24):
        (logs.directory / "web-0" / "end").write_bytes(mark)
        assert logs.payloads() == [b"%d" % number * 50 for number in range(100)]


@given(
    sizes=st.lists(st.integers(0, 300), min_size=1, max_size=30),
    flips=st.lists(st.integers(0, 1 << 20), min_size=1, max_size=6),
    bit=st.integers(0, 7),
    segment_bytes=st.sampled_from([200, 1000, 1 << 20]),
    max_bytes=st.sampled_from([1, 100, 1 << 20]),
)
@settings(max_examples=100, deadline=None)
def test_damage_takes_exactly_the_records_that_it_touches(
    sizes: list[int], flips: list[int], bit: int, segment_bytes: int, max_bytes: int
) -> None:
    with fresh_logs() as logs:
        log = logs.open(settings=FileLogSettings(min_free_bytes=0, segment_bytes=segment_bytes))
        for number, size in enumerate(sizes):
            log.append([random.Random(number).randbytes(size)])
        end = log.ends()["web-0"]
        records = read_all(logs.open(None), max_bytes)
        places = {flip % end for flip in flips}
        for place in places:
            flip_bit(logs, place, bit)
        good = [record for record in records if not touched(record, places)]
        reader = logs.open(None)
        with capture_logs() as lines:
            read = read_all(reader, max_bytes)
        assert read == [r for r in records if r in good or (r in read and guarded(r, places))]
        named = [line for line in lines if line["event"] == "log_record_damaged"]
        lost = set(range(end)) - {b for r in read for b in range(r.offset, r.next_offset)}
        assert {b for n in named for b in range(n["offset"], n["offset"] + n["bytes"])} == lost
        assert reader.damaged() == len(named)
        log.append([b"goes on"])
        assert read_all(reader, max_bytes)[-1].payload == b"goes on"
        log.close()
        logs.open().append([b"after a restart"])
        assert [r for r in read_all(logs.open(None), max_bytes) if r in good] == good


def touched(record: LogRecord, places: set[int]) -> bool:
    return any(record.offset <= place < record.next_offset for place in places)


def guarded(record: LogRecord, places: set[int]) -> bool:
    """Only the guard is touched, which a reader needs only right behind another damage."""
    guard = range(record.offset + HEADER_BYTES - 4, record.offset + HEADER_BYTES)
    return all(place in guard for place in places if touched(record, {place}))


def read_all(log: FileEventLog, max_bytes: int) -> list[LogRecord]:
    positions: dict[str, int] = {}
    records: list[LogRecord] = []
    while found := log.read(positions, 1000, max_bytes):
        records.extend(found)
        positions["web-0"] = found[-1].next_offset
    return records


def flip_bit(logs: LogDirectory, offset: int, bit: int) -> None:
    path = [path for path in logs.segments() if int(path.stem) <= offset][-1]
    with path.open("r+b") as file:
        file.seek(offset - int(path.stem))
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1 << bit]))


@pytest.mark.parametrize("length", [0, 1, 99, 101, 5000, 64 << 20, (1 << 32) - 1])
def test_a_corrupted_length_loses_one_record(logs: LogDirectory, length: int) -> None:
    log = logs.open(settings=LARGE)
    payloads = [b"%d" % number * 100 for number in range(9)]
    log.append(payloads)
    (segment,) = logs.segments()
    with segment.open("r+b") as file:
        file.seek(4 * (HEADER_BYTES + 100) + 4)
        file.write(length.to_bytes(4, "little"))
    assert logs.payloads() == payloads[:4] + payloads[5:]


def test_a_payload_that_looks_like_a_record_is_never_taken_for_one(logs: LogDirectory) -> None:
    log = logs.open(settings=LARGE)
    forged = framed([b"forged"], 0) + framed([b"forged"], HEADER_BYTES)
    log.append([forged, b"behind"])
    flip_bit(logs, 2, 0)
    assert logs.payloads() == [b"behind"]


def test_pages_that_the_disk_cannot_read_lose_only_their_records(logs: LogDirectory) -> None:
    log = logs.open(settings=LARGE)
    payloads = [b"%03d" % number * 300 for number in range(100)]
    log.append(payloads)
    disk = FaultyDisk()
    disk.unreadable.add((4096 * 5, 4096 * 6))
    reader = logs.open(None, disk=disk)
    read = [record.payload for record in read_all(reader, 1 << 20)]
    assert 100 - len(read) == pytest.approx(4096 / 916, abs=2)
    assert set(read) < set(payloads)
    assert reader.damaged() == 1


def test_damage_is_said_and_counted_once(logs: LogDirectory) -> None:
    log = logs.open(settings=LARGE)
    log.append([b"one", b"two", b"three"])
    flip_bit(logs, HEADER_BYTES + 3 + HEADER_BYTES, 1)
    with capture_logs() as lines:
        for _ in range(5):
            assert [record.payload for record in read_all(log, 1 << 20)] == [b"one", b"three"]
    assert len(lines) == log.damaged() == 1


def test_no_offset_is_given_again_that_was_processed(logs: LogDirectory) -> None:
    log = logs.open()
    log.append([b"lost with the disk"] * 10)
    processed = log.ends()
    log.commit(processed)
    log.close()
    for path in [*logs.segments(), logs.directory / "web-0" / "end"]:
        path.unlink()
    with capture_logs() as lines:
        log = logs.open()
    assert [line["event"] for line in lines] == ["log_position_beyond_end"]
    log.append([b"new"])
    (record,) = logs.open(None).read(processed, 10, 1000)
    assert (record.offset, record.payload) == (processed["web-0"], b"new")


def test_positions_kept_elsewhere_count_as_processed(logs: LogDirectory) -> None:
    logs.open().append([b"old"])
    logs.close()
    positions = {"web-0": 1000, "web-1": 5}
    log = logs.open(processed=positions)
    log.append([b"new", b"newer"])
    assert [r.payload for r in logs.open(None).read(positions, 10, 1000)] == [b"new", b"newer"]
    assert logs.payloads() == [b"old", b"new", b"newer"]
    assert log.damaged() == 0


def test_a_position_beyond_the_end_is_said_once(logs: LogDirectory) -> None:
    log = logs.open()
    log.append([b"one"])
    with capture_logs() as lines:
        assert log.read({"web-0": 1000}, 10, 1000) == []
        assert log.read({"web-0": 1000}, 10, 1000) == []
    assert [line["event"] for line in lines] == ["log_position_beyond_end"]


WRITER = """
import os, sys, threading, time
from pathlib import Path
from onefold.eventlog.files import FileEventLog, FileLogSettings
log = FileEventLog(
    Path(sys.argv[1]), "web-0", lambda: time.time_ns() // 1000,
    FileLogSettings(min_free_bytes=0, segment_bytes=20_000))
def work(thread):
    number = 0
    while True:
        payloads = [b"%s %d %d %d" % (sys.argv[2].encode(), thread, number, n) for n in range(7)]
        log.append([payload.ljust(200) for payload in payloads])
        os.write(1, b"".join(payload + b"\\n" for payload in payloads))
        number += 1
for thread in range(8):
    threading.Thread(target=work, args=(thread,)).start()
"""


def test_what_was_acknowledged_before_a_kill_is_read_after_it(logs: LogDirectory) -> None:
    acknowledged: list[bytes] = []
    chance = random.Random(7)
    reader = logs.open(None)
    read: list[bytes] = []
    positions: dict[str, int] = {}

    def follow() -> None:
        for record in reader.read(positions, 1000, 1 << 20):
            read.append(record.payload.rstrip())
            positions[record.partition] = record.next_offset

    for run in range(6):
        command = [sys.executable, "-c", WRITER, str(logs.directory), str(run)]
        with tempfile.TemporaryFile() as output:
            writer = subprocess.Popen(
                command, stdout=output, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            )
            enough = 2000 + chance.randrange(20_000)

            def wrote(output: Any = output, enough: int = enough) -> bool:
                follow()
                return os.fstat(output.fileno()).st_size >= enough

            wait_until(wrote, "much is acknowledged", pause=0)
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            output.seek(0)
            acknowledged += output.read().splitlines()
    assert len(acknowledged) > 500
    assert set(acknowledged) <= {payload.rstrip() for payload in logs.payloads()}

    def all_read() -> bool:
        follow()
        return set(acknowledged) <= set(read)

    wait_until(all_read, "what was acknowledged is read")
    assert len(read) == len(set(read))
    assert FileEventLog(logs.directory, "web-0", wall_clock, SMALL).close() is None
