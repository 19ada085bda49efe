"""Files in, people out: every row with its profile, and one golden row for each profile."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from sqlglot import exp

from onefold.app import match_training, matching
from onefold.app.people import standardize_table
from onefold.engine.duck import DuckEngine
from onefold.model.errors import Damaged, Fault, InvalidInput, NotFound
from onefold.model.matching import MatchModel, decode_model, encode_model
from onefold.standardize.people.recognition import SAMPLE, recognize
from onefold.standardize.people.roles import ROLES, SEVERAL, Layout
from onefold.unify.file_golden import golden_query

_TOGETHER = ("address", "address_more", "house_number", "unit", "po_box", "city", "district",
             "state", "postcode", "country")  # fmt: skip
_BORN = ("birth_year", "birth_month", "birth_day")


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
    blocking_recall: float
    model_version: str
    columns: dict[str, dict[str, str]]


def dedupe(files: Sequence[Path], wanted: Wanted) -> Deduped:
    """Find the people in the rows of one or several files, and write what is wanted."""
    _check_paths(files, wanted)
    with tempfile.TemporaryDirectory(prefix="onefold-") as spill:
        engine = DuckEngine(threads=os.cpu_count() or 1, memory_mb=_memory(), spill=Path(spill))
        try:
            return _dedupe(engine, files, wanted)
        finally:
            engine.close()


def _memory() -> int:
    """Half of what the machine has, in MB."""
    return max(1024, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (2 << 20))


def _dedupe(engine: DuckEngine, files: Sequence[Path], wanted: Wanted) -> Deduped:
    layouts = {}
    first = 0
    for place, file in enumerate(files):
        _read(engine, file, f"file_{place}")
        layouts[file] = _layout(engine, file, f"file_{place}", wanted)
        source = file.stem if len(files) > 1 else ""
        into = f"people_{place}"
        first += standardize_table(
            engine, f"file_{place}", layouts[file], into=into, source=source, first_id=first
        )
    every = " UNION ALL ".join(f"SELECT * FROM people_{place}" for place in range(len(files)))
    engine.view("people", every)
    model = decode_model(wanted.model.read_bytes()) if wanted.model else None
    plan = matching.prepare(engine, model=model)
    matching.block(engine, plan)
    matching.compare(engine, plan)
    if model is None:
        model = match_training.learn(engine, plan, link_only=wanted.link_only)
    matching.score(engine, plan, model)
    matching.cluster(engine, plan, model)
    if wanted.save_model:
        wanted.save_model.write_bytes(encode_model(model))
    _rows(engine, files, layouts)
    return _write(engine, wanted, model, layouts)


def _check_paths(files: Sequence[Path], wanted: Wanted) -> None:
    faults = [Fault("there is no such file", str(file)) for file in files if not file.is_file()]
    if wanted.model and not wanted.model.is_file():
        faults.append(Fault("there is no such file", str(wanted.model)))
    if faults:
        raise NotFound("a file is missing", faults)
    written = [wanted.output, wanted.golden, wanted.review]
    for path in [*files, *(one for one in written if one)]:
        if path.suffix.lower() not in (".csv", ".parquet"):
            faults.append(Fault("neither .csv nor .parquet", str(path)))
    for path in (one for one in [*written, wanted.save_model] if one):
        if path.resolve() in {file.resolve() for file in files}:
            faults.append(Fault("a file that is read cannot be written", str(path)))
        elif not path.parent.is_dir():
            faults.append(Fault("there is no such directory", str(path.parent)))
    stems = [file.stem for file in files]
    for stem in sorted({one for one in stems if stems.count(one) > 1}):
        faults.append(Fault("two files have this name", stem, "it names the source of their rows"))
    if faults:
        raise InvalidInput("this cannot be done", faults)


def _read(engine: DuckEngine, file: Path, table: str) -> None:
    path = exp.Literal.string(str(file)).sql("duckdb")
    source = (
        f"read_parquet({path})"
        if file.suffix.lower() == ".parquet"
        else f"read_csv({path}, header = true, all_varchar = true, null_padding = true)"
    )
    try:
        count = engine.keep(table, f"SELECT * FROM {source}")
    except Damaged as error:
        reason = str(error).split("\n", 1)[0].partition(": ")[2]
        raise InvalidInput(f"{file} cannot be read", [Fault(reason)]) from error
    if not count:
        raise InvalidInput(f"{file} has no rows")


def _layout(engine: DuckEngine, file: Path, table: str, wanted: Wanted) -> Layout:
    """Which columns hold what: as told, else as it is recognized."""
    seen = engine.arrow("sample", f"SELECT * FROM {table} LIMIT {SAMPLE}").to_pydict()
    guesses = recognize(seen)
    faults: list[Fault] = []
    found: dict[str, str] = {}
    told = {
        header: role
        for header in seen
        if (role := wanted.columns.get(f"{file.stem}:{header}", wanted.columns.get(header)))
    }
    for header in seen:
        role = told.get(header) or guesses[header].role
        if header not in told and role not in SEVERAL and role in told.values():
            role = "ignore"
        if role.split(":")[0] not in ROLES:
            faults.append(Fault(f"there is no role {role!r}", header, f"one of {', '.join(ROLES)}"))
        elif role not in SEVERAL and role.split(":")[0] not in SEVERAL and role in found.values():
            faults.append(Fault(f"two columns are {role}", header))
        found[header] = role
    if len(wanted.columns) and not any(role != "ignore" for role in found.values()):
        faults.append(Fault("none of the named columns is in the file", str(file)))
    if all(role in ("ignore", "source") for role in found.values()):
        hint = "say what they hold: --column HEADER=ROLE"
        faults.append(Fault(f"no column of {file.name} says who a row is about", hint=hint))
    if faults:
        raise InvalidInput("the columns are not clear", faults)
    return Layout(found, region=wanted.region)


def _rows(engine: DuckEngine, files: Sequence[Path], layouts: Mapping[Path, Layout]) -> None:
    """Make the table `rows_of`: all rows as they are written, with their profile."""
    parts, first = [], 0
    for place, file in enumerate(files):
        headers = layouts[file].columns
        names = _names(layouts[file], len(files) > 1)
        chosen = ", ".join(f"{_quoted(header)} AS {_quoted(names[header])}" for header in headers)
        source = exp.Literal.string(file.stem).sql("duckdb")
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
    engine.keep("several", "SELECT profile_id FROM rows_of GROUP BY profile_id HAVING count(*) > 1")


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
    engine: DuckEngine, wanted: Wanted, model: MatchModel, layouts: Mapping[Path, Layout]
) -> Deduped:
    if wanted.output:
        _copy(engine, "SELECT * EXCLUDE (_row) FROM rows_of ORDER BY _row", wanted.output)
    if wanted.golden:
        _copy(engine, _golden(engine, layouts), wanted.golden)
    looked = f"SELECT * FROM scored WHERE weight < {model.merge} AND l <> r"
    if wanted.review:
        _copy(engine, _review(looked), wanted.review)
    (counts,) = engine.rows(
        "counts",
        "SELECT count(*), count(DISTINCT profile_id), (SELECT count(*) FROM compared),"
        f" (SELECT count(*) FROM ({looked})) FROM rows_of",
        {},
    )
    rows, profiles, pairs, review = (int(count) for count in counts)
    quality = model.quality
    return Deduped(
        rows, profiles, rows - profiles, review, pairs,
        quality.precision, quality.recall, quality.uncertainty, quality.blocking_recall,
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
    described = engine.rows("columns", "DESCRIBE rows_of", {})
    kinds = {str(row[0]): str(row[1]) for row in described}
    columns = {name: kinds[name] for name in kinds if name not in ("profile_id", "_row", "file")}
    groups: dict[str, list[str]] = {}
    roles = {
        _names(layout, len(layouts) > 1)[header]: role
        for layout in layouts.values()
        for header, role in layout.columns.items()
    }
    for name in columns:
        role = roles[name].split(":")[0]
        group = "address" if role in _TOGETHER else "birth" if role in _BORN else f"own {name}"
        groups.setdefault(group, []).append(name)
    return golden_query(list(groups.values()), columns)


def _copy(engine: DuckEngine, query: str, path: Path) -> None:
    if path.suffix.lower() == ".parquet":
        engine.write(query, path, 122_880)
        return
    found = engine.arrow("write", query)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(found.column_names)
        for batch in found.to_batches(max_chunksize=65_536):
            writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _quoted(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql("duckdb")
