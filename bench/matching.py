"""Matching without common identifiers, beside Splink: the same records, the same run, the truth known.

    python -m bench.matching --data ../shared/data/identity --splink VENV/bin/python [--people FILE]

Each side runs in a process of its own, from standard columns to clusters, training included; CPU is
that of the whole process. `--people` names more Parquet files in standard columns with `entity_id`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench.matching_metrics import measure
from bench.matching_tellable import measure_told
from onefold.app.matching import steps
from onefold.app.matching import training as match_training
from onefold.app.people.tables import standardize_table
from onefold.engine.duck import DuckEngine
from onefold.standardize.people.roles import Layout

_FEBRL = {
    "given_name": "given_name", "surname": "family_name", "street_number": "house_number",
    "address_1": "address", "address_2": "address_more", "suburb": "city", "postcode": "postcode",
    "state": "state", "date_of_birth": "birth_date", "soc_sec_id": "national_id",
}  # fmt: skip
LAYOUTS = {
    "pseudopeople_multisource_dev": Layout(
        {
            "source": "source", "first_name": "given_name", "middle_name": "middle_name",
            "middle_initial": "middle_name", "last_name": "family_name", "date_of_birth": "birth_date",
            "street_number": "house_number", "street_name": "address", "unit_number": "unit",
            "city": "city", "state": "state", "zipcode": "postcode", "sex": "gender",
            "ssn": "national_id", "employer_name": "company", "mailing_address_po_box": "po_box",
        },
        region="US",
    ),
    "febrl3": Layout(_FEBRL),
    "febrl4": Layout({"source": "source", **_FEBRL}),
    "rldata500": Layout(
        {
            "fname_c1": "given_name", "fname_c2": "middle_name", "lname_c1": "family_name",
            "lname_c2": "family_name", "by": "birth_year", "bm": "birth_month", "bd": "birth_day",
        }
    ),
}  # fmt: skip


def ours(people: Path, pairs: Path, clusters: Path) -> None:
    """From standard columns to pairs and clusters, by row."""
    engine = DuckEngine(threads=2, memory_mb=8000)
    engine.keep("people", f"SELECT * EXCLUDE (entity_id) FROM read_parquet('{people}')")
    plan = steps.prepare(engine)
    steps.block(engine, plan)
    steps.compare(engine, plan)
    model = match_training.learn(engine, plan)
    steps.score(engine, plan, model)
    steps.cluster(engine, plan, model)
    merged = f"SELECT l, r FROM scored WHERE weight >= {model.merge}"
    engine.write(
        "SELECT a.record_id AS l, b.record_id AS r FROM"
        f" ({merged}) AS p JOIN rows AS a ON a.rid = p.l JOIN rows AS b ON b.rid = p.r"
        " WHERE p.l <> p.r OR a.record_id < b.record_id",
        pairs,
        100_000,
    )
    engine.write("SELECT record_id, profile FROM clusters", clusters, 100_000)


def side(command: list[str], people: Path, folder: Path) -> dict[str, Any]:
    """Run one side; what it took and how good it is."""
    pairs, clusters = folder / "pairs.parquet", folder / "clusters.parquet"
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        [*command, str(people), str(pairs), str(clusters)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    truth = pq.read_table(people, columns=["record_id", "entity_id"])
    found = pq.read_table(clusters)
    quality = measure(truth, pq.read_table(pairs), found) | measure_told(people, found)
    return {"wall_s": round(wall, 1), "cpu_s": round(cpu, 1), **quality}


def standardized(data: Path, name: str, folder: Path) -> Path:
    """A set in standard columns, with the truth beside."""
    engine = DuckEngine(threads=2, memory_mb=4000)
    engine.keep("file", f"SELECT * FROM read_parquet('{data / name}.parquet')")
    standardize_table(engine, "file", LAYOUTS[name])
    path = folder / f"{name}.people.parquet"
    truth = "SELECT row_number() OVER () - 1 AS record_id, entity_id FROM file"
    engine.write(f"SELECT * FROM people JOIN ({truth}) USING (record_id)", path, 100_000)
    return path


def main() -> None:
    """Run all sets on both sides and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/identity"))
    parser.add_argument("--splink", help="A Python that has Splink; without it, only ours runs.")
    parser.add_argument("--people", type=Path, action="append", default=[])
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--ours", nargs=3, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ours:
        ours(*given.ours)
        return
    sides = {"onefold": [sys.executable, "-m", "bench.matching", "--ours"]}
    if given.splink:
        sides["splink"] = [given.splink, str(Path(__file__).with_name("matching_splink.py"))]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        wanted = given.only or ([] if given.people else list(LAYOUTS))
        files = [standardized(given.data, name, folder) for name in wanted] + given.people
        for file in files:
            for name, command in sides.items():
                found = side(command, file, folder)
                if given.json:
                    print(json.dumps({"set": file.stem, "side": name, **found}), flush=True)
                else:
                    print(f"{file.stem:45} {name:8} {found}", flush=True)


if __name__ == "__main__":
    main()
