"""Whatever stands in records: each comes out as its events or as a reject, and nothing raises."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from onefold.app.syncs.appending import payloads_of
from onefold.model.mapping import SourceDefinition
from onefold.model.pulled import Batch, Record, Unreadable
from onefold.model.records import Accepted, decode_accepted
from onefold.standardize import Mappings, standardize
from onefold.standardize.mapping import read_mapping

BODY: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "empty": "clear",
    "events": [
        {
            "identifiers": {"user_id": "a", "email": "b", "phone": "c", "crm_id": ["d", "e.f"]},
            "traits": {
                "text": {"from": "a", "type": "text"},
                "whole": {"from": "b", "type": "integer", "decimal": ",", "default": 0},
                "day": {"from": "c", "type": "date"},
                "yes": {"from": "d", "type": "boolean"},
                "parts": {"from": "a", "split": ",", "part": 0, "type": "number"},
                "looked": {"from": "b", "lookup": {"1": "x"}, "otherwise": "y"},
                "joined": {"join": ["a", "b", "e.f"]},
                "json": {"from": "e", "type": "json"},
                "size": {"from": "d", "unit": {"from": "in", "to": "cm"}},
            },
        },
        {
            "event": {"from": "b"},
            "time": "c",
            "id": "d",
            "each": "e",
            "delete": "close",
            "identifiers": {"user_id": "a"},
            "properties": {"f": "f", "whole": "parent"},
        },
    ],
}
MAPPING = read_mapping("m", BODY, [])
MAPPINGS = Mappings([], [SourceDefinition(name="s", type="csv", mapping=MAPPING)])

TEXT = st.text(max_size=12) | st.sampled_from(
    [
        "1",
        "1,5",
        "2026-01-02",
        "01/02/2026 10:00",
        "ja",
        "",
        "a@b.de",
        "\ud800",
        "\0",
        "1e400",
        "1" * 400,
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | TEXT
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from("abcdef"), VALUES, max_size=6) | st.dictionaries(
    TEXT, VALUES, max_size=3
)
RECORDS = st.builds(
    Record,
    FIELDS,
    TEXT,
    TEXT,
    st.sampled_from(["read", "insert", "update", "delete"]),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | FIELDS,
)


@given(st.lists(RECORDS, max_size=5), st.integers(0, 2))
def test_every_record_is_accounted_for(records: list[Record], unreadable: int) -> None:
    others = tuple(Unreadable(b"\xff", "s", str(number), ("bad",)) for number in range(unreadable))
    payloads = payloads_of("s", Batch(records, {}, others), at=1_790_000_000_000_000, load="l")

    events, rejects = standardize([decode_accepted(one) for one in payloads], {}, None, MAPPINGS)

    identified = sum(one.type == "identify" for one in events)
    deleted = sum(one.change == "delete" for one in records)
    assert identified + len(rejects) >= len(records) - deleted + unreadable
    assert len(rejects) <= len(records) + unreadable
    assert all(one.reasons for one in rejects)
    assert all(one.message_id and one.identifiers for one in events)
    msgspec.json.encode(events)


@given(st.binary(max_size=60))
def test_any_body_is_read_or_rejected(body: bytes) -> None:
    events, rejects = standardize([Accepted("s", 1, "records", body)], {}, None, MAPPINGS)
    assert (events, len(rejects)) in (([], 1), ([], 0))
