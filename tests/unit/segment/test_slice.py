"""The whole way of a rule: text, buckets of a batch, columns of a profile, membership."""

import duckdb

from onefold.segment import bucket_query, compile_membership, parse_rule, read_rows

DAY = 86_400_000_000
NOW = 20_000 * DAY + DAY // 2


def test_three_orders_in_thirty_days() -> None:
    text = (
        "country = 'CN' and count_of('Order Completed', last => interval 30 day, "
        "where => properties.revenue > 100) >= 3"
    )
    membership = compile_membership({"big": parse_rule(text)})
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE events (owner BLOB, name VARCHAR, time BIGINT, message_id VARCHAR, "
        "properties VARCHAR, context VARCHAR)"
    )
    for age, revenue in ((0, 150), (1, 99), (2, 101), (29, 500), (30, 500)):
        connection.execute(
            "INSERT INTO events VALUES ('a'::BLOB, 'Order Completed', ?, ?, ?, '{}')",
            [NOW - age * DAY, f"m{age}", f'{{"revenue": {revenue}}}'],
        )
    rows = connection.execute(bucket_query(membership.metrics, "UTC")).fetchall()
    facts = read_rows(rows)[b"a"]

    row, change = membership.features(NOW, "UTC").row({"country": "CN"}, [facts])
    assert dict(zip((c.kind for c in membership.columns), row, strict=True)) == {
        "trait": "CN",
        "window": 3,
    }
    assert change == 20_001 * DAY

    columns = ", ".join(column.name for column in membership.columns)
    connection.execute(f"CREATE VIEW profiles(profile, {columns}) AS SELECT 7, 'CN', 3.0")
    assert connection.execute(membership.sql).fetchall() == [(7, True)]
