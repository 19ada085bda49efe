"""From a raw file to clusters and golden rows with Splink 5, as an expert would write it.

    python bench/dedupe_splink.py PEOPLE.csv CLUSTERS.parquet GOLDEN.parquet

Run in an environment that has `splink`. Splink reads and cleans nothing and makes no golden rows, so what its
documentation recommends is done in DuckDB's SQL before: lower case, no accents, one form for each date, only the digits
of numbers, junk taken out, names and addresses in parts. A golden row has the most frequent value of each column.
"""

from __future__ import annotations

import sys

import duckdb
from matching_splink import COLUMNS, DERIVED, link

_FORMS = ["%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d %b %Y", "%Y/%m/%d", "%d.%m.%Y"]
_STREETS = {
    "street": "st", "avenue": "ave", "road": "rd", "drive": "dr", "lane": "ln", "court": "ct", "boulevard": "blvd",
    "place": "pl", "terrace": "ter", "trail": "trl", "parkway": "pkwy", "circle": "cir",
}  # fmt: skip


def clean(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `people` of the table `raw`."""

    def text(column: str) -> str:
        return f"nullif(lower(strip_accents(trim({column}))), '')"

    def digits(column: str) -> str:
        return f"regexp_replace({column}, '[^0-9]', '', 'g')"

    street = (
        "regexp_replace(regexp_replace(line, '^[0-9]+[a-z]? ', ''), ' (apt|unit|#|ste).*$', '')"
    )
    for long, short in _STREETS.items():
        street = f"replace({street}, ' {long}', ' {short}')"
    phone = f"right({digits('coalesce(phone, home_phone)')}, 10)"
    connection.execute(f"""
        create table people as
        with texts as (
            select record_id, source,
                regexp_replace({text("full_name")}, '^(dr|mr|mrs|ms|prof)[.]? ', '') as whole,
                {text("first_name")} as first, {text("middle_name")} as middle, {text("last_name")} as last,
                left({text("gender")}, 1) as gender, {text("birth_date")} as born, {text("email")} as email,
                {phone} as phone, {text("address")} as line, {text("city")} as city, {text("zip")} as postcode,
                {digits("national_id")} as national_id
            from raw
        ), parts as (
            select *,
                case when contains(whole, ', ') then split_part(split_part(whole, ', ', 2), ' ', 1)
                    else split_part(whole, ' ', 1) end as whole_first,
                case when contains(whole, ', ') then split_part(whole, ', ', 1)
                    else split_part(whole, ' ', -1) end as whole_last,
                coalesce({", ".join(f"try_strptime(born, '{form}')" for form in _FORMS)})::date as day
            from texts
        ), people as (
            select record_id, source, coalesce(first, whole_first) as given_name, middle as middle_name,
                coalesce(last, whole_last) as family_name, gender, strftime(day, '%Y%m%d') as birth_digits,
                day as birth_date, case when email like '%_@_%._%' then email end as email,
                case when length(phone) >= 7 and phone <> repeat(left(phone, 1), length(phone)) then phone end as phone,
                regexp_extract(line, '^([0-9]+)', 1) as house_number, {street} as street, null::varchar as address_more,
                city, postcode, nullif(national_id, '') as national_id
            from parts
        )
        select *, least(given_name, family_name) || ' ' || greatest(given_name, family_name) as name_sorted,
            {DERIVED} from people
    """)


def main() -> None:
    """Read, clean, link, and write."""
    file, clusters, golden = sys.argv[1:4]
    connection = duckdb.connect()
    connection.execute(
        f"create table raw as select row_number() over () - 1 as record_id, * exclude (record_id)"
        f" from read_csv('{file}', all_varchar = true, header = true)"
    )
    clean(connection)
    missing = set(COLUMNS) - {row[0] for row in connection.execute("describe people").fetchall()}
    assert not missing, missing
    _, grouped = link(connection, 0.95)
    connection.execute(
        f"copy (select cluster_id as profile_id, raw.* exclude (record_id) from raw join {grouped} as c"
        f" using (record_id) order by record_id) to '{clusters}' (compression zstd)"
    ).fetchall()
    names = [
        row[0] for row in connection.execute("describe raw").fetchall() if row[0] != "record_id"
    ]
    connection.execute(
        f"create table linked as select cluster_id as profile_id, raw.* from raw join {grouped} as c"
        " using (record_id)"
    )
    modes = ", ".join(f"mode({name}) as {name}" for name in names)
    several = "select profile_id from linked group by profile_id having count(*) > 1"
    connection.execute(
        f"copy (select profile_id, 1 as row_count, {', '.join(names)} from linked where profile_id not in ({several})"
        f" union all select profile_id, count(*), {modes} from linked where profile_id in ({several})"
        f" group by profile_id) to '{golden}' (compression zstd)"
    ).fetchall()


if __name__ == "__main__":
    main()
