"""What every event log must do. A backend's tests inherit this and say how to open one.

    class TestMine(EventLogSuite):
        def open_log(self, writer): ...

`open_log` is called several times in a test; all logs it gives share the same records.
"""

from __future__ import annotations

import threading
from collections import defaultdict

from onefold.eventlog import EventLog, LogRecord
from onefold.model.errors import InvalidInput
from onefold.testing.patience import wait_until

PLENTY = 1 << 30


def drain(
    log: EventLog,
    positions: dict[str, int] | None = None,
    max_records: int = 10_000,
    max_bytes: int = PLENTY,
) -> list[LogRecord]:
    """Read until nothing is new; `positions` moves along."""
    positions = {} if positions is None else positions
    records: list[LogRecord] = []
    while found := log.read(positions, max_records, max_bytes):
        records.extend(found)
        positions.update({record.partition: record.next_offset for record in found})
    return records


def payloads_of(records: list[LogRecord]) -> dict[str, list[bytes]]:
    """The payloads of each partition, in the order in which they were read."""
    payloads: dict[str, list[bytes]] = defaultdict(list)
    for record in records:
        payloads[record.partition].append(record.payload)
    return dict(payloads)


class EventLogSuite:
    """The contract of `EventLog`, for any backend."""

    def open_log(self, writer: str | None) -> EventLog:
        """Open the log of this test, to append to partition `writer` or only to read."""
        raise NotImplementedError

    def drain_until(self, log: EventLog, count: int) -> list[LogRecord]:
        """Read until so many records are there; backends may take a moment to show them."""
        positions: dict[str, int] = {}
        records: list[LogRecord] = []

        def are_there() -> bool:
            records.extend(drain(log, positions))
            return len(records) >= count

        wait_until(are_there, f"{count} records", pause=0.001)
        return records

    def test_gives_what_was_appended_in_order(self) -> None:
        log = self.open_log("a")
        log.append([b"one", b"two"])
        log.append([b"", b"\x00\xff" * 1000])
        assert payloads_of(self.drain_until(log, 4)) == {
            "a": [b"one", b"two", b"", b"\x00\xff" * 1000]
        }

    def test_is_empty_at_first(self) -> None:
        log = self.open_log("a")
        assert log.read({}, 10, PLENTY) == []
        assert log.damaged() == 0

    def test_appending_nothing_changes_nothing(self) -> None:
        log = self.open_log("a")
        log.append([])
        assert log.read({}, 10, PLENTY) == []

    def test_offsets_join_without_a_gap(self) -> None:
        log = self.open_log("a")
        log.append([b"x" * size for size in range(50)])
        records = self.drain_until(log, 50)
        assert [r.next_offset for r in records[:-1]] == [r.offset for r in records[1:]]

    def test_reads_again_from_any_record(self) -> None:
        log = self.open_log("a")
        log.append([b"%d" % number for number in range(20)])
        records = self.drain_until(log, 20)
        for number, record in enumerate(records):
            assert drain(log, {"a": record.offset}) == records[number:]

    def test_nothing_is_new_at_the_end(self) -> None:
        log = self.open_log("a")
        log.append([b"one"])
        (record,) = self.drain_until(log, 1)
        assert log.read({"a": record.next_offset}, 10, PLENTY) == []
        assert log.ends() == {"a": record.next_offset}
        log.append([b"two"])
        (later,) = self.drain_until_new(log, {"a": record.next_offset})
        assert (later.offset, later.payload) == (record.next_offset, b"two")

    def drain_until_new(self, log: EventLog, positions: dict[str, int]) -> list[LogRecord]:
        """Poll until something is behind these positions."""
        return wait_until(lambda: drain(log, dict(positions)), "something new", pause=0.001)

    def test_keeps_to_the_number_of_records(self) -> None:
        log = self.open_log("a")
        log.append([b"x"] * 10)
        self.drain_until(log, 10)
        assert len(log.read({}, 3, PLENTY)) == 3
        assert len(drain(log, max_records=3)) == 10

    def test_keeps_to_the_number_of_bytes(self) -> None:
        log = self.open_log("a")
        log.append([b"x" * 1000] * 10)
        self.drain_until(log, 10)
        assert 1 <= len(log.read({}, 100, 3500)) <= 3
        assert len(drain(log, max_bytes=3500)) == 10

    def test_gives_one_record_even_if_it_is_larger_than_asked_for(self) -> None:
        log = self.open_log("a")
        log.append([b"x" * 5_000_000, b"y" * 3_000_000])
        assert [len(r.payload) for r in self.drain_until(log, 2)] == [5_000_000, 3_000_000]
        assert [len(r.payload) for r in log.read({}, 100, 10)] == [5_000_000]
        assert len(drain(log, max_bytes=10)) == 2

    def test_partitions_are_apart(self) -> None:
        first, second, reader = self.open_log("a"), self.open_log("b"), self.open_log(None)
        first.append([b"a1", b"a2"])
        second.append([b"b1"])
        assert payloads_of(self.drain_until(reader, 3)) == {"a": [b"a1", b"a2"], "b": [b"b1"]}
        assert set(reader.ends()) == {"a", "b"}

    def test_no_partition_starves(self) -> None:
        busy, quiet, reader = self.open_log("a"), self.open_log("b"), self.open_log(None)
        busy.append([b"x" * 100] * 1000)
        quiet.append([b"y" * 5000] * 3)
        self.drain_until(reader, 1003)
        positions: dict[str, int] = {}
        seen: set[str] = set()
        for _ in range(4):
            for record in reader.read(positions, 20, 2000):
                seen.add(record.partition)
                positions[record.partition] = record.next_offset
        assert seen == {"a", "b"}

    def test_a_reader_follows_a_writer(self) -> None:
        log, reader = self.open_log("a"), self.open_log(None)
        positions: dict[str, int] = {}
        for number in range(30):
            log.append([b"%d" % number])
            found = self.drain_until_new(reader, positions)
            assert [record.payload for record in found] == [b"%d" % number]
            positions["a"] = found[-1].next_offset

    def test_many_threads_append_at_once(self) -> None:
        log = self.open_log("a")

        def work(thread: int) -> None:
            for number in range(20):
                log.append([b"%d %d %d" % (thread, number, part) for part in range(3)])

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        payloads = [record.payload for record in self.drain_until(log, 960)]
        assert len(payloads) == len(set(payloads)) == 960
        for number in range(0, 960, 3):
            call = payloads[number].rsplit(b" ", 1)[0]
            assert payloads[number : number + 3] == [b"%s %d" % (call, part) for part in range(3)]
        for thread_number in range(16):
            mine = [p for p in payloads if p.startswith(b"%d " % thread_number)]
            assert mine == [
                b"%d %d %d" % (thread_number, n, p) for n in range(20) for p in range(3)
            ]

    def test_committing_takes_nothing_away_at_once(self) -> None:
        log = self.open_log("a")
        log.append([b"one", b"two"])
        records = self.drain_until(log, 2)
        log.commit({"a": records[-1].next_offset})
        log.commit({"a": records[-1].next_offset, "unknown": 7})
        assert self.drain_until(log, 2) == records

    def test_a_log_opened_for_reading_takes_nothing(self) -> None:
        reader = self.open_log(None)
        try:
            reader.append([b"one"])
        except InvalidInput:
            return
        raise AssertionError("the append was accepted")
