"""What one event costs in the stage `standardize`: python bench/standardize.py [--json]

A typical track event of a browser (about 500 bytes) in batches of 100, with identifiers nobody
has seen before; and the other shapes that real clients send.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from typing import Any

from onefold.model.records import Accepted
from onefold.standardize import standardize

RECEIVED = 1_770_000_000_000_000
PER_BATCH = 100
ROUNDS = 5


def track(number: int) -> dict[str, Any]:
    """An order as a browser sends it."""
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"ajs-next-1770000000000-{number:012d}",
        "anonymousId": f"0f8fad5b-d9cb-469f-a165-{number:012d}",
        "userId": f"u-{number}",
        "timestamp": "2026-02-02T02:39:58.123Z",
        "properties": {
            "order_id": f"50314b8e9bcf{number:012d}",
            "revenue": 120.5,
            "currency": "CNY",
            "products": [{"sku": "G-32", "price": 18.99, "quantity": 1}],
        },
        "context": {
            "ip": "203.0.113.9",
            "library": {"name": "analytics.js", "version": "2.1"},
            "locale": "zh-CN",
            "userAgent": "Mozilla/5.0 (iPhone) Safari",
            "page": {"path": "/cart", "url": "https://shop.example/cart"},
        },
    }


def identify(number: int) -> dict[str, Any]:
    """A sign-up."""
    traits = {
        "email": f"customer{number}@shop.example",
        "phone": f"138{number:08d}",
        "name": "李伟",
        "country": "CN",
        "vip": True,
    }
    return {**track(number), "type": "identify", "traits": traits}


def repeated_traits(number: int) -> dict[str, Any]:
    """An order with the known traits once more, as RudderStack sends it."""
    event = track(number)
    traits = {"email": f"customer{number}@shop.example", "name": "李伟", "country": "CN"}
    return {**event, "context": {**event["context"], "traits": traits}}


def bodies(make: Any, count: int) -> list[Accepted]:
    """These events in batches."""
    return [
        Accepted(
            "shop",
            RECEIVED,
            "batch",
            json.dumps(
                {
                    "batch": [make(number) for number in range(start, start + PER_BATCH)],
                    "sentAt": "2026-02-02T02:40:00.000Z",
                }
            ).encode(),
        )
        for start in range(0, count, PER_BATCH)
    ]


def singles(make: Any, count: int) -> list[Accepted]:
    """These events, each in a call of its own."""
    return [
        Accepted("shop", RECEIVED, "event", json.dumps(make(number)).encode(), "203.0.113.9")
        for number in range(count)
    ]


class Shop:
    """Settings of a source."""

    default_country = "CN"


def measure(batch: list[Accepted], events: int, rounds: int = ROUNDS) -> float:
    """Microseconds per event, the best of some rounds; later rounds find what is cached."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        start = time.perf_counter()
        out, rejects = standardize(batch, {"shop": Shop()})
        best = min(best, time.perf_counter() - start)
        gc.enable()
        assert (len(out), len(rejects)) == (events, 0)
    return best / events * 1e6


def main() -> None:
    """Measure and print."""
    count = 20_000
    unseen = bodies(identify, count)
    rows = {"identify, new e-mail and phone": round(measure(unseen, count, rounds=1), 2)}
    cases = {
        "track, batches of 100": bodies(track, count),
        "track, one a call": singles(track, count),
        "track with repeated traits": bodies(repeated_traits, count),
        "identify, known e-mail and phone": unseen,
    }
    rows |= {name: round(measure(batch, count), 2) for name, batch in cases.items()}
    if "--json" in sys.argv:
        print(json.dumps({"unit": "microseconds per event", "standardize": rows}))
        return
    size = len(json.dumps(track(1)))
    print(f"microseconds per event, track of {size} bytes")
    for name, cost in rows.items():
        print(f"  {name:<36}{cost:>8.2f}")


if __name__ == "__main__":
    main()
