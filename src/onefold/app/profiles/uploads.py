"""Files of identifiers: the list of a segment, or values of a tag. Each row becomes a claim.

A file is first kept whole, then taken into the log piece by piece by a job that goes on after a
crash: claims are known by file and row, so a repetition changes nothing. A list holds once all of
it is folded; until then the version before it holds too.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from onefold.app.in_force import load_definitions
from onefold.app.long_work import Work
from onefold.app.profiles.finding import identifier_of
from onefold.app.profiles.given import claims_record, tag_by_hand, tag_value
from onefold.app.profiles.identifier_files import Layout, Wanted, look_at, rows
from onefold.app.profiles.kinds import kind_given, strange_kind
from onefold.app.workspace import now_us, open_log, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound, TooLarge
from onefold.model.given import GivenClaim, list_trait, tag_trait
from onefold.store import SQLiteStore

LIST, IMPORT = "list", "import"
MOST_BYTES = 4 << 30
MADE_DAYS = 7
"""So long what a job made can be fetched."""
_DAY_US = 86_400_000_000
_WRITER = "given"
_CLAIMS_A_RECORD, _RECORDS_AT_ONCE = 500, 20


class Upload(msgspec.Struct, frozen=True):
    """A file that was taken: of which segment or tag, and the job that reads it."""

    name: str
    job: int
    bytes: int
    version: int = 0
    warnings: tuple[Fault, ...] = ()


class Loaded(msgspec.Struct, frozen=True):
    """What became of a file's rows: those that were taken, and those that name nobody or nothing."""

    rows: int
    refused: int


class _Source(msgspec.Struct, frozen=True):
    """Where the rows of a file come from and what they claim."""

    file: str
    kind: str
    by: str
    at: int
    id: str
    version: int = 0
    layout: Layout = Layout()


class Spool:
    """A file that is being received."""

    def __init__(self, settings: Settings) -> None:
        folder = settings.data / "uploads"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.path = folder / f"{uuid.uuid4().hex}.csv"
        self.bytes = 0
        self._file: IO[bytes] = self.path.open("xb")

    def write(self, piece: bytes) -> None:
        """The next bytes."""
        self.bytes += len(piece)
        if self.bytes > MOST_BYTES:
            raise TooLarge(f"the file is larger than {MOST_BYTES >> 30} GiB; split it")
        self._file.write(piece)

    def close(self) -> Path:
        """Return once it is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self.path

    def drop(self) -> None:
        """Forget it."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def received(settings: Settings, pieces: Iterable[bytes]) -> Spool:
    """Keep a file that comes in pieces."""
    spool = Spool(settings)
    try:
        for piece in pieces:
            spool.write(piece)
    except BaseException:
        spool.drop()
        raise
    return spool


def made_file(settings: Settings, job: int, which: str, form: str) -> Path:
    """Where a file lies that a job made of one that was received."""
    return settings.data / "uploads" / f"made-{job}-{which}.{form}"


def drop_made(settings: Settings, now: int) -> None:
    """Forget files that were made long ago."""
    for path in (settings.data / "uploads").glob("made-*"):
        if path.stat().st_mtime_ns // 1_000 < now - MADE_DAYS * _DAY_US:
            path.unlink(missing_ok=True)


def segment_upload(
    settings: Settings,
    name: str,
    spool: Spool,
    kind: str = "",
    *,
    column: str = "",
    encoding: str = "",
    actor: str = "cli",
) -> Upload:
    """Make a file the next version of a segment's list; a job reads it."""
    with _kept(settings, spool) as (path, store):
        definitions, _ = load_definitions(store)
        found = next((one for one in definitions.segments if one.name == name), None)
        if found is None:
            raise NotFound(f"there is no segment {name!r}; `onefold segment list` shows them")
        if not found.list:
            fault = Fault(f"{name} is made by a rule", "name", "write `list: email` instead")
            raise InvalidInput("the list cannot be taken", [fault])
        now, given = now_us(), kind or found.list
        kind = kind_given(given)
        layout = look_at(path, Wanted(given, column, encoding))
        warnings = _warnings(settings, store, kind, path, layout)
        version = store.given.add_list(name, kind, now, actor)
        source = _Source(path.name, kind, actor, now, f"list-{uuid.uuid4().hex}", version, layout)
        job = store.jobs.add(LIST, name, msgspec.to_builtins(source), now, actor)
    return Upload(name, job, spool.bytes, version, warnings)


def tag_import(
    settings: Settings,
    name: str,
    spool: Spool,
    kind: str,
    *,
    column: str = "",
    encoding: str = "",
    actor: str = "cli",
) -> Upload:
    """Give a tag to the identifiers of a file, each row with its value; a job reads it."""
    with _kept(settings, spool) as (path, store):
        tag_by_hand(store, name)
        now = now_us()
        layout = look_at(path, Wanted(kind, column, encoding, value=name))
        kind = kind_given(kind)
        warnings = _warnings(settings, store, kind, path, layout)
        source = _Source(path.name, kind, actor, now, f"import-{uuid.uuid4().hex}", layout=layout)
        job = store.jobs.add(IMPORT, name, msgspec.to_builtins(source), now, actor)
    return Upload(name, job, spool.bytes, warnings=warnings)


def _warnings(
    settings: Settings, store: SQLiteStore, kind: str, path: Path, layout: Layout
) -> tuple[Fault, ...]:
    values = (value for _, value, _ in rows(path, layout))
    return strange_kind(store, kind, values, settings.default_country)


@contextmanager
def _kept(settings: Settings, spool: Spool) -> Iterator[tuple[Path, SQLiteStore]]:
    """A file that has been received, and the store; the file goes again where it is refused."""
    path = spool.close()
    try:
        with open_store(settings, cache_mb=4) as store:
            yield path, store
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def load(settings: Settings, work: Work) -> Loaded:
    """Do the job of an upload."""
    source = msgspec.convert(work.job.argument, _Source)
    name = work.job.subject
    path = settings.data / "uploads" / source.file
    with open_store(settings, cache_mb=4) as store:
        if work.job.kind == LIST:
            trait, holds = list_trait(name), {"version": source.version}
            loaded, partition, behind = _load(
                settings, store, work, path, source, trait, lambda _: holds
            )
            store.given.list_loaded(
                name, source.version, loaded.rows, loaded.refused, partition, behind
            )
        else:
            values = set(tag_by_hand(store, name).values)

            def value_of(value: str) -> dict[str, object] | None:
                value = value.strip()
                return tag_value(value, source.at) if value in values else None

            loaded, _, _ = _load(settings, store, work, path, source, tag_trait(name), value_of)
    path.unlink(missing_ok=True)
    return loaded


def _load(
    settings: Settings,
    store: SQLiteStore,
    work: Work,
    path: Path,
    source: _Source,
    trait: str,
    value_of: Callable[[str], dict[str, Any] | None],
) -> tuple[Loaded, str, int]:
    """Append a claim for each row; give what there was, and where the log ends now."""
    first, taken, refused = work.position or (0, 0, 0)
    log = open_log(settings, store, _WRITER)
    try:
        claims: list[GivenClaim] = []
        number = 0
        for number, who, beside in rows(path, source.layout):
            if number <= first:
                continue
            identifier = identifier_of(source.kind, who, settings.default_country)
            value = value_of(beside)
            if identifier is None or value is None:
                refused += 1
            else:
                taken += 1
                id_ = f"{source.id}-{number}"
                claims.append(GivenClaim(id_, source.at, *identifier, {trait: value}, source.by))
            if len(claims) == _CLAIMS_A_RECORD * _RECORDS_AT_ONCE:
                _append(log, claims, source.at)
                claims = []
                work.keep((number, taken, refused))
                work.progress(number, 0, "rows taken")
        _append(log, claims, source.at)
        if refused and not taken:
            path.unlink()
            raise InvalidInput(
                f"none of {refused} rows has {_what(source)}; nothing was changed. Name the column"
            )
        partition = log.writer or ""
        return Loaded(taken, refused), partition, log.ends().get(partition, 0)
    finally:
        log.close()


def _what(source: _Source) -> str:
    """What a row has to have."""
    found = f"an identifier of the kind {source.kind!r} in column {source.layout.column + 1}"
    beside = f" and a value of the tag in column {source.layout.value + 1}"
    return found if source.version else found + beside


def _append(log: Any, claims: list[GivenClaim], at: int) -> None:
    pieces = range(0, len(claims), _CLAIMS_A_RECORD)
    if records := [claims_record(claims[one : one + _CLAIMS_A_RECORD], at) for one in pieces]:
        log.append(records)
