"""What the live stream tells, and what it does with those who do not take it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from onefold.app.syncs.appending import payloads_of
from onefold.app.workspace import open_store
from onefold.eventlog import LogRecord
from onefold.model.pulled import Batch, Record
from onefold.model.records import Accepted, encode_accepted
from onefold.serve.access import Access
from onefold.serve.expressions import Expressions
from onefold.serve.stream import Listener, Told, tell

DEFINED = """
kind: tracking_plan
name: orders
event: Order Completed
mode: quarantine
schema: {required: [revenue]}
---
kind: identifier
name: user_id
validate: [digits]
---
kind: source
name: crm
type: csv
country: DE
mapping:
  event: Order Completed
  identifiers: {user_id: who, phone: tel}
  properties: {revenue: {sql: "cents / 100"}}
"""


def record(payload: bytes, offset: int = 0) -> LogRecord:
    return LogRecord("web-0", offset, offset + 1, payload)


def accepted(body: bytes) -> bytes:
    return encode_accepted(Accepted("shop", 1_790_000_000_000_000, "track", body))


def test_a_record_that_cannot_be_read_is_told_and_the_others_too() -> None:
    good = accepted(b'{"event":"Seen","userId":"u"}')
    bad = accepted(b'{"userId":"u"}')

    told = tell([record(b"\xc1", 7), record(good), record(bad)])

    assert [(one.kind, one.source, one.name) for one in told] == [
        ("reject", "", ""),
        ("event", "shop", "Seen"),
        ("reject", "shop", ""),
    ]
    assert b"record 7" in told[0].data


def test_values_of_any_kind_are_one_line_of_json() -> None:
    body = '{"event":"a\\nb","userId":"客户","properties":{"x":"\\r\\n\\n","y":1e400,"z":"\u2028"}}'

    for one in tell([record(accepted(body.encode()))]):
        assert b"\n" not in one.data
        assert b"\r" not in one.data
        assert isinstance(msgspec.json.decode(one.data), dict)


def test_a_listener_that_takes_nothing_is_told_how_much_it_missed() -> None:
    async def run() -> tuple[Told | None, Told | None]:
        listener = Listener("", "", {})
        for number in range(1_005):
            listener.offer(Told("event", "shop", "Seen", b"%d" % number))
        return await listener.next(1), await listener.next(1)

    missed, first = asyncio.run(run())

    assert missed == Told("missed", "", "", b'{"at_least":5}')
    assert first is not None
    assert first.data == b"0"


def test_what_was_jumped_before_somebody_listened_is_not_missed() -> None:
    async def run() -> tuple[Told | None, Told | None]:
        listener = Listener("", "", {"web-0": 10})
        listener.jumped({"web-0": 10})
        before = await listener.next(0)
        listener.jumped({"web-0": 10, "web-1": 1})
        return before, await listener.next(0)

    before, after = asyncio.run(run())

    assert before is None
    assert after == Told("missed", "", "", b'{"at_least":1}')


def test_the_live_view_says_what_the_worker_will_make_of_it(desk: Any) -> None:
    """Tracking plans, rules for identifiers, and expressions of mappings hold there too."""
    assert desk.call("POST", "/api/definitions/apply", content=DEFINED).status_code == 200
    rows = Batch([Record({"who": "7", "tel": "030 23125 0", "cents": 1990}, "t", "1")], {})
    log = [record(accepted(b'{"event":"Order Completed","userId":"1"}'))]
    log += [record(accepted(b'{"event":"Seen","userId":"nobody"}'))]
    log += [record(one) for one in payloads_of("crm", rows, at=1_790_000_000_000_000)]

    with open_store(desk.settings) as store:
        expressions = Expressions("UTC")
        try:
            by = Access(store, lambda: 0.0, expressions.ask).wording()
            told = tell(log, by)
        finally:
            expressions.close()

    said = [(one.kind, msgspec.json.decode(one.data)) for one in told]
    assert [kind for kind, _ in said] == ["event", "reject", "reject"]
    event = said[0][1]
    assert (event["properties"], event["identifiers"][1]) == (
        {"revenue": 19.9},
        "phone:+4930231250",
    )
    assert "revenue" in said[1][1]["reasons"][0]
    assert "user_id" in said[2][1]["reasons"][0]


def test_strict_answers_say_what_plans_and_rules_make_of_each_event(desk: Any) -> None:
    assert desk.call("POST", "/api/definitions/apply", content=DEFINED).status_code == 200
    sent = [
        {"type": "track", "event": "Order Completed", "userId": "1", "properties": {"revenue": 5}},
        {"type": "track", "event": "Order Completed", "userId": "1"},
        {"type": "track", "event": "Seen", "userId": "nobody"},
        {"type": "track", "event": "Seen", "userId": "nobody", "anonymousId": "a"},
    ]
    headers = {"x-write-key": desk.write_key}

    found = desk.post("/v1/batch?strict=1", {"batch": sent}, headers=headers).json()["events"]

    assert [one["status"] for one in found] == ["ok", "rejected", "rejected", "ok"]
    assert found[1]["violations"] == [
        {"plan": "orders", "version": 1, "field": "revenue", "fault": "required", "mode": "quarantine"}
    ]  # fmt: skip
    assert "user_id" in found[2]["reasons"][0]
    assert "user_id" in found[3]["left_out"][0]
