"""The table `changes` as a row for each value: what changed at once is one row of the table.

Such a row has no `name`; `old` and `new` are JSON objects of the same names. Its `number` is that
of the first value, and those behind it are left free for the others.
"""

from __future__ import annotations

_EACH = """
with kept as not materialized ({rows}),
sets as (
    select *, old::json::map(varchar, json) as before, new::json::map(varchar, json) as after
    from kept where name is null
),
each as (
    select
        *, unnest(generate_series(0, len(map_keys(after)) - 1)) as place,
        unnest(map_keys(after)) as value_name,
        unnest(map_values(before))::varchar as value_before,
        unnest(map_values(after))::varchar as value_after
    from sets
)
select batch, number, profile, changed_at, what, name, old, new, source, message_id
from kept where name is not null
union all
select
    batch, number + place, profile, changed_at, what, value_name, value_before, value_after,
    source, message_id
from each
"""


def each_change(rows: str) -> str:
    """A query of one row for each value that changed, made of a query of rows of the table."""
    return _EACH.format(rows=rows)
