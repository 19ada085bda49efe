"""What ten live segments cost a batch: python -m bench.rules [--json]

Rules are compiled, buckets made of events, columns read from profiles, and the membership query
run: the four steps of `onefold.segment`, each by itself, in one thread.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa

from onefold.segment import Buckets, bucket_query, compile_membership, parse_rule, read_rows

DAY = 86_400_000_000
NOW = 20_500 * DAY + DAY // 2
ZONE = "Europe/Berlin"
SIZES = (1, 100, 10_000)
TYPES = {"text": pa.string(), "number": pa.float64(), "boolean": pa.bool_()}
NAMES = ("page", "page", "Product Viewed", "Product Viewed", "Product Added", "Order Completed",
         "Email Opened", "Searched")  # fmt: skip
RULES = (
    (
        "country = 'CN' and count_of('Order Completed', last => interval 30 day, "
        "where => properties.revenue > 100) >= 3 and not did('Email Opened', last => interval 14 day)"
    ),
    "sum_of('Order Completed', of => properties.revenue, last => interval 30 day) > 500",
    "avg_of('Order Completed', of => properties.revenue, last => interval 90 day) > 500 and vip",
    "last_of('Product Viewed', of => properties.category) = 'c3'",
    "count_of('Product Viewed', last => interval 2 hour) > 3",
    "count_of('page', last => interval 30 minute) > 2",
    "country in ('DE', 'FR') and age between 20 and 40",
    (
        "did('Product Added', last => interval 1 day) "
        "and not did('Order Completed', last => interval 1 day)"
    ),
    "email is not null and count_of('Email Opened') = 0",
    "max_of('Order Completed', of => properties.revenue) > 900",
)
TRAITS = {"country": "CN", "age": 33, "vip": True, "email": "li@example.com"}


def events(count: int, owners: int, seed: int = 1) -> pa.Table:
    """Shop events of the last days."""
    draw = random.Random(seed)
    rows = [
        (
            draw.randrange(owners).to_bytes(16, "big"),
            draw.choice(NAMES),
            NOW - draw.randrange(3 * DAY),
            f"m{index}",
            json.dumps(
                {
                    "revenue": round(draw.random() * 1000, 2),
                    "category": f"c{draw.randrange(9)}",
                    "products": [{"sku": "a-1", "price": 3.5, "name": "Tea"}] * 3,
                }
            ),
            "{}",
        )
        for index in range(count)
    ]
    names = ("owner", "name", "time", "message_id", "properties", "context")
    return pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))


def best(step: Callable[[], Any], times: int = 15) -> float:
    """The shortest time of several, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        step()
        taken.append(time.perf_counter() - started)
    return min(taken) * 1e3


def measure(size: int) -> dict[str, Any]:
    """One row of the table: a batch of so many events, or of so many profiles."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    membership = compile_membership({rule: parse_rule(rule) for rule in RULES})
    batch = events(size, max(size // 2, 1))

    def query() -> str:
        return bucket_query(membership.metrics, ZONE, NOW - 3 * DAY, NOW)

    def buckets() -> list[tuple[Any, ...]]:
        connection.register("events", batch)
        return connection.execute(query()).fetchall()

    made = buckets()
    facts: list[Buckets] = list(read_rows(made).values()) or [{}]
    profiles = [facts[number % len(facts)] for number in range(size)]
    features = membership.features(NOW, ZONE)

    def rows() -> list[tuple[Any, ...]]:
        return [features.row(TRAITS, [each])[0] for each in profiles]

    read = rows()
    columns = zip(membership.columns, zip(*read, strict=True), strict=True)
    table = pa.table(
        {"profile": pa.array(range(size), pa.int64())}
        | {column.name: pa.array(values, TYPES[column.type]) for column, values in columns}
    )

    def members() -> list[tuple[Any, ...]]:
        connection.register("profiles", table)
        return connection.execute(membership.sql).fetchall()

    return {
        "events or profiles": size,
        "compile 10 rules, ms": round(best(lambda: [parse_rule(rule) for rule in RULES]), 2),
        "write the bucket query, ms": round(best(query), 3),
        "bucket query, ms": round(best(buckets), 2),
        "read its rows, ms": round(best(lambda: read_rows(made)), 2),
        "columns, µs a profile": round(best(rows) / size * 1e3, 2),
        "membership query, ms": round(best(members), 2),
    }


def main() -> None:
    """Measure and print."""
    rows = [measure(size) for size in SIZES]
    if "--json" not in sys.argv:
        for key in rows[0]:
            print(f"{key:<28}" + "".join(f"{row[key]:>12}" for row in rows))
    print(json.dumps({"bench": "rules", "rows": rows}, ensure_ascii=False))


if __name__ == "__main__":
    main()
