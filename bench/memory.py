"""Memory of the whole tree while nothing happens: python -m bench.memory [--json] [--data DIR]

`onefold up` on a fresh workspace with ten live segments: after the start, and after 10,000 events.
RSS counts a page that processes share once for each; PSS divides it among all that have it,
other programs too; "distinct" is private memory plus each shared page of a file once, as if the
tree were alone on the machine.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.background import Line, load_average, post
from bench.known import make, settings_for
from bench.tree import Tree
from onefold.app.workspace import now_us
from onefold.testing.load import live_bodies, uniform

EVENTS = 10_000
USERS = 2_000
BATCH = 100
REST_SECONDS = 10.0
KINDS = ("rss_mb", "pss_mb", "distinct_mb")
_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ [0-9a-f]+ \S+ \d+\s*(.*)")


def look(tree: Tree) -> dict[str, dict[str, float]]:
    """Megabytes of each process and of all of them."""
    pid = tree.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found: dict[str, dict[str, float]] = {}
    files: dict[str, int] = defaultdict(int)
    private = 0
    for one in (str(pid), *children):
        words = Path(f"/proc/{one}/cmdline").read_text().split("\0")
        name = next((word for word in words if word in ("web", "worker", "jobs")), "up")
        rss, pss, own, shared = _mappings(Path(f"/proc/{one}/smaps").read_text())
        found[name] = {"rss_mb": rss / 1024, "pss_mb": pss / 1024}
        private += own
        for file, size in shared.items():
            files[file] = max(files[file], size)
    found["all"] = {
        kind: sum(process[kind] for process in found.values()) for kind in ("rss_mb", "pss_mb")
    }
    found["all"]["distinct_mb"] = (private + sum(files.values())) / 1024
    return {name: {k: round(v, 1) for k, v in of.items()} for name, of in found.items()}


def _mappings(text: str) -> tuple[int, int, int, dict[str, int]]:
    """Kilobytes: RSS, PSS, anonymous, and those of each file."""
    rss = pss = own = 0
    shared: dict[str, int] = defaultdict(int)
    file, resident = "", 0
    for line in text.splitlines():
        if mapping := _MAPPING.fullmatch(line):
            file = mapping[1]
            continue
        name, _, value = line.partition(":")
        if name in ("Rss", "Pss", "Anonymous"):
            size = int(value.split()[0])
            if name == "Rss":
                rss, resident = rss + size, size
            elif name == "Pss":
                pss += size
            else:
                own += size
                shared[file] += resident - size
    return rss, pss, own, shared


def measure(directory: Path) -> list[dict[str, Any]]:
    """A row for each state."""
    settings = settings_for(directory)
    made = make(settings, USERS)
    rows = []
    with Tree(settings) as tree:
        time.sleep(REST_SECONDS)
        rows.append({"state": "after the start", "processes": look(tree)})
        line = Line(tree.url)
        bodies = live_bodies(uniform(USERS), now_us, size=BATCH)
        for _ in range(EVENTS // BATCH):
            status, answer = line.ask(post("/v1/batch", made.write_key, next(bodies)))
            assert status == 200, answer
        deadline = time.monotonic() + 60
        while tree.processed() < EVENTS:
            assert time.monotonic() < deadline, "the events were not processed in time"
            time.sleep(0.1)
        time.sleep(REST_SECONDS)
        rows.append({"state": "after 10,000 events", "processes": look(tree)})
    return [{**row, "load_average": load_average()} for row in rows]


def main() -> None:
    """Measure and print a table, and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="where the temporary directory is made")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.data) as folder:
        rows = measure(Path(folder))
    if not given.json:
        for row in rows:
            print(f"{row['state']:<24}" + "".join(f"{kind:>14}" for kind in KINDS))
            for name, of in row["processes"].items():
                print(f"  {name:<22}" + "".join(f"{of.get(kind, ''):>14}" for kind in KINDS))
    print(json.dumps({"bench": "memory", "rows": rows}))


if __name__ == "__main__":
    main()
