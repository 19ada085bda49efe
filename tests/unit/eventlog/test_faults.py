"""What the log in files does when the disk fails or fills, and who may write."""

from __future__ import annotations

import errno
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.eventlog.files import FileEventLog, FileLogSettings
from onefold.eventlog.group_commit import GroupCommit
from onefold.model.errors import Busy, Conflict, InvalidInput, TooLarge
from onefold.testing.faulty_disk import FaultyDisk
from onefold.testing.log_directory import SMALL, LogDirectory
from onefold.testing.patience import PATIENCE, wait_until

CALLS = ["create", "reserve", "write", "sync", "sync_directory"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failed_append_keeps_nothing_and_the_next_one_goes_on(
    logs: LogDirectory, call: str, code: int
) -> None:
    disk = FaultyDisk()
    log = logs.open(disk=disk, settings=FileLogSettings(min_free_bytes=0, segment_bytes=60))
    log.append([b"first", b"x" * 60])  # so that the next append begins a segment
    disk.fail(call, code, times=3, written=37)
    for _ in range(3):
        with pytest.raises(Busy) as busy:
            log.append([b"refused", b"refused too"])
        assert busy.value.retry_after > 0
        assert logs.payloads() == [b"first", b"x" * 60]
    log.append([b"second"])
    log.append([b"third"])
    assert logs.payloads() == [b"first", b"x" * 60, b"second", b"third"]
    log.close()
    assert logs.open().damaged() == 0
    assert logs.payloads() == [b"first", b"x" * 60, b"second", b"third"]


def test_whole_records_of_a_refused_append_are_not_read_even_if_the_file_cannot_be_cut(
    logs: LogDirectory,
) -> None:
    disk = FaultyDisk()
    log = logs.open(disk=disk)
    log.append([b"first"])
    disk.fail("sync")
    disk.fail("truncate")
    with pytest.raises(Busy):
        log.append([b"refused"])
    assert logs.payloads() == [b"first"]
    log.append([b"second"])
    assert logs.payloads() == [b"first", b"second"]


def test_after_a_failed_sync_the_same_file_is_never_written_again(logs: LogDirectory) -> None:
    disk = FaultyDisk()
    log = logs.open(disk=disk)
    log.append([b"first"])
    (before,) = logs.segments()
    disk.fail("sync")
    with pytest.raises(Busy):
        log.append([b"refused"])
    size = before.stat().st_size
    log.append([b"second"])
    assert before.stat().st_size == size
    assert len(logs.segments()) == 2


def test_every_thread_of_a_failed_group_is_refused(logs: LogDirectory) -> None:
    disk = FaultyDisk()
    log = logs.open(disk=disk)
    disk.fail("sync", times=1000)
    refused: list[bool] = []

    def work() -> None:
        try:
            log.append([b"payload"])
        except Busy:
            refused.append(True)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(refused) == 20
    assert logs.payloads() == []


def test_a_nearly_full_disk_refuses_in_time_and_is_asked_seldom(logs: LogDirectory) -> None:
    now = 0
    disk = FaultyDisk()
    settings = FileLogSettings(min_free_bytes=1000)
    log = logs.open(disk=disk, settings=settings, clock=lambda: now)
    disk.free_bytes = 1500
    log.append([b"x" * 300])
    asked = disk.calls["free"]
    for _ in range(10):
        with pytest.raises(Busy) as busy:
            log.append([b"x" * 300])
        assert busy.value.retry_after >= 1
    assert disk.calls["free"] == asked == 1
    now, disk.free_bytes = 300_000, 10_000
    log.append([b"y" * 300])
    assert disk.calls["free"] == 2
    now, disk.free_bytes = -7_000_000, 0  # a clock that jumps back asks again
    with pytest.raises(Busy):
        log.append([b"z" * 300])
    assert logs.payloads() == [b"x" * 300, b"y" * 300]


def test_a_free_space_check_that_fails_is_no_crash(logs: LogDirectory) -> None:
    disk = FaultyDisk()
    log = logs.open(disk=disk)
    disk.fail("free")
    with pytest.raises(Busy):
        log.append([b"refused"])
    log.append([b"kept"])
    assert logs.payloads() == [b"kept"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "small"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(directory)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("needs the right to mount a file system")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


def test_a_full_disk_loses_nothing_and_accepts_again_when_there_is_room(small_disk: Path) -> None:
    logs = LogDirectory(small_disk / "log")
    log = logs.open(settings=FileLogSettings(min_free_bytes=0, segment_bytes=256 << 10))
    accepted: list[bytes] = []

    def fill() -> None:
        for number in range(10_000):
            payload = b"%d " % number * 5000
            log.append([payload])
            accepted.append(payload)

    with pytest.raises(Busy):
        fill()
    assert len(accepted) > 10
    with pytest.raises(Busy):
        log.append([b"x" * (1 << 20)])
    assert logs.payloads() == accepted
    reader = logs.open(None)
    log.commit(reader.ends())
    logs.segments()[0].unlink()
    log.append([b"again"])
    assert logs.payloads()[-1] == b"again"
    logs.close()


def test_two_writers_never_share_a_partition(logs: LogDirectory) -> None:
    first = logs.open("web-0")
    with pytest.raises(Conflict):
        logs.open("web-0")
    first.close()
    logs.open("web-0").append([b"mine"])
    assert logs.payloads() == [b"mine"]


def test_each_process_claims_a_partition_of_its_own(logs: LogDirectory) -> None:
    def claim() -> FileEventLog:
        return FileEventLog.claim(logs.directory, "web", lambda: 0, SMALL)

    first, second = claim(), claim()
    assert (first.writer, second.writer) == ("web-0", "web-1")
    first.close()
    third = claim()
    assert third.writer == "web-0"
    second.close()
    third.close()


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "x" * 65, "a b"])
def test_a_partition_has_a_plain_name(logs: LogDirectory, name: str) -> None:
    with pytest.raises(InvalidInput):
        logs.open(name)


def test_a_closed_log_asks_to_come_back(logs: LogDirectory) -> None:
    log = logs.open()
    log.close()
    log.close()
    with pytest.raises(Busy):
        log.append([b"late"])


def test_a_disk_that_fails_while_the_log_is_opened_is_a_named_error(logs: LogDirectory) -> None:
    logs.open().append([b"one"])
    logs.close()
    disk = FaultyDisk()
    disk.fail("sync")
    with pytest.raises(Busy, match="cannot be opened"):
        logs.open(disk=disk)
    logs.open(disk=disk).append([b"two"])
    assert logs.payloads() == [b"one", b"two"]


def test_a_disk_that_fails_while_the_log_is_read_is_asked_again(logs: LogDirectory) -> None:
    logs.open().append([b"one"])
    disk = FaultyDisk()
    reader = logs.open(None, disk=disk)
    disk.fail("read", errno.ENOMEM)
    with pytest.raises(Busy, match="cannot be read"):
        reader.read({}, 10, 1000)
    assert [record.payload for record in reader.read({}, 10, 1000)] == [b"one"]


def test_a_passing_read_error_loses_nothing(logs: LogDirectory) -> None:
    payloads = [b"%d" % number * 3000 for number in range(9)]
    logs.open(settings=FileLogSettings(min_free_bytes=0)).append(payloads)
    disk = FaultyDisk()
    reader = logs.open(None, disk=disk)
    disk.fail("read", errno.EIO)
    assert [record.payload for record in reader.read({}, 10, 1 << 20)] == payloads
    assert reader.damaged() == 0


def test_a_payload_that_no_reader_would_take_is_refused(
    logs: LogDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onefold.eventlog.frames.MAX_RECORD_BYTES", 100)
    log = logs.open()
    with pytest.raises(TooLarge):
        log.append([b"fits", b"x" * 101])
    log.append([b"x" * 100])
    assert logs.payloads() == [b"x" * 100]


def test_many_threads_share_a_sync(logs: LogDirectory) -> None:
    disk = FaultyDisk()
    log = logs.open(disk=disk, settings=FileLogSettings(min_free_bytes=0))
    begin = threading.Barrier(64)

    def work() -> None:
        begin.wait()
        for _ in range(20):
            log.append([b"x" * 600])

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(logs.payloads()) == 64 * 20
    assert disk.calls["sync"] < 64 * 20 / 4


class Interrupted(BaseException):
    """Stands for the interrupt that a signal raises in a thread."""


def test_an_interrupted_leader_fails_its_group_and_blocks_nobody() -> None:
    writes: list[list[bytes]] = []
    entered, go_on = threading.Event(), threading.Event()

    def write(payloads: list[bytes], _: int) -> None:
        writes.append(payloads)
        if len(writes) == 1:
            entered.set()
            assert go_on.wait(PATIENCE)
            raise Interrupted

    group = GroupCommit(write, 1000)
    outcomes: list[str] = []

    def add(payload: bytes) -> None:
        try:
            group.add([payload])
            outcomes.append("kept")
        except Interrupted:
            outcomes.append("interrupted")

    leader = threading.Thread(target=add, args=(b"leader",))
    leader.start()
    assert entered.wait(PATIENCE)
    follower = threading.Thread(target=add, args=(b"follower",))
    follower.start()
    go_on.set()
    leader.join(PATIENCE)
    follower.join(PATIENCE)
    assert sorted(outcomes) == ["interrupted", "kept"]
    assert writes == [[b"leader"], [b"follower"]]


def test_a_group_has_a_largest_size_and_order_is_kept() -> None:
    writes: list[list[bytes]] = []
    entered, go_on = threading.Event(), threading.Event()

    def write(payloads: list[bytes], _: int) -> None:
        writes.append(payloads)
        entered.set()
        assert go_on.wait(PATIENCE)

    group = GroupCommit(write, 250)
    threads = [threading.Thread(target=group.add, args=([b"x" * 100],)) for _ in range(5)]
    threads[0].start()
    assert entered.wait(PATIENCE)
    for thread in threads[1:]:
        thread.start()
    wait_until(lambda: len(group._queue) >= 4, "the others queue")
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert [len(payloads) for payloads in writes] == [1, 2, 2]
