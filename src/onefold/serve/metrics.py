"""Figures in the text format of Prometheus (0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from onefold.app.folding.rebuild_checks import RebuildChecked
from onefold.app.status import Status

CONTENT_TYPE = "text/plain; version=0.0.4"
_STATES = {"ok": 0, "degraded": 1, "failed": 2}
_TOTALS = {
    "events": "Events processed.",
    "duplicates": "Events dropped because they had been processed before.",
    "rejects": "Events that could not be used.",
    "merges": "Profiles that became part of another.",
}
_GAUGES = {
    "profiles": "Profiles known.",
    "identifiers": "Identifiers known.",
    "members": "Memberships of all segments.",
}


class Family(NamedTuple):
    """One metric: its name, type, help, and each value with its labels."""

    name: str
    type: str
    help: str
    samples: Sequence[tuple[dict[str, str], float]]


def exposition(families: Iterable[Family]) -> str:
    r"""The text that Prometheus reads.

    >>> exposition([Family("up", "gauge", "Up.", [({"part": 'a"b'}, 1)])])
    '# HELP up Up.\n# TYPE up gauge\nup{part="a\\"b"} 1\n'
    """
    lines = []
    for family in families:
        lines.append(f"# HELP {family.name} {family.help}")
        lines.append(f"# TYPE {family.name} {family.type}")
        for labels, value in family.samples:
            listed = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            lines.append(
                f"{family.name}{{{listed}}} {value}" if listed else f"{family.name} {value}"
            )
    return "\n".join([*lines, ""])


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _rebuilt(last: RebuildChecked | None) -> list[Family]:
    if last is None:
        return []
    return [
        _plain("onefold_rebuild_differences", "Found by the last check.", last.differences),
        _plain(
            "onefold_rebuild_checked_seconds", "When that was, since 1970.", last.at // 1_000_000
        ),
    ]


def stored(status: Status) -> list[Family]:
    """What the store knows: all that the worker and the jobs did, and what waits."""
    totals = status.totals
    step_seconds = status.worker.get("step_seconds", {})
    quantiles = [
        ({"quantile": quantile}, status.worker[name])
        for quantile, name in (("0.5", "latency_p50"), ("0.95", "latency_p95"))
        if status.worker.get(name) is not None
    ]
    return [
        *(
            Family(f"onefold_{name}_total", "counter", about, [({}, totals.get(name, 0))])
            for name, about in _TOTALS.items()
        ),
        *(
            Family(f"onefold_{name}", "gauge", about, [({}, totals.get(name, 0))])
            for name, about in _GAUGES.items()
        ),
        _labeled("onefold_log_lag_bytes", "Accepted, not yet processed.", "partition", status.log),
        _plain("onefold_lake_queue_rows", "Rows not yet in the lake.", status.lake_queue_rows),
        _labeled(
            "onefold_deliveries_waiting",
            "Deliveries to be sent.",
            "destination",
            status.deliveries_waiting,
        ),
        _plain("onefold_dead_letters", "Deliveries given up.", status.dead_letters),
        _plain("onefold_open_rejects", "Rejects nobody has dealt with.", status.open_rejects),
        _plain("onefold_disk_free_bytes", "Free where the data lies.", status.disk_free),
        _labeled(
            "onefold_check_state",
            "0 ok, 1 degraded, 2 failed.",
            "check",
            {check.name: _STATES[check.state] for check in status.checks},
        ),
        *_rebuilt(status.rebuild_check),
        Family(
            "onefold_step_seconds_total",
            "counter",
            "Time the worker spent in each step since it started.",
            [({"step": step}, seconds) for step, seconds in step_seconds.items()],
        ),
        Family(
            "onefold_latency_seconds",
            "gauge",
            "From accepted to processed, over the last second.",
            quantiles,
        ),
    ]


def members(status: Status) -> Family:
    """How many profiles are in each segment: for those who may know the segments."""
    about = "Profiles in a segment."
    return _labeled("onefold_segment_members", about, "segment", status.segments)


def own(
    version: str, requests: Mapping[tuple[str, int], int], accepted: int, waiting: int
) -> list[Family]:
    """What this web process did since it started."""
    answered = [
        ({"api": api, "status": str(status)}, count)
        for (api, status), count in sorted(requests.items())
    ]
    return [
        Family("onefold_build_info", "gauge", "The version.", [({"version": version}, 1)]),
        Family("onefold_requests_total", "counter", "Requests answered here.", answered),
        Family(
            "onefold_accepted_events_total", "counter", "Events accepted here.", [({}, accepted)]
        ),
        _plain("onefold_stream_listeners", "Open live streams here.", waiting),
    ]


def _plain(name: str, about: str, value: float) -> Family:
    return Family(name, "gauge", about, [({}, value)])


def _labeled(name: str, about: str, label: str, values: Mapping[str, float]) -> Family:
    return Family(
        name, "gauge", about, [({label: key}, value) for key, value in sorted(values.items())]
    )
