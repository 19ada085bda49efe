"""What the made-up shop sends means what the shop meant."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from onefold.model.records import Accepted
from onefold.standardize import standardize
from onefold.testing.shop import SOURCES, Shop, as_history


@dataclass
class ChineseSource:
    default_country: str | None = "CN"


SETTINGS = dict.fromkeys(SOURCES, ChineseSource())


def test_times_identifiers_and_links_of_the_shop_are_found() -> None:
    messages = list(Shop(seed=5, customers=40).messages())
    calls = [Accepted(m.source, m.at, "event", msgspec.json.encode(m.body)) for m in messages]
    events, rejects = standardize(calls, SETTINGS)
    assert rejects == []
    assert [(e.time, e.identifiers, e.asserted) for e in events] == [
        (m.time, m.identifiers, m.asserted) for m in messages
    ]


def test_the_same_as_history() -> None:
    messages = [as_history(m) for m in Shop(seed=5, customers=40).messages()]
    calls = [Accepted(m.source, m.at, "event", msgspec.json.encode(m.body)) for m in messages]
    events, _ = standardize(calls, SETTINGS)
    assert [event.time // 1000 for event in events] == [m.time // 1000 for m in messages]
