"""What the live stream tells, and what it does with those who do not take it."""

from __future__ import annotations

import asyncio

import msgspec

from onefold.eventlog import LogRecord
from onefold.model.records import Accepted, encode_accepted
from onefold.serve.stream import Listener, Told, tell


def record(payload: bytes, offset: int = 0) -> LogRecord:
    return LogRecord("web-0", offset, offset + 1, payload)


def accepted(body: bytes) -> bytes:
    return encode_accepted(Accepted("shop", 1_790_000_000_000_000, "track", body))


def test_a_record_that_cannot_be_read_is_told_and_the_others_too() -> None:
    good = accepted(b'{"event":"Seen","userId":"u"}')
    bad = accepted(b'{"userId":"u"}')

    told = tell([record(b"\xc1", 7), record(good), record(bad)], {})

    assert [(one.kind, one.source, one.name) for one in told] == [
        ("reject", "", ""),
        ("event", "shop", "Seen"),
        ("reject", "shop", ""),
    ]
    assert b"record 7" in told[0].data


def test_values_of_any_kind_are_one_line_of_json() -> None:
    body = '{"event":"a\\nb","userId":"客户","properties":{"x":"\\r\\n\\n","y":1e400,"z":"\u2028"}}'

    for one in tell([record(accepted(body.encode()))], {}):
        assert b"\n" not in one.data
        assert b"\r" not in one.data
        assert isinstance(msgspec.json.decode(one.data), dict)


def test_a_listener_that_takes_nothing_is_told_how_much_it_missed() -> None:
    async def run() -> tuple[Told | None, Told | None]:
        listener = Listener("", "")
        for number in range(1_005):
            listener.offer(Told("event", "shop", "Seen", b"%d" % number))
        return await listener.next(1), await listener.next(1)

    missed, first = asyncio.run(run())

    assert missed == Told("missed", "", "", b'{"at_least":5}')
    assert first is not None
    assert first.data == b"0"
