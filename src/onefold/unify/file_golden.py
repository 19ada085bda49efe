"""One golden row for each person of a file: which of the written values stands for all.

Of each column, or of a group of columns that stay together, what is written most often; then what
is most complete, then longest, then first in the order of the alphabet. Never by the order of rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onefold.model.sql import quoted_sql


def golden_query(groups: Sequence[Sequence[str]], columns: Mapping[str, str]) -> str:
    """The query over `rows_of(profile_id, …)` and `several(profile_id)`: `(profile_id, rows, …)`.

    `columns` gives the type of each column; each is in one group. `several` are those profiles that
    have more than one row.
    """
    names = ", ".join(quoted_sql(name) for name in columns)
    ones = (
        f"SELECT profile_id, 1::BIGINT AS row_count, {names} FROM rows_of"
        " WHERE profile_id NOT IN (SELECT profile_id FROM several)"
    )
    parts, joins = [], []
    for place, group in enumerate(groups):
        parts.append(f"g{place} AS ({_group_query(group)})")
        joins.append(f"LEFT JOIN g{place} ON s.profile_id = g{place}.profile_id")
    chosen = {
        name: f"g{place}.{quoted_sql(name)}" for place, group in enumerate(groups) for name in group
    }
    values = ", ".join(f"{chosen[name]} AS {quoted_sql(name)}" for name in columns)
    counted = "s AS (SELECT profile_id, count(*) AS row_count FROM many GROUP BY profile_id)"
    many = "many AS (SELECT * FROM rows_of WHERE profile_id IN (SELECT profile_id FROM several))"
    return (
        f"WITH {', '.join([many, counted, *parts])} SELECT * FROM ({ones} UNION ALL"
        f" SELECT s.profile_id, s.row_count, {values} FROM s {' '.join(joins)}) ORDER BY profile_id"
    )


def _group_query(group: Sequence[str]) -> str:
    names = ", ".join(quoted_sql(name) for name in group)
    texts = [f"{quoted_sql(name)}::VARCHAR" for name in group]
    given = " + ".join(f"(coalesce({text}, '') <> '')::INT" for text in texts)
    length = " + ".join(f"length(coalesce({text}, ''))" for text in texts)
    order = ", ".join(quoted_sql(name) for name in group)
    return (
        f"SELECT profile_id, {names} FROM (SELECT profile_id, {names}, row_number() OVER ("
        f"PARTITION BY profile_id ORDER BY times DESC, {given} DESC, {length} DESC, {order}) AS place"
        f" FROM (SELECT profile_id, {names}, count(*) AS times FROM many WHERE {given} > 0"
        f" GROUP BY profile_id, {names})) WHERE place = 1"
    )
