"""Files of links between identifiers, clustered by the identity rules without any server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from onefold.app.definitions.checks import faults_of
from onefold.app.definitions.files import Reading, read_definitions
from onefold.app.in_force import IDENTITY_KINDS, definitions_from
from onefold.engine import DuckEngine
from onefold.model.errors import Fault, InvalidInput
from onefold.model.identity import BUILT_IN, IdentityRules
from onefold.model.profile import OBSERVED
from onefold.model.sql import literal_sql
from onefold.resolve.bulk import Ints, Links, bulk_partition
from onefold.store.registry import StoredDefinition

_NEEDED = ("left_kind", "left_value", "right_kind", "right_value")
_ROWS_A_GROUP = 100_000
_RANK_BITS = 58


class Clustered(msgspec.Struct, frozen=True):
    """How many links there were, between how many identifiers, and how many people these are."""

    links: int
    identifiers: int
    profiles: int


def cluster_links(file: Path, output: Path, rules: Path | None = None) -> Clustered:
    """Write each identifier of a file of links with its `profile`: the first identifier of it.

    The file (CSV or Parquet) has `left_kind`, `left_value`, `right_kind`, `right_value`, and if known
    `rank` (0 asserted, 1 beside a user id, 2 else) and `time` (µs). `rules` is a folder with definitions.
    """
    with links_of(file, output.resolve().parent) as engine:
        return clustered(engine, "told", rules_in(rules), output)


def rules_in(directory: Path | None) -> IdentityRules:
    """The identity rules that stand in a folder; those that hold without any if none is given."""
    return BUILT_IN if directory is None else rules_of(read_definitions(directory))


def rules_of(reading: Reading) -> IdentityRules:
    """The identity rules among written definitions."""
    written = [one for one in reading.written if one.kind in IDENTITY_KINDS]
    faults = [fault for one in written for fault in faults_of(one.kind, one.body)]
    if faults or reading.faults:
        raise InvalidInput("the rules cannot be used", [*reading.faults, *faults])
    return definitions_from(
        StoredDefinition(one.kind, one.name, 1, one.body) for one in written
    ).identity


@contextmanager
def links_of(file: Path, spill: Path) -> Iterator[DuckEngine]:
    """An engine with the view `told` of a file of links."""
    if not file.is_file():
        raise InvalidInput("the links cannot be read", [Fault("there is no such file", str(file))])
    engine = DuckEngine(threads=2, memory_mb=4096, spill=spill)
    try:
        reader = "read_parquet" if file.suffix == ".parquet" else "read_csv_auto"
        engine.view("told", f"select * from {reader}({literal_sql(str(file))})")  # noqa: S608
        yield engine
    finally:
        engine.close()


def clustered(engine: DuckEngine, given: str, rules: IdentityRules, output: Path) -> Clustered:
    """Cluster the links of a view, and write who each identifier is."""
    found, identifiers = numbered(engine, given)
    labels = labels_of(engine, found, rules)
    # That of a person is the smallest number among theirs.
    profiles = int(np.count_nonzero(labels == np.arange(len(labels))))
    # What is joined by place is read by one thread, what is kept by all.
    engine.keep(
        "people",
        "select kind, value, cluster from nodes positional join labels",
        {"labels": pa.table({"cluster": labels})},
    )
    engine.write(
        "with firsts as"
        " (select cluster, min(kind || ':' || value) as profile from people group by all)"
        " select kind, value, profile from people join firsts using (cluster)",
        output,
        _ROWS_A_GROUP,
    )
    return Clustered(len(found), identifiers, profiles)


def numbered(engine: DuckEngine, given: str) -> tuple[pa.Table, int]:
    """The links of a view, between the rows of the table `nodes` that this makes; and how many those are."""
    have = {str(row[0]) for row in engine.rows("columns", f"describe {given}", {})}
    if missing := [name for name in _NEEDED if name not in have]:
        raise InvalidInput(
            "the links cannot be used", [Fault("is missing", one) for one in missing]
        )
    rank = "rank" if "rank" in have else str(OBSERVED)
    time = "time" if "time" in have else "0"
    identifiers = engine.keep(
        "nodes",
        f"select left_kind as kind, left_value as value from {given}"  # noqa: S608 - our own names
        f" union select right_kind, right_value from {given}",
    )
    found = engine.arrow(
        "links",
        "select least(l, r) as l, greatest(l, r) as r, min(evidence) as evidence from ("  # noqa: S608
        f"select a.rowid as l, b.rowid as r, {rank}::bigint * {1 << _RANK_BITS} + {time}::bigint as evidence"
        f" from {given} join nodes a on a.kind = left_kind and a.value = left_value"
        " join nodes b on b.kind = right_kind and b.value = right_value)"
        " where l <> r group by all",
    )
    return found, identifiers


def labels_of(engine: DuckEngine, found: pa.Table, rules: IdentityRules) -> Ints:
    """Of each row of `nodes` whom it belongs to."""
    left, right, evidence = (
        found.column(name).combine_chunks().to_numpy() for name in ("l", "r", "evidence")
    )
    links = Links(left, right, evidence >> _RANK_BITS, evidence & ((1 << _RANK_BITS) - 1))
    kinds = engine.arrow("kinds", "select kind from nodes").column("kind").combine_chunks()
    encoded = kinds.dictionary_encode()
    kind_of = encoded.indices.to_numpy().astype(np.int64)

    def values(numbers: Ints) -> Sequence[str]:
        texts = engine.arrow("values", "select value from nodes").column("value")
        return list(texts.take(pa.array(numbers)).to_pylist())

    return bulk_partition(encoded.dictionary.to_pylist(), kind_of, links, values, rules)
