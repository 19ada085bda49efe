"""Claims of the past, where rules for golden records need more of them than was kept.

Of most traits a node keeps the last claim of each source. Where a new rule needs more, or by other
checks, the events of the lake are read once for those traits, into a file; each node gets what the
file holds of it when its golden record is decided again. Claims forget repeats, so it does not matter
what came in meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from onefold.app.long_work import Tell, Work
from onefold.app.tables import TableNow, add_views, tables_now
from onefold.app.workspace import open_lake, open_store, spill_path
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.errors import Busy
from onefold.model.given import INTERNAL
from onefold.model.profile import NodeId, Statement
from onefold.model.sql import literal_sql
from onefold.pipeline import GoldenInputs, golden_rules
from onefold.unify import GoldenRules, add_claims, claims_of

_ROWS_A_PAGE = 20_000
_KEYS = 500
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
    path = settings.data / wanted.file
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    tell(0, 0, "reading claims")
    owners = 0
    try:
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as file:
            file.execute("pragma journal_mode = off")
            file.execute("pragma synchronous = off")
            file.execute("create table past (node blob primary key, claims blob) without rowid")
            file.execute("begin")
            for owner, statements in _kept(_events(wanted, tables, engine), rules, wanted.traits):
                file.execute("insert into past values (?,?)", (owner, _encode(statements)))
                owners += 1
                if owners % 1_000 == 0:
                    tell(owners, 0, "reading claims")
            file.execute("commit")
        with unfinished.open("rb+") as written:
            os.fsync(written.fileno())
        unfinished.rename(path)
    except (OSError, sqlite3.Error) as error:
        raise Busy(f"the past claims cannot be written: {error}") from error
    return owners


def _events(
    wanted: ClaimsWanted, tables: dict[str, TableNow], engine: DuckEngine
) -> Iterator[tuple[Any, ...]]:
    """The events that claim one of the traits, those of one owner in a row."""
    add_views(engine, {"events": tables["events"]})
    claimed = " or ".join(
        f"json_exists(traits, {literal_sql(_pointer(name))})" for name in wanted.traits
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


def _pointer(name: str) -> str:
    """The JSON pointer of a name in an object."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


class ClaimsFile:
    """What was read of the past."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)

    def claims(self, nodes: Sequence[NodeId]) -> dict[NodeId, list[Statement]]:
        """Of these nodes, those that have a past."""
        found: dict[NodeId, list[Statement]] = {}
        for start in range(0, len(nodes), _KEYS):
            some = nodes[start : start + _KEYS]
            marks = ",".join("?" * len(some))
            sql = f"select node, claims from past where node in ({marks})"  # noqa: S608
            for node, encoded in self._file.execute(sql, some):
                found[node] = _decode(encoded)
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()
