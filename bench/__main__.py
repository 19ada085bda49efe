"""Every bench, one after the other: python -m bench [NAME …] [--quick]

Each runs in a process of its own with sizes that end within half an hour together (`--quick`: within
some minutes, with figures that say less). Prints tables, and writes all figures with what
machine they are of to one JSON document below `bench/results/`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NOT_BENCHES = {
    "background", "dedupe", "importing", "dedupe_splink", "known", "matching", "matching_metrics", "matching_splink", "population_data",
    "population_proof", "postgres", "preview_polars", "preview_question", "tree",
}  # fmt: skip
SIZES = {
    "pipeline": ["--users", "1000000", "--seconds", "60"],
    "latency": ["--users", "1000000", "--probes", "300"],
    "reads": ["--users", "1000000", "--seconds", "30"],
}
QUICK = {
    "changes": ["--changes", "40000"],
    "layout": ["--quick"],
    "preview": ["--quick"],
    "rfm": ["--quick"],
    "pipeline": ["--users", "100000", "--seconds", "10", "--events", "100000"],
    "latency": ["--users", "100000", "--probes", "200"],
    "reads": ["--users", "100000", "--seconds", "10"],
    "soak": ["--users", "5000", "--minutes", "1"],
}


def names() -> list[str]:
    """All benches, those first that need little."""
    found = {path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_")}
    heavy = [name for name in ("memory", "reads", "latency", "pipeline", "soak") if name in found]
    return [*sorted(found - NOT_BENCHES - {*heavy}), *heavy]


def run(name: str, arguments: Iterable[str]) -> dict[str, Any]:
    """One bench's document, or what went wrong, and how long it took."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *arguments, "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = round(time.monotonic() - started, 1)
    begin = done.stdout.find("{")
    if done.returncode or begin < 0:
        return {"failed": f"ended with code {done.returncode}", "seconds": seconds}
    return {**json.loads(done.stdout[begin:]), "seconds": seconds}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    fields = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    models = [value.strip() for name, _, value in fields if name.strip() == "model name"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "cpu": models[0] if models else platform.machine(),
        "memory_gb": round(memory / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def show(document: Mapping[str, Any]) -> None:
    """The figures of one bench: each row as lines of names and values, side by side."""
    if "failed" in document:
        print(f"  FAILED: {document['failed']}")
    for group, found in document.items():
        rows = [found] if isinstance(found, dict) else found
        if isinstance(rows, list) and rows:
            flat = [dict(_flat("", row)) for row in rows]
            print(f"  {group}")
            for key in dict.fromkeys(key for row in flat for key in row):
                values = "".join(f"{_text(row.get(key)):>26}" for row in flat)
                print(f"    {key:<32}{values}")
    print(f"  took {document['seconds']} s", flush=True)


def _flat(prefix: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else str(name), part)
    else:
        yield prefix, value


def _text(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)[:25]


def main() -> int:
    """Run, print, write; 1 if a bench failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if unknown := set(given.names) - {*names()}:
        parser.error(f"there is no bench {', '.join(sorted(unknown))}")
    sizes = QUICK if given.quick else SIZES
    began = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())
    document: dict[str, Any] = {"at": began, "quick": given.quick, "machine": machine()}
    print(json.dumps(document["machine"]), flush=True)
    results = document["benches"] = {}
    for name in given.names or names():
        print(f"\n{name}", flush=True)
        results[name] = run(name, sizes.get(name, ()))
        show(results[name])
    path = HERE / "results" / f"{began}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\nwrote {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return int(any("failed" in one for one in results.values()))


if __name__ == "__main__":
    raise SystemExit(main())
