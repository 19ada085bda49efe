"""The same records in Splink 5, tuned for people: run in an environment that has `splink`.

    python bench/matching_splink.py PEOPLE.parquet PAIRS.parquet CLUSTERS.parquet

PEOPLE has the standard columns and `record_id`, `source`. Splink's own comparisons for people are
used, with term frequencies; u from random pairs, m by expectation and maximization with several keys.
"""

from __future__ import annotations

import sys

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_level_library as levels
from splink import comparison_library as cl

COLUMNS = [
    "record_id", "source", "given_name", "middle_name", "family_name", "gender", "birth_digits", "birth_date",
    "email", "phone", "house_number", "street", "address_more", "city", "postcode", "national_id", "name_sorted",
]  # fmt: skip
DERIVED = (
    "house_number || ' ' || street as place, left(given_name, 1) as g1, left(family_name, 1) as f1"
)


def link(connection: duckdb.DuckDBPyConnection, threshold: float) -> tuple[str, str]:
    """Train on the table `people`, find pairs and clusters; the names of their tables."""
    row = connection.execute(
        "select count(*), "
        + ", ".join(f"count({c})" for c in [*COLUMNS[2:], "place"])
        + " from people"
    ).fetchall()[0]
    total = row[0]
    has = {c: row[i + 1] > 0.01 * total for i, c in enumerate([*COLUMNS[2:], "place"])}
    comparisons = []
    if has["given_name"]:
        comparisons.append(cl.ForenameSurnameComparison("given_name", "family_name"))
    if has["middle_name"]:
        comparisons.append(
            cl.CustomComparison(
                output_column_name="middle_name",
                comparison_levels=[
                    levels.NullLevel("middle_name"),
                    levels.ExactMatchLevel("middle_name"),
                    levels.CustomLevel(
                        "left(middle_name_l, 1) = left(middle_name_r, 1)", "initial"
                    ),
                    levels.ElseLevel(),
                ],
            )
        )
    if has["birth_digits"]:
        comparisons.append(
            cl.CustomComparison(
                output_column_name="birth_digits",
                comparison_levels=[
                    levels.NullLevel("birth_digits"),
                    levels.ExactMatchLevel("birth_digits", term_frequency_adjustments=True),
                    levels.DamerauLevenshteinLevel("birth_digits", 1),
                    levels.DamerauLevenshteinLevel("birth_digits", 2),
                    levels.CustomLevel("left(birth_digits_l, 4) = left(birth_digits_r, 4)", "year"),
                    levels.ElseLevel(),
                ],
            )
        )
    if has["email"]:
        comparisons.append(cl.EmailComparison("email"))
    if has["phone"]:
        comparisons.append(cl.DamerauLevenshteinAtThresholds("phone", [1, 2]))
    if has["national_id"]:
        comparisons.append(cl.DamerauLevenshteinAtThresholds("national_id", [1, 2]))
    if has["place"]:
        comparisons.append(
            cl.CustomComparison(
                output_column_name="place",
                comparison_levels=[
                    levels.NullLevel("place"),
                    levels.ExactMatchLevel("place", term_frequency_adjustments=True),
                    levels.JaroWinklerLevel("street", 0.92),
                    levels.CustomLevel("postcode_l = postcode_r", "postcode"),
                    levels.CustomLevel("city_l = city_r", "city"),
                    levels.ElseLevel(),
                ],
            )
        )
    if has["address_more"]:
        comparisons.append(cl.JaroWinklerAtThresholds("address_more", [0.9]))
    if has["gender"]:
        comparisons.append(cl.ExactMatch("gender"))
    rules = [
        ("email",), ("phone",), ("national_id",), ("name_sorted", "postcode"), ("family_name", "birth_digits"),
        ("given_name", "birth_digits"), ("birth_digits", "postcode"), ("place", "g1"), ("place", "family_name"),
        ("given_name", "family_name", "city"), ("given_name", "family_name", "middle_name"),
        ("given_name", "family_name"), ("birth_digits",),
    ]  # fmt: skip
    large = total > 100_000
    used = [
        rule for rule in rules
        if all(has.get(c, True) for c in rule) and not (large and rule in (("given_name", "family_name"), ("birth_digits",)))
    ]  # fmt: skip
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in used],
        retain_intermediate_calculation_columns=False,
    )
    api = DuckDBAPI(connection)
    linker = Linker(api.register("people"), settings, log_level=40)
    sure = [
        rule
        for rule in (
            ("email",),
            ("national_id",),
            ("family_name", "birth_digits"),
            ("given_name", "family_name", "postcode"),
        )
        if all(has.get(c, True) for c in rule)
    ]
    linker.training.estimate_probability_two_random_records_match(
        [block_on(*rule) for rule in sure] or [block_on("given_name", "family_name")], recall=0.8
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for rule in (("given_name", "family_name"), ("birth_digits",), ("place",), ("national_id",)):
        if all(has.get(c, True) for c in rule):
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*rule), fix_probability_two_random_records_match=True
            )
    found = linker.inference.predict(threshold_match_probability=threshold)
    grouped = linker.clustering.cluster_pairwise_predictions_at_threshold(found, threshold)
    return found.physical_name, grouped.physical_name


def main() -> None:
    """Link a file of standard columns."""
    people, pairs, clusters = sys.argv[1:4]
    connection = duckdb.connect()
    connection.execute(
        f"create table people as select {', '.join(COLUMNS)}, {DERIVED} from '{people}'"
    )
    found, grouped = link(connection, float(sys.argv[4]) if len(sys.argv) > 4 else 0.95)
    connection.execute(
        f"copy (select record_id_l as l, record_id_r as r from {found}) to '{pairs}'"
    ).fetchall()
    connection.execute(
        f"copy (select record_id, cluster_id as profile from {grouped}) to '{clusters}'"
    ).fetchall()


if __name__ == "__main__":
    main()
