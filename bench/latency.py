"""From the answer to an event until it shows: python -m bench.latency [--users N] [--segments N] [--traits N]

Onefold as `onefold up` runs it, with N known users and ten live segments, takes in 2,000 events
a second in requests of 50. Meanwhile, some ten times a second, one known user at random
gets a trait by `identify`, which also brings that user into one more segment with a webhook.
The waits are from the 200 answer until a look-up of the profile shows the trait (asked again
every 3 ms), and until the receiver, a process of its own, has read the webhook.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import yaml

from bench import many_rules
from bench.background import Line, background, get, load_average, percentiles, post
from bench.known import make, settings_for
from bench.tree import Tree
from onefold.activate.webhook import secret_text
from onefold.app.secret_values import secret_set
from onefold.app.workspace import now_us
from onefold.testing.receiver import Receiver

RATE = 2_000.0
PROBES_A_SECOND = 10.0
POLL_SECONDS = 0.003
PATIENCE = 20.0
KEY = bytes(range(32))


def receive(pipe: Connection) -> None:
    """The receiver's process: says its address, and in the end when which probe's webhook came."""
    with Receiver(KEY) as receiver:
        pipe.send(receiver.url)
        pipe.recv()
        pipe.send([(one.at, one.verified, one.body.decode()) for one in receiver.received])


def hook(url: str) -> str:
    """The probes' segment, and the destination that is told about it."""
    return yaml.safe_dump_all(
        [
            {"kind": "segment", "name": "probes", "rule": "probe is not null"},
            {
                "kind": "destination",
                "name": "probes",
                "type": "webhook",
                "url": url,
                "secret": {"secret": "bench"},
                "segments": ["probes"],
            },
        ],
        explicit_start=True,
    )


def probe(line: Line, keys: tuple[str, str], user: int, number: int) -> tuple[int, float]:
    """When the event was acknowledged (µs), and how long until the profile shows it."""
    admin_key, write_key = keys
    name = f"probe-{time.time_ns()}-{number}"
    event = {
        "type": "identify",
        "userId": f"u{user}",
        "messageId": name,
        "traits": {"probe": name},
    }
    status, answer = line.ask(post("/v1/identify", write_key, json.dumps(event).encode()))
    assert status == 200, answer
    acknowledged, started = now_us(), time.perf_counter()
    look = get(f"/api/profiles/user_id:u{user}", admin_key)
    while time.perf_counter() < started + PATIENCE:
        status, answer = line.ask(look)
        if status == 200 and name.encode() in answer:
            return acknowledged, time.perf_counter() - started
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"an event did not show within {PATIENCE} s")


def measure(
    directory: Path, users: int, probes: int, rate: float, segments: int = 0, traits: int = 0
) -> dict[str, Any]:
    """Both waits, of so many probes, with so many more segments and computed traits."""
    spawn = multiprocessing.get_context("spawn")
    pipe, theirs = multiprocessing.Pipe()
    receiver = spawn.Process(target=receive, args=(theirs,), daemon=True)
    receiver.start()
    settings = settings_for(directory)
    more = many_rules.definitions(segments, traits)
    made = make(settings, users, hook=f"{hook(pipe.recv())}---\n{more}")
    random, acknowledged, readable = Random(1), {}, []
    secret_set(settings, "bench", secret_text(KEY))
    with Tree(settings) as tree, background(tree, made.write_key, users, rate) as came:
        line = Line(tree.url)
        for number, user in enumerate(random.sample(range(users), probes)):
            started = time.monotonic()
            at, waited = probe(line, (made.admin_key, made.write_key), user, number)
            acknowledged[f"u{user}"] = at
            readable.append(waited)
            # Not in step with anything that happens in regular intervals.
            pause = random.uniform(0.5, 1.5) / PROBES_A_SECOND
            time.sleep(max(0.0, pause - (time.monotonic() - started)))
        time.sleep(2.0)
        worker = tree.worker()
    pipe.send("end")
    received = _waits(pipe.recv(), acknowledged)
    receiver.join()
    return {
        "users": users,
        "more_segments": segments,
        "computed_traits": traits,
        "events_per_second": came[0],
        "readable": percentiles(readable),
        "webhook": percentiles(received),
        "worker": {name: worker.get(name) for name in ("latency_p50", "latency_p95")},
        "load_average": load_average(),
    }


def _waits(came: list[tuple[int, bool, str]], acknowledged: dict[str, int]) -> list[float]:
    """How long each probe's webhook took."""
    arrived: dict[str, int] = {}
    for at, verified, body in came:
        assert verified, "a webhook's signature is wrong"
        for identifier in json.loads(body)["data"]["profile"]["identifiers"]:
            if identifier["kind"] == "user_id":
                arrived.setdefault(identifier["value"], at)
    missing = acknowledged.keys() - arrived.keys()
    assert not missing, f"{len(missing)} webhooks did not come"
    return [max(0, arrived[name] - at) / 1e6 for name, at in acknowledged.items()]


def main() -> None:
    """Measure and print a table, and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--segments", type=int, default=0, help="more than the ten")
    parser.add_argument("--traits", type=int, default=0, help="computed traits")
    parser.add_argument("--probes", type=int, default=300)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--data", help="where the temporary directory is made")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.data) as folder:
        sizes = given.users, given.probes, given.rate, given.segments, given.traits
        row = measure(Path(folder), *sizes)
    if not given.json:
        print(f"{'acknowledged until':<20}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}{'probes':>10}")
        for what in ("readable", "webhook"):
            of = row[what]
            print(
                f"{what:<20}{of['p50_ms']:>10}{of['p95_ms']:>10}{of['p99_ms']:>10}{of['count']:>10}"
            )
    print(json.dumps({"bench": "latency", "rows": [row]}))


if __name__ == "__main__":
    main()
