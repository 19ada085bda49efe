"""RFM over everybody, and how long its differences take: python -m bench.rfm [--quick]

- the query: from opening the lake to the last row, over 10 M profiles and 100 M events (`--quick`: a
  tenth), made once by `bench.population_data`. Nobody has a value yet, so everybody who bought differs.
- the answer is checked: shares of the scores, and that each profile comes once;
- bringing values to profiles: what the worker does with each difference, over profiles in a store.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec

from bench.known import settings_for
from bench.population_data import END, add_arguments, population
from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.lake.relations import add_population
from onefold.app.worker.loop import Worker
from onefold.app.workspace import now_us, open_lake, open_log, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.definitions import Rfm, TagDefinition
from onefold.model.given import tag_trait
from onefold.model.records import Accepted, encode_accepted
from onefold.segment.population import Relations
from onefold.segment.refreshing import refresh_query, rfm_since

TAG = TagDefinition("rfm", rfm=Rfm())
DEFINED = "kind: tag\nname: rfm\nrfm: {}\n"
PROFILES, PAGE = 40_000, 50_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="RFM over everybody.")
    add_arguments(parser)
    parser.add_argument("--memory", type=int, default=2048, help="MB that the query may use")
    parser.add_argument("--json", action="store_true", help="a line of JSON at the end")
    arguments = parser.parse_args()
    share = 10 if arguments.quick else 1
    people, events = arguments.people // share, arguments.events // share
    settings = population(arguments.data, people, events)
    print(f"{people:,} profiles, {events:,} events")
    took = []
    for run in ("first", "again"):
        seconds, groups = query(settings, arguments.memory)
        took.append(seconds)
        print(f"{run}: {seconds:.1f} s, {sum(groups.values()):,} profiles with a value", flush=True)
    for name, count in groups.most_common():
        print(f"  {name:30} {count:>10,}")
    each = bring()
    print(f"bringing a value to its profile: {each * 1e6:.0f} µs, {1 / each:,.0f} a second")
    if arguments.json:
        row = {"profiles": people, "events": events, "query_s": took, "bring_us": each * 1e6}
        print(msgspec.json.encode({"bench": "rfm", "rows": [row]}).decode())


def query(settings: Settings, memory: int) -> tuple[float, Counter[str]]:
    """Run the query as a refresh does, and count its groups."""
    began = time.monotonic()
    groups: Counter[str] = Counter()
    with (
        open_store(settings, cache_mb=4) as store,
        tempfile.TemporaryDirectory(dir=settings.data.parent) as spill,
    ):
        engine = DuckEngine(threads=2, memory_mb=memory, spill=Path(spill))
        try:
            now, zone = END - 1, settings.timezone
            since = rfm_since(TAG.rfm or Rfm(), now, zone)
            everybody = add_population(engine, store, open_lake(settings), since)
            sql = refresh_query(TAG, [], now, zone, Relations(read=everybody.read))
            for page in engine.pages("rfm", sql, [], PAGE):
                groups.update(row[1] for row in page)
        finally:
            engine.close()
    return time.monotonic() - began, groups


def bring() -> float:
    """Seconds for each value that the worker brings to its profile."""
    with tempfile.TemporaryDirectory(prefix="onefold-rfm-") as folder:
        settings = settings_for(Path(folder) / "data")
        make_workspace(settings)
        with open_store(settings) as store:
            put(store, read_text(DEFINED), "bench")
            log = open_log(settings, store, "bench")
            for start in range(0, PROFILES, 1_000):
                batch = [
                    {"type": "identify", "userId": f"u{n}", "traits": {"city": "Bonn"}}
                    for n in range(start, start + 1_000)
                ]
                body = msgspec.json.encode({"batch": batch})
                log.append([encode_accepted(Accepted("default", now_us(), "batch", body))])
            worker = Worker(settings, store, open_lake(settings), log)
            while worker.step():
                pass
            numbers = store.profile_ids(0, PROFILES)
            value = '{"value":"Champions","at":1,"recency":5,"frequency":5,"monetary":5}'
            rows = [(tag_trait("rfm"), number, value, 1) for number in numbers]
            store.given.add_refreshed(rows)
            time.sleep(0.6)  # the worker looks twice a second
            began = time.monotonic()
            while worker.step():
                pass
            seconds = time.monotonic() - began
            left = store.given.refresh_queue()
            assert left == 0, f"{left} values have not been brought"
            worker.close()
            log.close()
        return seconds / len(numbers)


if __name__ == "__main__":
    main()
