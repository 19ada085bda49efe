"""Disks, locks, clocks and data that fail: nothing accepted is lost, and the state is named."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.workspace import lake_path, log_path, open_lake
from onefold.cli.facts import gather
from onefold.eventlog.files import FileEventLog
from onefold.model.catalogue import TABLES
from onefold.model.errors import Busy, Conflict
from onefold.testing.patience import wait_until
from tests.acceptance.reliability.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "data", store_wait=0.3)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "none", path], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small file system can be mounted here")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_disk_full(small_disk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    site = Site(small_disk / "data", min_free_disk=1 << 20, store_wait=0.3)
    with site.worker() as worker:
        site.send(site.events(200))
        site.wait_until_processed()
        fill(small_disk / "ballast", small_disk, leave=3_000_000)
        with locked(site), site.log() as log:
            with pytest.raises(Busy):
                send_until_refused(site, log)
            fill(small_disk / "ballast", small_disk, leave=0)
        capfd.readouterr()
        wait_until(lambda: "disk is full" in capfd.readouterr().out, "the worker cannot write")
        assert len(site.accepted) > 1000
        assert site.check("disk").state == "failed"
        assert worker.is_alive()
        (small_disk / "ballast").unlink()
        wait_until(lambda: site.check("disk").state == "ok", "there is room again")
        site.wait_until_processed()
        wait_until(lambda: site.status().lake_queue_rows == 0, "the queue is empty")
        wait_until(lambda: site.check("worker").state == "ok", "the worker is well again")
    site.assert_exactly_once()
    lake = open_lake(site.settings)
    for table in TABLES:
        written = {str(one) for one in (lake.directory / table).glob("*.parquet")}
        assert written == set(lake.snapshot(table)[1]), "half a file was left"


def send_until_refused(site: Site, log: FileEventLog) -> None:
    for _ in range(10_000):
        site.send(site.events(50), log)


@contextmanager
def locked(site: Site) -> Iterator[None]:
    """Another process holds the lock that writers of the store need."""
    other = sqlite3.connect(site.settings.data / "store.db", isolation_level=None)
    try:
        other.execute("begin immediate")
        yield
    finally:
        other.close()


def fill(path: Path, disk: Path, leave: int) -> None:
    """Write a file until only so many bytes are left, or none."""
    status = os.statvfs(disk)
    with path.open("ab", buffering=0) as file, suppress(OSError):
        file.write(bytes(max(0, status.f_bavail * status.f_frsize - leave)))
        while not leave:
            file.write(bytes(4096))


def test_store_locked_for_longer_than_writers_wait(site: Site) -> None:
    with site.worker() as worker:
        site.send(site.events(100))
        site.wait_until_processed()
        with locked(site):
            site.send(site.events(100))
            wait_until(lambda: site.check("store").state == "failed", "the lock is named")
            assert "locked" in site.check("store").detail
            assert worker.is_alive()
        wait_until(lambda: site.check("store").state == "ok", "the store is free again")
        site.wait_until_processed()
    site.assert_exactly_once()


def test_a_worker_can_start_while_the_store_is_locked(site: Site) -> None:
    site.send(site.events(100))
    with locked(site), site.worker() as worker:
        wait_until(lambda: site.check("store").state == "failed", "the lock is named")
        assert worker.is_alive()
    site.run_until_done()
    site.assert_exactly_once()


@pytest.mark.slow
@pytest.mark.parametrize("table", ["events", "links"])
def test_lake_that_cannot_be_written(site: Site, table: str) -> None:
    site.send(site.events(50))
    site.run_until_done()
    directory = lake_path(site.settings) / table
    aside = directory.with_name("aside")
    with site.worker():
        directory.rename(aside)
        directory.write_text("in the way")
        for _ in range(3):
            site.send([*site.events(40), {**site.events(1)[0], "userId": f"new {table}"}])
            site.wait_until_processed()
        wait_until(lambda: site.check("lake").state == "failed", "the lake's trouble is named")
        assert table in site.check("lake").detail
        directory.unlink()
        aside.rename(directory)
        wait_until(lambda: site.check("lake").state == "ok", "the lake is well again")
        wait_until(lambda: site.status().lake_queue_rows == 0, "the queue is empty")
    site.assert_exactly_once()


def test_a_worker_can_start_while_the_lake_cannot_be_read(site: Site) -> None:
    site.send(site.events(50))
    site.run_until_done()
    lake, aside = lake_path(site.settings), site.settings.data / "aside"
    lake.rename(aside)
    with site.worker():
        site.send(site.events(50))
        site.wait_until_processed()
        wait_until(lambda: site.check("lake").state == "failed", "the lake's trouble is named")
        aside.rename(lake)
        wait_until(lambda: site.status().lake_queue_rows == 0, "the queue is empty")
    site.assert_exactly_once()


def test_record_damaged_in_the_middle_of_a_segment(site: Site) -> None:
    events = site.events(300)
    site.send(events)
    damage(log_path(site.settings), b'"m150"')
    with site.worker():
        site.wait_until_processed()
        wait_until(lambda: site.check("log").state == "degraded", "the damage is named")
        assert "1 damaged" in site.check("log").detail
    site.accepted.remove("m150")
    site.assert_exactly_once()


def test_record_damaged_while_the_worker_reads(site: Site) -> None:
    with site.worker(), site.log() as log:
        lost = []
        for round in range(20):
            events = site.events(50)
            site.send(events, log)
            if round % 5 == 2:
                lost.append(events[-1]["messageId"])
                damage(log_path(site.settings), f'"{lost[-1]}"'.encode())
        site.wait_until_processed()
    missing = set(site.accepted) - set(site.lake())
    assert missing <= set(lost)
    site.accepted = [one for one in site.accepted if one not in missing]
    site.assert_exactly_once()


def damage(log: Path, text: bytes) -> None:
    """Turn over one bit of a record that holds this text."""
    for path in log.glob("*/*.log"):
        at = path.read_bytes().find(text)
        if at >= 0:
            with path.open("r+b") as file:
                file.seek(at)
                file.write(bytes([text[0] ^ 1]))
            return
    raise AssertionError(f"{text!r} is in no segment")


def test_store_put_back_from_an_older_copy_is_refused_and_changes_nothing(
    site: Site, tmp_path: Path
) -> None:
    site.send(site.events(50))
    site.run_until_done()
    copy, newest = tmp_path / "copy.db", tmp_path / "newest.db"
    shutil.copy(site.settings.data / "store.db", copy)
    site.send(site.events(50))
    site.run_until_done()
    before = site.lake()
    shutil.copy(site.settings.data / "store.db", newest)
    shutil.copy(copy, site.settings.data / "store.db")
    with pytest.raises(Conflict, match="the store is an older copy"), site.worker():
        pass
    shutil.copy(newest, site.settings.data / "store.db")
    assert site.lake() == before
    site.run_until_done()
    site.assert_exactly_once()


def test_lake_put_back_from_an_older_copy_is_refused(site: Site, tmp_path: Path) -> None:
    site.send(site.events(50))
    site.run_until_done()
    lake, copy = lake_path(site.settings), tmp_path / "copy"
    shutil.copytree(lake, copy)
    site.send(site.events(50))
    site.run_until_done()
    newest = lake.rename(tmp_path / "newest")
    shutil.copytree(copy, lake)
    with pytest.raises(Conflict, match="the lake is an older copy"), site.worker():
        pass
    shutil.rmtree(lake)
    newest.rename(lake)
    site.run_until_done()
    site.assert_exactly_once()
    assert check_rebuild(site.settings).events == 100


def test_store_and_lake_of_a_backup_with_the_newest_log_lose_nothing(
    site: Site, tmp_path: Path
) -> None:
    site.send(site.events(50))
    site.run_until_done()
    copy = tmp_path / "copy"
    shutil.copytree(site.settings.data, copy)
    site.send(site.events(50))
    site.run_until_done()
    shutil.rmtree(copy / "log")
    shutil.move(log_path(site.settings), copy / "log")
    shutil.rmtree(site.settings.data)
    copy.rename(site.settings.data)
    site.send(site.events(50))
    site.run_until_done()
    site.assert_exactly_once()


def test_doctor_names_copies_of_another_time_and_damage(site: Site, tmp_path: Path) -> None:
    site.send(site.events(50))
    site.run_until_done()
    shutil.copy(site.settings.data / "store.db", tmp_path / "copy.db")
    site.send(site.events(50))
    damage(log_path(site.settings), b'"m70"')
    with site.worker():
        site.wait_until_processed()
        wait_until(lambda: site.check("log").state == "degraded", "the damage is named")
    assert gather(site.settings).log_damaged == 1
    assert gather(site.settings).lake_faults == ()
    shutil.copy(tmp_path / "copy.db", site.settings.data / "store.db")
    assert any("the store is an older copy" in fault for fault in gather(site.settings).lake_faults)
