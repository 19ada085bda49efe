"""Records made ready to be compared: each once, in an order that depends on nothing but content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onefold.model.person import COLUMNS
from onefold.resolve.matching.comparison import (
    COMPARISONS,
    MAX_BINS,
    Comparison,
)
from onefold.resolve.matching.conditions import OF_ONE

MOST_SOURCES = 30
MOST_BINS = 16
"""A bin of frequency is a digit of this base in the number that has all bins of a record."""
LISTS = ("emails", "phones", "family_parts")
"""Columns in which few records have anything. Beside `prepared` they are lists; there a text, which takes a tenth
of the time to look up, with `BETWEEN` the values.
"""
BETWEEN = "\2"
RARE = 3
"""Values of so many records are as rare as any: they may all be of one person."""
PLACE = (
    "CASE WHEN street IS NOT NULL AND house_number IS NOT NULL"
    " THEN house_number || ' ' || street"
    " WHEN po_box IS NOT NULL THEN 'box ' || po_box"
    " WHEN street IS NOT NULL AND address_more IS NOT NULL THEN street || ', ' || address_more END"
)
"""What makes an address one place, apart from its locality."""
PRESENT = (*COLUMNS, "place")
"""The columns of records: the standard ones, and what follows from them."""


def presence_query(people: str = "people") -> str:
    """In how many rows each of `PRESENT` says something that no other one says."""
    counts = ", ".join(
        f"count({PLACE if column == 'place' else _own(column)})" for column in PRESENT
    )
    return f"SELECT {counts} FROM {people}"


def _own(column: str) -> str:
    """A column; a list only where it has more than one value, for the first has its own column."""
    if column in LISTS:
        return f"CASE WHEN array_length({column}) > 1 THEN {column} END"
    return column


def usable(present: Mapping[str, int]) -> tuple[Comparison, ...]:
    """The comparisons of which two records have the columns."""
    found = {
        one.name: one
        for one in COMPARISONS
        if any(present.get(column, 0) >= 2 for column in one.columns)
    }
    return tuple(one for one in found.values() if found.keys() >= {*one.needs})


def rows_query(columns: Sequence[str], people: str = "people") -> str:
    """Give each row the number of its content: `(record_id, rid)`, from 1, the same in any order."""
    texts = ", ".join(f"coalesce({_text(name)}, '\0')" for name in ("source", *columns))
    digest = f"md5(concat_ws('\1', {texts}))"
    return (
        "SELECT record_id, (dense_rank() OVER (ORDER BY digest))::INTEGER AS rid"
        f" FROM (SELECT record_id, {digest} AS digest FROM {people})"
    )


def _text(column: str) -> str:
    """A column as text: a list's values are joined, as engines write lists in their own ways."""
    if COLUMNS.get(column, "").endswith("[]"):
        return f"array_to_string({column}, '{BETWEEN}')"
    return f"{column}::VARCHAR"


def records_query(columns: Sequence[str], people: str = "people", rows: str = "rows") -> str:
    """Each different record once, with its number and how many rows are like it."""
    chosen = ", ".join(
        f"{_own(name).replace(name, f'p.{name}') if name in columns else 'NULL::' + kind} AS {name}"
        for name, kind in COLUMNS.items()
    )
    return (
        f"SELECT *, {PLACE} AS place FROM (SELECT r.rid, r.copies, p.source, {chosen}"
        f" FROM {people} AS p JOIN (SELECT rid, min(record_id) AS record_id, count(*) AS copies"
        f" FROM {rows} GROUP BY rid) AS r ON p.record_id = r.record_id)"
    )


def values_query(column: str, people: str = "people") -> str:
    """The values of a column of all rows: `(value, n, code)`; codes are numbers from 1, by value."""
    value = PLACE if column == "place" else column
    return (
        "SELECT value, count(*)::BIGINT AS n, (row_number() OVER (ORDER BY value))::BIGINT AS code"
        f" FROM (SELECT {value} AS value FROM {people}) WHERE value IS NOT NULL GROUP BY value"
    )


def common_query(column: str, total: int, bins: int) -> str:
    """The values that are not in the bin of the rarest: `(value, bin)`."""
    return (
        f"SELECT value, bin FROM (SELECT value, {bin_sql(total, bins)} AS bin"
        f" FROM values_{column} WHERE n > {RARE}) WHERE bin < {bins} ORDER BY value"
    )


def bins_of(total: int) -> int:
    """How many bins of frequency there are among so many records that have a value."""
    bins = 1
    while bins < MAX_BINS and 4**bins * RARE < total:
        bins += 1
    return bins


def bin_sql(total: int, bins: int) -> str:
    """The bin of a value that `n` of `total` records have: 1 for the most common, `bins` the rarest."""
    cases = " ".join(f"WHEN n * {4**place} > {total} THEN {place}" for place in range(1, bins))
    return f"CASE {cases} ELSE {bins} END" if cases else str(bins)


def prepared_query(
    columns: Sequence[str],
    coded: Sequence[str],
    binned: Mapping[str, int],
    records: str,
) -> str:
    """The records with the columns that are compared, codes of values, and bins of frequency.

    All bins of a record are in the one number `bins`, too: to look one column up in pairs takes less than many.

    `records` is the query of records; `binned` gives the number of bins of a column. The values of a coded or binned column
    are in the table `values_COLUMN`, the common ones of a binned one in `common_COLUMN`.
    """
    chosen = ["r.rid", "r.copies", "r.source"]
    chosen += [
        f"array_to_string(r.{column}, '{BETWEEN}') AS {column}"
        if column in LISTS
        else f"r.{column}"
        for column in columns
    ]
    joins = ["JOIN values_source AS s ON coalesce(r.source, '') = s.value"]
    for column in dict.fromkeys((*coded, *binned)):
        # Values are fewer than records: each has its bin before records are asked for theirs.
        every = f"values_{column}"
        if column in binned:
            every = (
                f"(SELECT v.value, v.code, c.bin FROM {every} AS v"
                f" LEFT JOIN common_{column} AS c ON v.value = c.value)"
            )
        joins.append(f"LEFT JOIN {every} AS v_{column} ON r.{column} = v_{column}.value")
    chosen += [f"v_{column}.code AS {column}_code" for column in coded]
    bin_of = {column: f"coalesce(v_{column}.bin, {bins})" for column, bins in binned.items()}
    chosen += [f"{sql}::UTINYINT AS {column}_bin" for column, sql in bin_of.items()]
    packed = (f"{sql}::BIGINT * {MOST_BINS**place}" for place, sql in enumerate(bin_of.values()))
    chosen.append(f"{' + '.join(packed) or '0::BIGINT'} AS bins")
    chosen += [f"{one.format(r='r')} AS {name}" for name, one in OF_ONE.items()]
    chosen.append("s.code AS source_code")
    return f"SELECT {', '.join(chosen)} FROM ({records}) AS r {' '.join(joins)}"


def copied_query(column: str, prepared: str = "prepared") -> str:
    """How many pairs of rows that are alike in everything have a value in each bin of a column."""
    return (
        f"SELECT {column}_bin, sum(copies * (copies - 1e0) / 2) FROM {prepared}"
        f" WHERE copies > 1 AND {column} IS NOT NULL GROUP BY {column}_bin ORDER BY 1"
    )


def whole_names_query(prepared: str = "prepared") -> str:
    """Of each level of the same whole name: rows, pairs of rows that have it, and those alike in everything.

    The rows of a name in characters may be those that have the same characters; the others, of whom at least one
    is not in characters, have it in letters.
    """
    bins = "given_name_bin + family_name_bin - 1"
    return (
        f"WITH one AS (SELECT given_name_code AS given, family_name_code AS family, {bins} AS bin,"
        " given_han IS NOT NULL AND family_han IS NOT NULL AS han, sum(copies)::DOUBLE AS n,"
        " sum(copies * (copies - 1e0) / 2) AS twice"
        f" FROM {prepared} WHERE given_name_code IS NOT NULL AND family_name_code IS NOT NULL"
        " GROUP BY given_name_code, family_name_code, given_name_bin, family_name_bin, given_han,"
        " family_han), name AS (SELECT bin, sum(n) AS n, coalesce(sum(n) FILTER (han), 0) AS h,"
        " coalesce(sum(twice) FILTER (NOT han), 0) AS twice FROM one GROUP BY given, family, bin)"
        f" SELECT (bin + {2 * MAX_BINS})::INT, sum(n), sum(n * (n - 1) / 2), sum(twice) FROM one"
        " WHERE han GROUP BY bin UNION ALL SELECT bin::INT, sum(n),"
        " sum(n * (n - 1) / 2 - h * (h - 1) / 2), sum(twice) FROM name GROUP BY bin ORDER BY 1"
    )


def sources_query(people: str = "people") -> str:
    """The sources of all rows: `(value, n, code)`, with codes from 0; one alone where there are many."""
    one = f"(SELECT count(DISTINCT source) FROM {people}) > {MOST_SOURCES}"
    return (
        f"SELECT coalesce(source, '') AS value, count(*)::BIGINT AS n, CASE WHEN {one} THEN 0"
        " ELSE row_number() OVER (ORDER BY coalesce(source, '')) - 1 END AS code"
        f" FROM {people} GROUP BY coalesce(source, '')"
    )


def clusters_query() -> str:
    """Each row with the first row of its person: `(record_id, profile)`.

    Of rows that are alike in everything, but say too little to be merged, only the first goes
    with others. `labels` numbers the clusters of records, `alike` are those whose rows are one.
    """
    return (
        "WITH placed AS (SELECT r.record_id, k.label, a.l IS NOT NULL OR r.record_id ="
        " min(r.record_id) OVER (PARTITION BY r.rid) AS goes FROM rows AS r"
        " JOIN labels AS k ON r.rid = k.rid LEFT JOIN alike AS a ON r.rid = a.l)"
        " SELECT record_id, CASE WHEN goes THEN min(CASE WHEN goes THEN record_id END)"
        " OVER (PARTITION BY label) ELSE record_id END AS profile FROM placed"
    )
