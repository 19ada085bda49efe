"""How much of the log is folded at once: much of events, little of records, always something."""

from __future__ import annotations

from onefold.app.worker.read_ahead import Taken, take
from onefold.config import Settings
from onefold.eventlog.memory import MemoryEventLog
from onefold.model.records import Accepted, encode_accepted

MIB = 1 << 20


def call(kind: str, size: int, source: str = "crm") -> bytes:
    return encode_accepted(Accepted(source, 1, kind, b"x" * size))


def log_of(*payloads: bytes, records: list[bytes] | None = None) -> MemoryEventLog:
    partitions = {"web-0": list(payloads), "import-0": records or []}
    return MemoryEventLog(None, partitions)


def batches(log: MemoryEventLog, **settings: int) -> list[Taken]:
    """All batches in order, with nothing left out."""
    positions: dict[str, int] = {}
    found = []
    while (taken := take(log, positions, Settings(**settings))).records:
        for one in taken.records:
            assert one.offset == positions.get(one.partition, 0)
            positions[one.partition] = one.next_offset
        found.append(taken)
    assert positions == {name: end for name, end in log.ends().items() if end}
    return found


def test_of_events_much_is_taken_at_once() -> None:
    (taken,) = batches(log_of(*[call("batch", 50_000)] * 100))
    assert taken.size > 4 * MIB
    assert taken.large


def test_of_records_little_is_taken_at_once_however_much_waits() -> None:
    found = batches(log_of(records=[call("records", 200_000)] * 60))
    assert max(one.size for one in found) <= MIB
    assert all(one.large for one in found[:-1])


def test_one_that_is_larger_than_all_that_is_taken_at_once_is_taken_alone() -> None:
    found = batches(log_of(records=[call("records", 3 * MIB)] * 2))
    assert [len(one.records) for one in found] == [1, 1]


def test_events_beside_records_come_through_both() -> None:
    events, records = [call("batch", 50_000)] * 200, [call("records", 200_000)] * 20
    found = batches(log_of(*events, records=records))
    for taken in found:
        held = sum(b"records" in one.payload[:300] for one in taken.records)
        assert not held or taken.size <= MIB


def test_whoever_sets_a_size_gets_it() -> None:
    found = batches(log_of(records=[call("records", 200_000)] * 60), batch_size=4 * MIB)
    assert 3 * MIB < found[0].size <= 4 * MIB
    few = batches(log_of(*[call("batch", 50_000)] * 100), batch_size=200_000)
    assert max(one.size for one in few) <= 200_000


def test_little_that_came_just_now_needs_no_reading_ahead() -> None:
    (taken,) = batches(log_of(call("batch", 500)))
    assert not taken.large
    (taken,) = batches(log_of(records=[call("records", 5_000)]))
    assert not taken.large
