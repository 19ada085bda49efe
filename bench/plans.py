"""What tracking plans cost an event in `standardize`: python -m bench.plans [--json]

The same events by turns without plans, with plans of other events, and with one of their own that they
obey or break: ratios of the fastest rounds, as this is measured beside other work.
"""

from __future__ import annotations

import gc
import json
import sys
import time

from bench.standardize import bodies, track
from onefold.model.plans import TrackingPlan
from onefold.standardize import Judging, Plans, standardize

COUNT, ROUNDS = 10_000, 15
SCHEMA = {
    "required": ["order_id", "revenue"],
    "properties": {
        "order_id": {"type": "string"},
        "revenue": {"type": "number", "minimum": 0},
        "currency": {"enum": ["CNY", "EUR", "USD"]},
        "products": {"type": "array", "items": {"type": "object", "required": ["sku"]}},
    },
}
STRICT = {**SCHEMA, "required": ["order_id", "shipping"]}


def plans(event: str, schema: dict[str, object], count: int = 1, mode: str = "observe") -> Plans:
    """So many plans, the first of which is of this event."""
    return Plans(
        TrackingPlan(
            name=f"p{number}",
            event=event if not number else f"{event} {number}",
            schema=schema,
            mode=mode,  # type: ignore[arg-type]
        )
        for number in range(count)
    )


def main() -> None:
    """Measure and print."""
    batch = bodies(track, COUNT)
    cases = {
        "no plan": None,
        "100 plans of other events": plans("Another", SCHEMA, 100),
        "a plan that is obeyed": plans("Order Completed", SCHEMA),
        "a plan that each breaks, observed": plans("Order Completed", STRICT),
        "a plan that each breaks, flagged": plans("Order Completed", STRICT, mode="flag"),
    }
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(ROUNDS):
        for name, case in cases.items():
            judging = Judging(case) if case else None
            gc.collect()
            gc.disable()
            start = time.perf_counter()
            standardize(batch, {}, plans=judging)
            best[name] = min(best[name], (time.perf_counter() - start) / COUNT * 1e6)
            gc.enable()
    if "--json" in sys.argv:
        rounded = {name: round(cost, 2) for name, cost in best.items()}
        print(json.dumps({"unit": "microseconds per event", "plans": rounded}))
        return
    for name, cost in best.items():
        print(f"  {name:<36}{cost:>8.2f} µs  {cost / best['no plan']:.2f}")


if __name__ == "__main__":
    main()
