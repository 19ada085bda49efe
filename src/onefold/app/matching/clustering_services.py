"""Finding the people in records or a file that are handed in over the API; nothing else is kept of them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from onefold.app.job_kinds import DEDUPE
from onefold.app.long_work import Work
from onefold.app.matching.clustering_answers import ClusteredRecords
from onefold.app.matching.dedupe import Deduped, Wanted, dedupe
from onefold.app.people.answers import Records
from onefold.app.profiles.uploads import MADE_DAYS, Spool, made_file
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound, OnefoldError
from onefold.model.job import Job
from onefold.standardize.people.records import as_text

Which = Literal["clusters", "golden"]

_PARQUET = b"PAR1"
_MOST_NAME_BYTES = 200


class _Argument(msgspec.Struct, frozen=True):
    """The job's file, what its owner calls it, and how it is to be read and written."""

    file: str
    form: str
    name: str = ""
    columns: dict[str, str] = {}
    region: str | None = None
    model: str = ""


def cluster_records(settings: Settings, given: Records, model: str = "") -> ClusteredRecords:
    """Find the people in records; a model of this version decides, else one learned from these records."""
    with tempfile.TemporaryDirectory(prefix="onefold-", dir=settings.data) as folder:
        file, out, golden = (
            Path(folder) / f"{name}.parquet" for name in ("records", "out", "golden")
        )
        headers = dict.fromkeys(header for record in given.records for header in record)
        if not headers:
            raise InvalidInput("there is nothing in these records", [Fault("is empty", "records")])
        texts = {
            header: pa.array(
                [as_text(one.get(header)) or None for one in given.records], pa.string()
            )
            for header in headers
        }
        pq.write_table(pa.table(texts), file)
        wanted = Wanted(
            out,
            golden,
            model=_model(settings, model, Path(folder)),
            columns=given.columns,
            region=given.region,
        )
        found = dedupe([file], wanted)
        profiles = pq.read_table(out)["profile_id"].to_pylist()
        rows = pq.read_table(golden).to_pylist()
    return ClusteredRecords(
        next(iter(found.columns.values())),
        tuple(profiles),
        tuple({name: value for name, value in row.items() if value is not None} for row in rows),
        found.expected_precision,
        found.expected_recall,
        found.model_version,
    )


def dedupe_upload(
    settings: Settings,
    spool: Spool,
    columns: Mapping[str, str],
    *,
    name: str = "file",
    region: str | None = None,
    model: str = "",
    actor: str = "cli",
) -> Job:
    """Have a job find the people in a file that was received: CSV, or Parquet as it says of itself.

    By its `name` the answer, its errors and `FILE:HEADER` in `columns` know it.
    """
    if fault := _name_fault(name):
        spool.drop()
        raise InvalidInput("the file cannot be taken", [fault])
    path = spool.close()
    with path.open("rb") as file:
        form = "parquet" if file.read(len(_PARQUET)) == _PARQUET else "csv"
    kept = path.with_suffix(f".{form}")
    path.rename(kept)
    try:
        with open_store(settings, cache_mb=4) as store:
            if model and store.matches.model(model) is None:
                raise NotFound(f"there is no match model {model}")
            called = _with_suffix(name, form)
            argument = _Argument(kept.name, form, called, dict(columns), region, model)
            told = msgspec.to_builtins(argument)
            return store.jobs.get(store.jobs.add(DEDUPE, called, told, now_us(), actor))
    except BaseException:
        kept.unlink(missing_ok=True)
        raise


def _name_fault(name: str) -> Fault | None:
    spelled = name.strip(". ") and name.isprintable() and not {"/", "\\"} & {*name}
    if spelled and len(name.encode()) <= _MOST_NAME_BYTES:
        return None
    hint = f"a name without directories, at most {_MOST_NAME_BYTES} bytes long: customers.csv"
    return Fault("is no name of a file", "name", hint)


def _with_suffix(name: str, form: str) -> str:
    """The name with a suffix that says what the file is, whatever it was called."""
    fits = (".parquet",) if form == "parquet" else (".csv", ".tsv", ".txt")
    return name if Path(name).suffix.lower() in fits else f"{name}.{form}"


def dedupe_for_job(settings: Settings, work: Work) -> Deduped:
    """The job."""
    argument = msgspec.convert(work.job.argument, _Argument)
    folder = settings.data / "uploads"
    file = folder / argument.file
    with tempfile.TemporaryDirectory(prefix="onefold-", dir=settings.data) as spare:
        wanted = Wanted(
            made_file(settings, work.job.id, "clusters", argument.form),
            made_file(settings, work.job.id, "golden", argument.form),
            model=_model(settings, argument.model, Path(spare)),
            columns=argument.columns,
            region=argument.region,
        )
        # A job that an older version put there knows no name.
        called = Path(spare) / (argument.name or argument.file)
        called.symlink_to(file.absolute())
        try:
            found = dedupe([called], wanted, work.progress)
        except OnefoldError:
            file.unlink(missing_ok=True)
            raise
    file.unlink(missing_ok=True)
    return found


def dedupe_file(settings: Settings, job: int, which: Which) -> Path:
    """The file that a job made."""
    with open_store(settings, cache_mb=4) as store:
        found = store.jobs.get(job)
    if found.kind != DEDUPE or found.state != "done":
        raise NotFound(f"job {job} has made no such file, or not yet")
    path = made_file(settings, job, which, msgspec.convert(found.argument, _Argument).form)
    if not path.is_file():
        raise NotFound(f"what job {job} made was kept for {MADE_DAYS} days, and is gone")
    return path


def _model(settings: Settings, version: str, folder: Path) -> Path | None:
    if not version:
        return None
    with open_store(settings, cache_mb=4) as store:
        stored = store.matches.model(version)
    if stored is None:
        raise NotFound(f"there is no match model {version}")
    path = folder / "model.json"
    path.write_bytes(stored.body)
    return path
