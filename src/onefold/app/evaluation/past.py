"""The past of metrics that were not counted when it happened: counted from the lake, into a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from onefold.app.evaluation.past_rows import INSERT, PastRows, written
from onefold.app.lake.tables import TableNow, tables_now
from onefold.app.lake.typed import fields_of, reader, typed_columns
from onefold.app.long_work import Work
from onefold.app.progress import Tell
from onefold.app.workspace import open_engine, open_lake, open_store
from onefold.config import Settings
from onefold.engine import Engine
from onefold.lake import MIXED, by_layout
from onefold.model.profile import NodeId
from onefold.pipeline import decode_buckets, encode_buckets
from onefold.segment import Buckets, bucket_query, read_rows
from onefold.segment.metric import Field, Metric

_ROWS_A_PAGE = 20_000


class PastWanted(msgspec.Struct, frozen=True):
    """Which metrics are to be counted, over the events of all batches up to one."""

    metrics: tuple[Metric, ...]
    until: int
    file: str


def count_for_job(settings: Settings, work: Work) -> int:
    """The job."""
    wanted = msgspec.convert(work.job.argument, PastWanted)
    with open_store(settings, cache_mb=8) as store:
        tables = tables_now(store, open_lake(settings))
    engine = open_engine(settings, least_mb=2048)
    try:
        with work.interrupting(engine.interrupt):
            return count_past(settings, wanted, tables, engine, work.progress)
    finally:
        engine.close()


def count_past(
    settings: Settings,
    wanted: PastWanted,
    tables: dict[str, TableNow],
    engine: Engine,
    tell: Tell,
) -> int:
    """Count, and write the file; it is there when all of it is. Gives how many identifiers it holds."""
    tell(0, 0, "counting")
    owners = 0
    with written(settings.data / wanted.file, "the past of new metrics") as file:
        for page in _pages(settings, wanted, tables, engine):
            found = read_rows(page)
            rows = [(node, bytes(encode_buckets(one))) for node, one in found.items()]
            file.executemany(INSERT, rows)
            owners += len(rows)
            tell(owners, 0, "writing")
    return owners


def _pages(
    settings: Settings, wanted: PastWanted, tables: dict[str, TableNow], engine: Engine
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of the bucket query; those of one owner always on one page."""
    fields = _add_events(engine, tables["events"], wanted)
    buckets = bucket_query(wanted.metrics, settings.timezone, read=reader(fields))
    query = f"select * from ({buckets}) order by owner"  # noqa: S608
    held: list[tuple[Any, ...]] = []
    for page in engine.pages("backfill", query, [], _ROWS_A_PAGE):
        last = page[-1][0]
        whole = [row for row in page if row[0] != last]
        if whole:
            yield held + whole
            held = []
        held += page[len(whole) :]
    if held:
        yield held


def _add_events(engine: Engine, events: TableNow, wanted: PastWanted) -> list[Field]:
    """Make the view of the events that count; give the fields that have a column in some files."""
    groups = by_layout(events.files)
    read = {field for metric in wanted.metrics for field in metric.fields}
    typed = {}
    for group, files in groups.items():
        known = fields_of(
            engine.add_files(f"events_{group}", group, files), "properties", "context"
        )
        typed[group] = [one for one in known if one in read and group != MIXED]
    fields = list(dict.fromkeys(field for found in typed.values() for field in found))
    engine.add_view("newer_events", {}, events.newer)
    parts = [("newer_events", list[Field]())]
    parts += [(f"events_{group}", found) for group, found in typed.items()]
    columns = 'owner, name, epoch_us("time") as "time", message_id, properties, context'
    engine.view(
        "events",
        " union all ".join(
            f"select {columns}{typed_columns(fields, have)} from {source}"  # noqa: S608 - our names
            f" where batch <= {wanted.until:d}"
            for source, have in parts
        ),
    )
    return fields


class PastFile:
    """What was counted, for those metrics that are still counted since the same batch.

    It belongs to each node that was last written in the batch `ready_at` or before.
    """

    def __init__(self, path: Path, ready_at: int, metrics: Collection[str]) -> None:
        self.ready_at = ready_at
        self._metrics = frozenset(metrics)
        self._rows = PastRows(path)

    def buckets(self, nodes: Sequence[NodeId]) -> dict[NodeId, Buckets]:
        """Of these nodes, those that have a past."""
        found: dict[NodeId, Buckets] = {}
        for node, encoded in self._rows.of(nodes):
            buckets = decode_buckets(msgspec.Raw(encoded))
            kept = {name: one for name, one in buckets.items() if name in self._metrics}
            if kept:
                found[node] = kept
        return found

    def nodes(self, after: NodeId, limit: int) -> list[NodeId]:
        """The nodes that it holds anything of, in their order, a page at a time."""
        return self._rows.nodes(after, limit)

    def close(self) -> None:
        """Close the file."""
        self._rows.close()
