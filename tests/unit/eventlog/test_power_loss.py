"""Any order of appends, faults, kills and power losses: what was acknowledged is read, once."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from onefold.eventlog.files import FileEventLog, FileLogSettings
from onefold.model.errors import Busy
from onefold.testing.faulty_disk import FaultyDisk
from onefold.testing.log_directory import LogDirectory

SECTOR = 512
TINY = FileLogSettings(min_free_bytes=0, segment_bytes=3000, retain_seconds=1)


class VolatileDisk(FaultyDisk):
    """Forgets, when the power fails, what was not synced: all of it, or sector by sector."""

    def __init__(self) -> None:
        super().__init__()
        self.synced: dict[int, bytes] = {}

    def create(self, path: Path) -> int:
        fd = super().create(path)
        self.synced[os.fstat(fd).st_ino] = b""
        return fd

    def sync(self, fd: int) -> None:
        super().sync(fd)
        status = os.fstat(fd)
        self.synced[status.st_ino] = os.pread(fd, status.st_size, 0)

    def lose_power(self, directory: Path, chance: random.Random) -> None:
        for path in directory.glob("*/*.log"):
            safe = self.synced[path.stat().st_ino]
            written = path.read_bytes()
            size = chance.choice([len(safe), len(written), max(len(safe), len(written))])
            if chance.random() < 0.5:
                size = chance.randint(min(size, len(safe)), max(size, len(safe)))
            safe, written = safe.ljust(size, b"\0"), written.ljust(size, b"\0")
            keeps = chance.choice([0.0, 0.5, 0.9, 1.0])
            with path.open("r+b") as file:
                for start in range(0, size, SECTOR):
                    new = chance.random() < keeps
                    file.write((written if new else safe)[start : min(start + SECTOR, size)])
                file.truncate(size)


def kill(log: FileEventLog) -> None:
    """What is left when a process is killed: its files closed, nothing tidied."""
    writer = log._writer
    assert writer is not None
    writer._closed = True
    os.close(writer._mark.fd)
    if writer._fd is not None:
        os.close(writer._fd)
    log.close()


class PowerLoss(RuleBasedStateMachine):
    """One writer, one reader whose positions survive everything."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.logs = LogDirectory(Path(self.directory.name) / "log")
        self.marks = [b""]
        self.disk = VolatileDisk()
        self.log = self.start()
        self.reader = self.logs.open(None, TINY, clock=self.clock)
        self.now = 0
        self.number = 0
        self.acknowledged: list[bytes] = []
        self.attempted: list[bytes] = []
        self.read: list[bytes] = []
        self.positions: dict[str, int] = {}

    def clock(self) -> int:
        self.now = getattr(self, "now", 0) + 300_000
        return self.now

    def start(self) -> FileEventLog:
        return self.logs.open("web-0", TINY, self.disk, self.clock)

    def end_file(self) -> Path:
        return self.logs.directory / "web-0" / "end"

    @rule(sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=4), zeros=st.booleans())
    def append(self, sizes: list[int], zeros: bool) -> None:
        payloads = []
        for size in sizes:
            self.number += 1
            filler = bytes(size) if zeros else random.Random(self.number).randbytes(size)
            payloads.append(b"%d " % self.number + filler)
        self.attempted += payloads
        try:
            self.log.append(payloads)
        except Busy:
            return
        self.acknowledged += payloads
        self.marks.append(self.end_file().read_bytes())

    @rule(
        call=st.sampled_from(["create", "reserve", "write", "sync", "sync_directory", "truncate"]),
        written=st.integers(0, 4000),
        times=st.integers(1, 2),
    )
    def plan_a_fault(self, call: str, written: int, times: int) -> None:
        self.disk.fail(call, times=times, written=written)

    @rule()
    def follow(self) -> None:
        for _ in range(3):
            for record in self.reader.read(self.positions, 3, 2000):
                assert record.offset >= self.positions.get("web-0", 0)
                self.read.append(record.payload)
                self.positions["web-0"] = record.next_offset

    @rule()
    def commit_and_retain(self) -> None:
        self.reader.commit(self.positions)
        self.log.retain(1 << 60)
        self.drop_expired()

    def drop_expired(self) -> None:
        """What was read may be gone, what was not must be there."""
        expired = set(self.read) - set(self.all_payloads())
        self.acknowledged = [p for p in self.acknowledged if p not in expired]

    @rule()
    def restart(self) -> None:
        self.disk.mend()
        self.log.close()
        self.log = self.start()

    @rule()
    def killed(self) -> None:
        self.disk.mend()
        kill(self.log)
        self.log = self.start()

    @rule(seed=st.integers(0, 1 << 30), writer_first=st.booleans())
    def power_fails(self, seed: int, writer_first: bool) -> None:
        chance = random.Random(seed)
        self.disk.mend()
        kill(self.log)
        self.reader.close()
        self.disk.lose_power(self.logs.directory, chance)
        self.end_file().write_bytes(chance.choice(self.marks))
        if writer_first:
            self.log = self.start()
        self.reader = self.logs.open(None, TINY, clock=self.clock)
        self.follow()
        if not writer_first:
            self.log = self.start()

    def all_payloads(self) -> list[bytes]:
        return self.logs.payloads()

    def teardown(self) -> None:
        self.disk.mend()
        self.append([1], False)
        payloads = self.all_payloads()
        assert [p for p in payloads if p in set(self.acknowledged)] == self.acknowledged
        assert set(payloads) <= set(self.attempted)
        before = -1
        while before < len(self.read):
            before = len(self.read)
            self.follow()
        assert len(self.read) == len(set(self.read))
        assert set(self.acknowledged) <= set(self.read) <= set(self.attempted)
        self.logs.close()
        self.directory.cleanup()


TestPowerLoss = PowerLoss.TestCase
TestPowerLoss.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
