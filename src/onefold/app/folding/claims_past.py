"""Claims of the past, where rules for golden records need more of them than was kept.

Of most traits a node keeps the last claim of each source. Where a new rule needs more, or by other
checks, the events of the lake are read once for those traits, into a file; each node gets what the
file holds of it when its golden record is decided again. Claims forget repeats, so it does not matter
what came in meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from onefold.app.evaluation.past_rows import INSERT, PastRows, written
from onefold.app.lake.tables import TableNow, add_views, tables_now
from onefold.app.long_work import Work
from onefold.app.progress import Tell
from onefold.app.workspace import open_lake, open_store, spill_path
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.given import INTERNAL
from onefold.model.profile import NodeId, Statement
from onefold.model.sql import literal_sql
from onefold.pipeline import GoldenInputs, golden_rules
from onefold.segment.fields import json_pointer
from onefold.unify import GoldenRules, add_claims, claims_of

_ROWS_A_PAGE = 20_000
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Statement]).decode


class ClaimsWanted(msgspec.Struct, frozen=True):
    """By which rules, of which traits (empty: of all), from batches up to which one, into which file."""

    rules: GoldenInputs
    traits: tuple[str, ...]
    until: int
    file: str


def claims_for_job(settings: Settings, work: Work) -> int:
    """The job."""
    wanted = msgspec.convert(work.job.argument, ClaimsWanted)
    with open_store(settings, cache_mb=8) as store:
        tables = tables_now(store, open_lake(settings))
    engine = DuckEngine(threads=2, memory_mb=1024, spill=spill_path(settings))
    try:
        with work.interrupting(engine.connection.interrupt):
            return gather_claims(settings, wanted, tables, engine, work.progress)
    finally:
        engine.close()


def gather_claims(
    settings: Settings,
    wanted: ClaimsWanted,
    tables: dict[str, TableNow],
    engine: DuckEngine,
    tell: Tell,
) -> int:
    """Read the claims, and write the file; it is there when all of it is. Gives how many identifiers it holds."""
    rules = golden_rules(wanted.rules, settings.timezone)
    tell(0, 0, "reading claims")
    owners = 0
    with written(settings.data / wanted.file, "the past claims") as file:
        for owner, statements in _kept(_events(wanted, tables, engine), rules, wanted.traits):
            file.execute(INSERT, (owner, _encode(statements)))
            owners += 1
            if owners % 1_000 == 0:
                tell(owners, 0, "reading claims")
    return owners


def _events(
    wanted: ClaimsWanted, tables: dict[str, TableNow], engine: DuckEngine
) -> Iterator[tuple[Any, ...]]:
    """The events that claim one of the traits, those of one owner in a row."""
    add_views(engine, {"events": tables["events"]})
    claimed = " or ".join(
        f"json_exists(traits, {literal_sql(json_pointer(name))})" for name in wanted.traits
    )
    query = (
        "select owner, source, epoch_us(time), message_id, strong, traits from all_events"  # noqa: S608 - rendered
        f" where batch <= {wanted.until:d} and traits <> '{{}}' and source <> '{INTERNAL}'"
        f" and ({claimed or 'true'}) order by owner"
    )
    for page in engine.pages("claims", query, [], _ROWS_A_PAGE):
        yield from page


def _kept(
    events: Iterator[tuple[Any, ...]], rules: GoldenRules, traits: Sequence[str]
) -> Iterator[tuple[NodeId, list[Statement]]]:
    """Of each owner what the rules need of its claims."""
    only = frozenset(traits)
    before: NodeId | None = None
    statements: list[Statement] = []
    for owner, source, time, message_id, is_strong, text in events:
        if owner != before:
            if before is not None and statements:
                yield before, statements
            before, statements = owner, []
        claimed = msgspec.json.decode(text)
        if only:
            claimed = {name: value for name, value in claimed.items() if name in only}
        for strong, some in claims_of(claimed, is_strong):
            add_claims(statements, Statement(source, time, message_id, strong, some), rules)
    if before is not None and statements:
        yield before, statements


class ClaimsFile:
    """What was read of the past."""

    def __init__(self, path: Path) -> None:
        self._rows = PastRows(path)

    def claims(self, nodes: Sequence[NodeId]) -> dict[NodeId, list[Statement]]:
        """Of these nodes, those that have a past."""
        return {node: _decode(encoded) for node, encoded in self._rows.of(nodes)}

    def close(self) -> None:
        """Close the file."""
        self._rows.close()
