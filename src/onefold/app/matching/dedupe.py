"""Files in, people out: every row with its profile, and one golden row for each profile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from onefold.app.matching import steps, training
from onefold.app.people import files as people_files
from onefold.app.people.files import write_file
from onefold.app.people.tables import standardize_table
from onefold.app.people.values import ValueReader
from onefold.app.progress import Tell, tell_nobody
from onefold.config import engine_fault
from onefold.engine import DuckEngine, Engine, SparkEngine
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.matching import MatchModel, decode_model, encode_model
from onefold.model.sql import literal_sql, quoted_sql
from onefold.standardize.people.recognition import SAMPLE
from onefold.standardize.people.regions import likely_region
from onefold.standardize.people.roles import Layout
from onefold.unify.file_golden import golden_query

_TOGETHER = ("address", "address_more", "house_number", "unit", "po_box", "city", "district",
             "state", "postcode", "country")  # fmt: skip
_STEPS = 7
_BORN = ("birth_year", "birth_month", "birth_day")
_SPARK = "spark"
"""Spark in this process, with all of its processors; every other engine is named as in the settings."""
_MATCHED = {
    "rows": "SELECT record_id, rid FROM rows",
    "scored": "SELECT l, r, weight FROM scored",
    "clusters": "SELECT record_id, profile FROM clusters",
}
"""What another engine hands back, by the tables of these names."""


class Wanted(msgspec.Struct, frozen=True):
    """What is to be made of the files; a path that is None is not written."""

    output: Path | None = None
    golden: Path | None = None
    review: Path | None = None
    save_model: Path | None = None
    model: Path | None = None
    columns: Mapping[str, str] = {}
    region: str | None = None
    link_only: bool = False
    engine: str = "duckdb"
    """What finds pairs, learns and clusters: `duckdb`, or `spark` in this process, or Spark by its URL."""


class Deduped(msgspec.Struct, frozen=True):
    """What was found, and how sure the model is of it."""

    rows: int
    profiles: int
    merged_rows: int
    review_pairs: int
    compared_pairs: int
    expected_precision: float
    expected_recall: float
    uncertainty: float
    precision_error: float
    recall_error: float
    blocking_recall: float
    blocking_error: float
    model_version: str
    columns: dict[str, dict[str, str]]


def dedupe(files: Sequence[Path], wanted: Wanted, tell: Tell = tell_nobody) -> Deduped:
    """Find the people in the rows of one or several files, and write what is wanted."""
    _check_paths(files, wanted)
    with tempfile.TemporaryDirectory(prefix="onefold-") as spill:
        engine = DuckEngine(
            threads=os.cpu_count() or 1, memory_mb=people_files.memory_mb(), spill=Path(spill)
        )
        try:
            return _dedupe(engine, files, wanted, Path(spill), tell)
        finally:
            engine.close()


def _dedupe(
    engine: DuckEngine, files: Sequence[Path], wanted: Wanted, spill: Path, tell: Tell
) -> Deduped:
    tell(0, _STEPS, "reading")
    size = sum(file.stat().st_size for file in files)
    with ValueReader.for_bytes(size) as reader:
        layouts = _standardized(engine, files, wanted, spill, reader, tell)
    with _matching(engine, wanted.engine) as other:
        found = _matched(other, wanted, tell)
        if other is not engine:
            for name, query in _MATCHED.items():
                engine.keep(name, other.arrow(name, query))
    if wanted.save_model:
        wanted.save_model.write_bytes(encode_model(found.model))
    tell(6, _STEPS, "writing")
    _rows(engine, files, layouts)
    return _write(engine, wanted, found, layouts)


def _standardized(
    engine: DuckEngine,
    files: Sequence[Path],
    wanted: Wanted,
    spill: Path,
    reader: ValueReader,
    tell: Tell,
) -> Mapping[Path, Layout]:
    """Make the table `people` of files, and say what their columns hold."""
    layouts = people_files.read_files(engine, files, wanted.columns, wanted.region, spill)
    if wanted.region is None:
        layouts = _with_regions(engine, layouts)
    tell(1, _STEPS, "standardizing")
    first = 0
    for place, file in enumerate(files):
        source = file.stem if len(files) > 1 else ""
        into = f"people_{place}"
        first += standardize_table(
            engine,
            f"file_{place}",
            layouts[file],
            into=into,
            source=source,
            first_id=first,
            reader=reader,
        )
    every = " UNION ALL ".join(f"SELECT * FROM people_{place}" for place in range(len(files)))
    engine.view("people", every)
    return layouts


class _Found(NamedTuple):
    model: MatchModel
    compared: int
    """How many pairs were compared."""


def _matched(engine: Engine, wanted: Wanted, tell: Tell) -> _Found:
    """Make the tables `rows`, `scored` and `clusters` of the table `people`."""
    model = decode_model(wanted.model.read_bytes()) if wanted.model else None
    tell(2, _STEPS, "finding pairs")
    plan = steps.prepare(engine, model=model)
    steps.block(engine, plan)
    tell(3, _STEPS, "comparing")
    compared = steps.compare(engine, plan)
    if model is None:
        tell(4, _STEPS, "learning")
        model = training.learn(engine, plan, link_only=wanted.link_only)
    tell(5, _STEPS, "clustering")
    steps.score(engine, plan, model)
    steps.cluster(engine, plan, model)
    return _Found(model, compared)


@contextmanager
def _matching(engine: DuckEngine, name: str) -> Iterator[Engine]:
    """The engine that matches, with the table `people`."""
    if name == "duckdb":
        yield engine
        return
    url = "local[*]" if name == _SPARK else name
    # Spark in this process may outlive the folder of this run: it has one of its own.
    other = SparkEngine(url, memory_mb=people_files.memory_mb() // 2)
    try:
        other.keep("people", engine.arrow("people", "SELECT * FROM people"))
        yield other
    finally:
        other.close()


def _with_regions(engine: DuckEngine, layouts: Mapping[Path, Layout]) -> dict[Path, Layout]:
    """Numbers that name no country are of the one in which most of the file's can be called."""
    found = {}
    for place, (file, layout) in enumerate(layouts.items()):
        columns = ", ".join(quoted_sql(one) for one in layout.headers("phone"))
        region = None
        if columns:
            rows = engine.rows("phones", f"SELECT {columns} FROM file_{place} LIMIT {SAMPLE}", {})
            region = likely_region(str(one) for row in rows for one in row if one is not None)
        found[file] = msgspec.structs.replace(layout, region=region)
    return found


def _check_paths(files: Sequence[Path], wanted: Wanted) -> None:
    if not files:
        raise InvalidInput("no file is named")
    read = [*files, *([wanted.model] if wanted.model else [])]
    tables = [one for one in (wanted.output, wanted.golden, wanted.review) if one]
    missing = [Fault("there is no such file", str(file)) for file in read if not file.is_file()]
    if missing:
        raise NotFound("a file is missing", missing)
    faults = people_files.path_faults(files, tables)
    models = [wanted.save_model] if wanted.save_model else []
    faults += people_files.write_faults([*files, *tables], models)
    stems = [file.stem for file in files]
    for stem in sorted({one for one in stems if stems.count(one) > 1}):
        faults.append(Fault("two files have this name", stem, "it names the source of their rows"))
    if wanted.engine != _SPARK and (fault := engine_fault(wanted.engine)):
        hint = "duckdb, spark, or Spark by its URL, such as sc://host:15002"
        faults.append(Fault(fault, "engine", hint))
    if faults:
        raise InvalidInput("this cannot be done", faults)


def _rows(engine: DuckEngine, files: Sequence[Path], layouts: Mapping[Path, Layout]) -> None:
    """Make the table `rows_of`: all rows as they are written, with their profile."""
    parts, first = [], 0
    for place, file in enumerate(files):
        headers = layouts[file].columns
        names = _names(layouts[file], len(files) > 1)
        chosen = ", ".join(
            f"{quoted_sql(header)} AS {quoted_sql(names[header])}" for header in headers
        )
        source = literal_sql(file.stem)
        told = f"{source} AS file, " if len(files) > 1 else ""
        parts.append(
            f"SELECT row_number() OVER () - 1 + {first} AS record_id, {told}{chosen} FROM file_{place}"
        )
        (row,) = engine.rows("count", f"SELECT count(*) FROM file_{place}", {})
        first += int(row[0])
    engine.keep(
        "rows_of",
        "SELECT c.profile + 1 AS profile_id, w.* EXCLUDE (record_id), w.record_id AS _row"
        f" FROM ({' UNION ALL BY NAME '.join(parts)}) AS w"
        " JOIN clusters AS c ON w.record_id = c.record_id ORDER BY w.record_id",
    )


def _names(layout: Layout, by_role: bool) -> dict[str, str]:
    """What the columns are called in what is written: of several files by what they hold."""
    names: dict[str, str] = {}
    taken = {"profile_id", "row_count", "file", "_row", "record_id"}
    for header, role in layout.columns.items():
        name = role.replace(":", "_") if by_role and role != "ignore" else header
        while name in names.values() or name in taken:
            name += "_"
        names[header] = name
    return names


def _write(
    engine: DuckEngine, wanted: Wanted, found: _Found, layouts: Mapping[Path, Layout]
) -> Deduped:
    model = found.model
    if wanted.output:  # (the table is in the order of rows)
        write_file(engine, "SELECT * EXCLUDE (_row) FROM rows_of", wanted.output)
    if wanted.golden:
        write_file(engine, _golden(engine, layouts), wanted.golden)
    looked = f"SELECT * FROM scored WHERE weight < {model.merge} AND l <> r"
    if wanted.review:
        write_file(engine, _review(looked), wanted.review)
    (counts,) = engine.rows(
        "counts",
        # (a profile has the number of its first row)
        "SELECT count(*), count(*) FILTER (profile_id = _row + 1),"
        f" (SELECT count(*) FROM ({looked})) FROM rows_of",
        {},
    )
    rows, profiles, review = (int(count) for count in counts)
    quality = model.quality
    return Deduped(
        rows, profiles, rows - profiles, review, found.compared,
        quality.precision, quality.recall, quality.uncertainty,
        quality.precision_error, quality.recall_error, quality.blocking_recall, quality.blocking_error,
        model.version, {file.name: layout.columns for file, layout in layouts.items()},
    )  # fmt: skip


def _review(looked: str) -> str:
    """The pairs that a person should look at, best first, by the numbers of their rows."""
    first = "SELECT rid, min(record_id) + 1 AS number FROM rows GROUP BY rid"
    return (
        "SELECT a.number AS left_row, b.number AS right_row, p.weight,"
        " 1 / (1 + 2 ** -p.weight) AS probability"
        f" FROM ({looked}) AS p JOIN ({first}) AS a ON p.l = a.rid JOIN ({first}) AS b"
        " ON p.r = b.rid ORDER BY p.weight DESC, left_row, right_row"
    )


def _golden(engine: DuckEngine, layouts: Mapping[Path, Layout]) -> str:
    roles = {
        _names(layout, len(layouts) > 1)[header]: role
        for layout in layouts.values()
        for header, role in layout.columns.items()
    }
    return golden_of(engine, roles)


def golden_of(engine: DuckEngine, roles: Mapping[str, str]) -> str:
    """The query of one golden row for each `profile_id` of the table `rows_of`, whose columns have roles."""
    described = engine.rows("columns", "DESCRIBE rows_of", {})
    kinds = {str(row[0]): str(row[1]) for row in described}
    columns = {name: kinds[name] for name in kinds if name not in ("profile_id", "_row", "file")}
    groups: dict[str, list[str]] = {}
    for name in columns:
        role = roles[name].split(":")[0]
        group = "address" if role in _TOGETHER else "birth" if role in _BORN else f"own {name}"
        groups.setdefault(group, []).append(name)
    engine.keep("several", "SELECT profile_id FROM rows_of GROUP BY profile_id HAVING count(*) > 1")
    return golden_query(list(groups.values()), columns)
