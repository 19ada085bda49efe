"""From a file of people to clusters and golden rows, beside Splink: the same raw CSV, the truth known.

    python -m bench.dedupe --rows 1000000 --seed 31 --splink VENV/bin/python --turns 2

Each side is one process that starts with the file and ends with two: every row with its cluster, and a golden row for
each cluster; training is included. Splink's side is `dedupe_splink.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from bench.matching_metrics import measure
from onefold.testing.people import make_people

_TRUTH = ("entity_id", "household_id")


def made(folder: Path, rows: int, seed: int) -> tuple[Path, Path]:
    """A file of made-up people, and who is who in it."""
    file, truth = folder / f"people{seed}_{rows}.csv", folder / f"truth{seed}_{rows}.parquet"
    if not truth.exists():
        table = make_people(rows, seed=seed)
        pa_csv.write_csv(
            table.drop_columns([one for one in _TRUTH if one in table.column_names]), file
        )
        numbers = pa.array(range(table.num_rows))
        pq.write_table(pa.table({"record_id": numbers, "entity_id": table["entity_id"]}), truth)
    return file, truth


def run(command: list[str], clusters: Path, golden: Path, truth: Path) -> dict[str, Any]:
    """Run one side; what it took and how good it is."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    found = pq.read_table(clusters, columns=["profile_id"])["profile_id"].combine_chunks()
    numbers = pa.array(range(len(found)))
    people = pa.table({"record_id": numbers, "profile": found.dictionary_encode().indices})
    pairs = pa.table({"l": pa.array([], pa.int64()), "r": pa.array([], pa.int64())})
    quality = measure(pq.read_table(truth), pairs, people)
    return {
        "wall_s": round(wall, 1),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "memory_mb": usage.ru_maxrss // 1024,
        "golden_rows": pq.read_metadata(golden).num_rows,
        **{name: quality[name] for name in ("cluster_f1", "b3")},
    }


def main() -> None:
    """Run both sides by turns, and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--splink", help="A Python that has Splink; without it, only ours runs.")
    parser.add_argument("--folder", type=Path, default=Path("bench/results/dedupe"))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    file, truth = made(given.folder, given.rows, given.seed)
    sides = {"onefold": [sys.executable, "-m", "onefold", "dedupe", str(file)]}
    if given.splink:
        sides["splink"] = [
            given.splink,
            str(Path(__file__).with_name("dedupe_splink.py")),
            str(file),
        ]
    for _ in range(given.turns):
        for name, command in sides.items():
            clusters, golden = (
                given.folder / f"{name}.{one}.parquet" for one in ("clusters", "golden")
            )
            written = [str(clusters), str(golden)]
            if name == "onefold":
                written = ["-o", str(clusters), "--golden", str(golden)]
            print(
                json.dumps({"side": name, **run([*command, *written], clusters, golden, truth)}),
                flush=True,
            )


if __name__ == "__main__":
    main()
