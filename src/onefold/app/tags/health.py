"""How a tag is doing: who has it, how that drifts, who uses it, what it costs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from onefold.app.definitions.editing import definition_dependents
from onefold.app.evaluation.refreshed import next_refresh
from onefold.app.in_force import load_definitions
from onefold.app.tags.answers import TagHealth, TagRow, ValueShare, Way
from onefold.app.tags.reads import last_reads
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.definitions import TagDefinition
from onefold.model.errors import NotFound
from onefold.model.profile import NO_BUCKETS, decode_profile
from onefold.pipeline.concerned import Task
from onefold.pipeline.counts import Counts
from onefold.pipeline.evaluation import Evaluation
from onefold.segment import compile_plan, wanted_by
from onefold.segment.asked import reachable
from onefold.segment.ready import tag_values
from onefold.store import SQLiteStore

_DAY_US = 86_400_000_000
_WEEK_DAYS = 7
_LEAST_SHARE = 0.0001
_SAMPLE = 1_000
_MOST_VALUES = 100  # of those that the definition does not name


def tag_list(settings: Settings) -> list[TagRow]:
    """All tags, by name."""
    with open_store(settings, cache_mb=4) as store:
        definitions, _ = load_definitions(store)
        refreshes = store.given.refreshes()
        return [
            TagRow(
                one.name,
                _way(one),
                one.state,
                sum(store.given.tag_values(one.name).values()),
                refreshes[one.name].as_of if one.name in refreshes else None,
                one.owner,
                one.folder,
                one.description,
            )
            for one in definitions.tags
        ]


def tag_health(settings: Settings, name: str) -> TagHealth:
    """How one tag is doing."""
    with open_store(settings, cache_mb=8) as store:
        definitions, _ = load_definitions(store)
        tag = next((one for one in definitions.tags if one.name == name), None)
        if tag is None:
            raise NotFound(f"there is no tag {name!r}; `onefold tag list` shows them")
        counts = store.given.tag_values(name)
        total = max(store.counters().get("profiles", 0), sum(counts.values()))
        before = store.given.tag_day(name, now_us() // _DAY_US - _WEEK_DAYS)
        last = store.given.refreshes().get(name)
        cost = _cost(settings, store, name) if tag.state == "approved" else None
        on_their_way = store.given.refresh_queue()
        last_read = last_reads(store).get(name)
    known = tag_values(tag)
    others = sorted(counts.keys() - set(known), key=lambda one: (-counts[one], one))
    values = [*known, *others[:_MOST_VALUES]]
    return TagHealth(
        name=name,
        comes_from=_way(tag),
        state=tag.state,
        owner=tag.owner,
        profiles=total,
        coverage=_share(sum(counts.values()), total),
        values=tuple(
            ValueShare(one, counts.get(one, 0), _share(counts.get(one, 0), total)) for one in values
        ),
        drift=None if before is None else drift(before.counts, before.profiles, counts, total),
        drift_since=None if before is None else before.day * _DAY_US,
        as_of=None if last is None else last.as_of,
        next_refresh=(
            next_refresh(tag, last.as_of, settings.timezone) if last and tag.of_everybody else None
        ),
        refresh_seconds=None if last is None else last.seconds,
        on_their_way=on_their_way,
        microseconds=cost,
        used_by=definition_dependents(settings, "tag", name).all,
        last_read=last_read,
    )


def drift(
    before: Mapping[str, int], total_before: int, now: Mapping[str, int], total: int
) -> float:
    """The population stability index between two distributions; who has no value counts too.

    >>> drift({"a": 50}, 100, {"a": 50}, 100)
    0.0
    >>> round(drift({"a": 50}, 100, {"a": 80}, 100), 2)
    0.42
    """
    index = 0.0
    for value in before.keys() | now.keys():
        index += _moved(
            _share(before.get(value, 0), total_before), _share(now.get(value, 0), total)
        )
    none_before = 1 - _share(sum(before.values()), total_before)
    return index + _moved(none_before, 1 - _share(sum(now.values()), total))


def _moved(before: float, now: float) -> float:
    p, q = max(before, _LEAST_SHARE), max(now, _LEAST_SHARE)
    return (q - p) * math.log(q / p)


def _share(part: int, total: int) -> float:
    return round(part / total, 6) if total else 0.0


def _way(tag: TagDefinition) -> Way:
    if tag.of_everybody:
        return "everybody"
    return "given" if tag.values else "rules"


def _cost(settings: Settings, store: SQLiteStore, name: str) -> float | None:
    """How many µs it takes to compute the tag, with what it refers to, for one profile."""
    definitions, _ = load_definitions(store)
    known = {one.key: one for one in wanted_by(definitions)}
    own = known["value", name]
    plan = compile_plan([own, *reachable([own], known)])
    tasks = []
    for document in store.documents(store.profile_ids(0, _SAMPLE)).values():
        profile = decode_profile(document)
        facts = [Counts(node.buckets) for node in profile.nodes if node.buckets != NO_BUCKETS]
        tasks.append(Task(profile, None, facts))
    if not tasks or plan.refused:
        return None
    engine = DuckEngine(optimizer=False)
    try:
        evaluation = Evaluation(engine, plan, settings.timezone)
        for _ in evaluation.run(tasks[:1], now_us()):
            pass  # the first time the query is planned
        began = time.monotonic()
        for _ in evaluation.run(tasks, now_us()):
            pass
        return round((time.monotonic() - began) / len(tasks) * 1e6, 2)
    finally:
        engine.close()
