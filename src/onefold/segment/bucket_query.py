"""The query that makes buckets of events: of a batch of them, or of all in the lake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from onefold.model.sql import literal_sql
from onefold.segment.conditions import conditions_of
from onefold.segment.fields import LARGEST_NUMBER, field_sql
from onefold.segment.kinds import CARRY
from onefold.segment.metric import KINDS, Field, Metric, MetricKind
from onefold.segment.window import LENGTHS, Unit
from onefold.segment.zone import Zone, load_zone

SCALE = 1_000_000
_HOURS_BEFORE = 19_200_000


def bucket_query(
    metrics: Iterable[Metric],
    timezone: str,
    since: int | None = None,
    until: int | None = None,
    read: Callable[[Field], str] = field_sql,
) -> str:
    """Write one query that makes the buckets of all metrics from the relation `events`.

    `events(owner BLOB, name VARCHAR, time BIGINT, message_id VARCHAR, properties VARCHAR,
    context VARCHAR)` with the time in µs UTC and the last two as JSON objects. The rows are `(owner,
    metric, bucket, n, carry, micros, min, max, first, last, kind, parts)`, to be read by
    `read_rows`. `since` and `until` may bound the times that occur in `events`; the query is
    shorter then. `read` says how a field is read, where it is not of the JSON.
    """
    numbered = dict(enumerate(metrics))
    if not numbered:
        return _NOTHING
    day = load_zone(timezone).day_sql(since, until)
    collected = {i: one for i, one in numbered.items() if one.kind in COLLECTED}
    added = {i: one for i, one in numbered.items() if i not in collected}
    branches = [_added_sql(added)] if added else []
    branches += [_collected_sql(collected)] if collected else []
    return (
        f"WITH e AS ({_events_sql(numbered.values(), read)}), matched AS ({_matched_sql(numbered, day)}) "
        f"{' UNION ALL '.join(branches)}"
    )


_KIND_NUMBERS: dict[MetricKind, int] = {
    kind: number for number, kind in enumerate(dict.fromkeys(KINDS.values()))
}
COLLECTED: tuple[MetricKind, ...] = ("values", "tally", "moments", "visits")
"""The kinds that keep values side by side rather than add them up."""

ANY_EVENT = ""
NOT_ACTIVITY = ("alias", "group", "identify")
"""Calls that say who somebody is, not what they do."""

# One join by name pairs each event with the metrics that may want it; CASEs then choose its condition,
# which metrics that are written alike share, and its value. One scan and one aggregation however many
# metrics.
_UNITS: dict[Unit, int] = {"ever": 0, "day": 1, "hour": 2, "minute": 3, "second": 4}
_NO_NUMBERS = (
    "CAST(NULL AS BIGINT) AS carry, CAST(NULL AS BIGINT) AS micros, "
    "CAST(NULL AS DOUBLE) AS min, CAST(NULL AS DOUBLE) AS max"
)
_TOTAL = f"sum(CAST(round(v * {SCALE}e0, 0) AS HUGEINT))"
# Nearly all sums need but one part, and to divide such wide numbers takes long.
_SHORT = f"{_TOTAL} BETWEEN {1 - CARRY} AND {CARRY - 1}"
_NUMBERS = (
    f"CASE WHEN {_SHORT} THEN 0 ELSE CAST({_TOTAL} // {CARRY} AS BIGINT) END AS carry, "
    f"CAST(CASE WHEN {_SHORT} THEN {_TOTAL} ELSE {_TOTAL} % {CARRY} END AS BIGINT) AS micros, "
    "min(v) AS min, max(v) AS max"
)
_EDGE_TYPE = "STRUCT(t BIGINT, i VARCHAR, v VARCHAR)"
_NO_EDGES = f"CAST(NULL AS {_EDGE_TYPE}) AS first, CAST(NULL AS {_EDGE_TYPE}) AS last"
_EDGE = "({'t': time, 'i': message_id, 'v': t}) FILTER (WHERE t IS NOT NULL)"
_EDGES = f"min{_EDGE} AS first, max{_EDGE} AS last"
_PARTS_TYPE = "STRUCT(v VARCHAR, n BIGINT)[]"
_NO_PARTS = f"CAST(NULL AS VARCHAR) AS kind, CAST(NULL AS {_PARTS_TYPE}) AS parts"
_NOTHING = (
    "SELECT owner, '' AS metric, CAST(0 AS BIGINT) AS bucket, CAST(0 AS BIGINT) AS n, "
    f"{_NO_NUMBERS}, {_NO_EDGES}, {_NO_PARTS} FROM events WHERE FALSE"
)


def _events_sql(metrics: Iterable[Metric], read: Callable[[Field], str]) -> str:
    """The events that some metric counts, with every field read once, and only where it is used."""
    events: dict[Field, set[str]] = {}
    names = set()
    for metric in metrics:
        names.add(metric.event)
        for field in metric.fields:
            events.setdefault(field, set()).add(metric.event)
    fields = "".join(
        f", CASE WHEN {named_sql(wanted)} THEN {read(field)} END AS {field.name}"
        for field, wanted in events.items()
    )
    return f"SELECT owner, name, time, message_id{fields} FROM events WHERE {named_sql(names)}"


def named_sql(names: Iterable[str]) -> str:
    """Write that an event has one of the names; `ANY_EVENT` is whatever somebody does."""
    wanted = sorted(set(names) - {ANY_EVENT})
    parts = [f"name IN ({', '.join(map(literal_sql, wanted))})"] if wanted else []
    if ANY_EVENT in names:
        parts.append(f"name NOT IN ({', '.join(map(literal_sql, NOT_ACTIVITY))})")
    return f"({' OR '.join(parts)})" if len(parts) > 1 else parts[0]


def _matched_sql(metrics: dict[int, Metric], day: str) -> str:
    """Each event with each metric that counts it; with one that takes many values, for each."""
    single = {i: one for i, one in metrics.items() if not one.many}
    named = {i: one for i, one in single.items() if one.event != ANY_EVENT}
    parts = [_joined_sql(found, day) for found in (named, _rest(single, named)) if found]
    many = _rest(metrics, single)
    numbers = {i: one for i, one in many.items() if one.kind == "number"}
    for found, v, t in (
        (numbers, "unnest(v)", "t"),
        (_rest(many, numbers), "v", "unnest(t)"),
    ):
        if found:
            names = f"owner, kind_no, metric, time, message_id, bucket, {v} AS v, {t} AS t"
            parts.append(f"SELECT {names} FROM ({_joined_sql(found, day)})")
    return " UNION ALL ".join(parts)


def _rest(metrics: dict[int, Metric], without: dict[int, Metric]) -> dict[int, Metric]:
    return {i: one for i, one in metrics.items() if i not in without}


def _joined_sql(metrics: dict[int, Metric], day: str) -> str:
    """Each event with each of these metrics that counts it."""
    used = {metric.granularity for metric in metrics.values()} - {"ever"}
    units = {_UNITS[unit]: day if unit == "day" else clock_sql(unit) for unit in sorted(used)}
    conditions = conditions_of(metrics.values())
    places = sorted({place for one in conditions for place in one.literals})
    tests = _numbered(one.text for one in conditions)
    numbers = _numbered(one.value for one in metrics.values() if one.kind == "number")
    texts = _numbered(one.value for one in metrics.values() if one.kind != "number")
    rows = (
        (
            *(literal_sql(one.id), literal_sql(one.event)),
            *(_KIND_NUMBERS[one.kind], _UNITS[one.granularity], tests.get(condition.text, -1)),
            (numbers if one.kind == "number" else texts).get(one.value, -1),
            *(condition.literals.get(place, "NULL") for place in places),
        )
        for one, condition in zip(metrics.values(), conditions, strict=True)
    )
    columns = ", ".join(("metric", "event", "kind_no", "unit_no", "test_no", "value_no", *places))
    listed = ", ".join(f"({', '.join(map(str, row))})" for row in rows)
    by_name = all(metric.event != ANY_EVENT for metric in metrics.values())
    is_number = f"kind_no = {_KIND_NUMBERS['number']}"
    return (
        f"SELECT owner, kind_no, metric, time, message_id, {_case('unit_no', units, '0')} AS bucket, "
        f"{_chosen(is_number, numbers)} AS v, {_chosen(f'NOT {is_number}', texts)} AS t "
        f"FROM e JOIN (VALUES {listed}) AS m({columns}) "
        f"ON {'name = event' if by_name else named_sql([ANY_EVENT])} "
        f"WHERE {_case('test_no', {number: text for text, number in tests.items()}, 'TRUE')}"
    )


def _numbered(texts: Iterable[str | None]) -> dict[str | None, int]:
    """Each different text that there is, by number."""
    return {text: number for number, text in enumerate(dict.fromkeys(filter(None, texts)))}


def _chosen(where: str, values: Mapping[str | None, int]) -> str:
    """The value that a metric is about, one of few expressions."""
    if not values:
        return "NULL"
    return f"CASE WHEN {where} THEN {_case('value_no', {n: one for one, n in values.items()})} END"


def bucket_sql(unit: Unit, zone: Zone) -> str:
    """Write the bucket that the column `time` falls into."""
    if unit == "ever":
        return "0"
    return zone.day_sql() if unit == "day" else clock_sql(unit)


def clock_sql(unit: Unit) -> str:
    """Write the hour, minute or second; those before 1970 are rounded down in every engine."""
    length = LENGTHS[unit]
    before = _HOURS_BEFORE * (LENGTHS["hour"] // length)
    return f"(time + {length * before}) // {length} - {before}"


def _case(over: str, cases: Mapping[int, str | None], otherwise: str = "NULL") -> str:
    if not cases:
        return otherwise
    branches = " ".join(f"WHEN {number} THEN {sql}" for number, sql in cases.items())
    return f"CASE {over} {branches} ELSE {otherwise} END"


def _added_sql(metrics: dict[int, Metric]) -> str:
    """What is added up, over the events that have the value which a metric is about."""
    kinds = {metric.kind for metric in metrics.values()}
    numbers = _NUMBERS if "number" in kinds else _NO_NUMBERS
    edges = _EDGES if "edge" in kinds else _NO_EDGES
    tests = {"count": "TRUE", "number": f"abs(v) < {LARGEST_NUMBER}", "edge": "t IS NOT NULL"}
    kept = _case("kind_no", {_KIND_NUMBERS[kind]: tests[kind] for kind in sorted(kinds)}, "FALSE")
    return (
        f"SELECT owner, metric, bucket, count(*) AS n, {numbers}, {edges}, {_NO_PARTS} "
        f"FROM matched WHERE {kept} GROUP BY owner, metric, bucket"
    )


def _collected_sql(metrics: dict[int, Metric]) -> str:
    """What is kept side by side: each different value, and how often it occurred."""
    found = {_KIND_NUMBERS[metric.kind]: literal_sql(metric.kind) for metric in metrics.values()}
    kinds = _case("kind_no", found)
    values = (
        f"SELECT owner, metric, bucket, {kinds} AS kind, t, count(*) AS n FROM matched "
        f"WHERE kind_no IN ({', '.join(map(str, found))}) AND t IS NOT NULL "
        "GROUP BY owner, kind_no, metric, bucket, t"
    )
    return (
        f"SELECT owner, metric, bucket, CAST(sum(n) AS BIGINT) AS n, {_NO_NUMBERS}, {_NO_EDGES}, "
        f"kind, list({{'v': t, 'n': n}}) AS parts FROM ({values}) "
        "GROUP BY owner, metric, bucket, kind"
    )
