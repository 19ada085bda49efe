"""Files in a place: a folder, SFTP, HTTP, S3, Google's or Azure's storage; each new one is read once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from onefold.collect.addresses import Reach
from onefold.collect.sources.files.file_systems import LOCAL, answering, open_place
from onefold.collect.sources.files.formats import format_of, read_file, settings_of
from onefold.collect.sources.files.object_stores import STORES
from onefold.collect.sources.files.unpacking import members
from onefold.model.errors import Fault, InvalidInput, TooLarge
from onefold.model.pulled import Batch, Position, Unreadable

_PIECE = 1 << 20
_MARKS = (("mtime", "LastModified", "last_modified", "updated"), ("ETag", "etag"))


class FilesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where files lie (`location`, with `*`: `sftp://host/in/*.csv.gz`), and how they are read.

    A file is new by its `name`, by its `time` and size, or by its `content`. `after` says what becomes of
    it once everything in it is durable; `archive` is the folder that it is moved to. `access` is what the
    place asks for (`username`, `password`, `key`, `secret` …). `format` and `options` are found out.
    """

    location: str
    format: str = ""
    options: dict[str, Any] = {}
    new_by: Literal["name", "time", "content"] = "time"
    after: Literal["keep", "archive", "delete"] = "keep"
    archive: str = ""
    access: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if self.after == "archive" and not self.archive:
            raise ValueError("say to which folder files are moved: archive")


class Found(NamedTuple):
    """A file of the place, and what tells it from another of its name."""

    path: str
    mark: str


class FilesSource:
    """All files of a place that were not read before, one after the other."""

    def __init__(self, settings: FilesSettings, reach: Reach | None = None) -> None:
        self._settings = settings
        self._parts = urlsplit(settings.location)
        self._fs, self._path = open_place(settings.location, settings.access, reach or Reach())
        self._finished: list[str] = []

    def batches(self, position: Position | None) -> Iterator[Batch]:
        """The records of each new file; one that cannot be read is told, and the next one read."""
        begun = position or {}
        done: dict[str, str] = dict(begun.get("done", {}))
        there = self._there()
        # What a crash kept from being moved away is moved now.
        self._finished = [one.path for one in there if done.get(one.path) == one.mark]
        self._put_away()
        done = {name: mark for name, mark in done.items() if any(name == one.path for one in there)}
        for one in there:
            if one.path in done and (self._settings.new_by == "name" or done[one.path] == one.mark):
                continue
            at = begun.get("at") if begun.get("file") == list(one) else None
            for batch in self._read(one, at):
                told = {"done": done, "file": list(one), "at": batch.position}
                yield Batch(batch.records, told, batch.unreadable, batch.total)
            done = {**done, one.path: one.mark}
            self._finished.append(one.path)
            yield Batch([], {"done": done})

    def stored(self, position: Position) -> None:
        """Files that are read to their end and durable may be put away."""
        done = position.get("done", {})
        self._finished = [one for one in self._finished if one in done]
        if "file" not in position:
            self._put_away()

    def close(self) -> None:
        """Nothing stays open between files."""

    def _there(self) -> list[Found]:
        """The files of the place in the order of their names."""
        told: Mapping[str, Mapping[str, Any]] = {}
        with answering(self._path), suppress(FileNotFoundError):
            told = self._fs.glob(self._path, detail=True)
            if not told and not _is_pattern(self._path):
                told = {self._path: self._fs.info(self._path)}
        if not told and self._parts.scheme in STORES:
            self._check_bucket()
        files = [(name, one) for name, one in told.items() if one.get("type") != "directory"]
        return [Found(name, self._mark(name, one)) for name, one in sorted(files)]

    def _check_bucket(self) -> None:
        """Raise if there is none of this name, which looks like one without such files."""
        bucket = self._path.partition("/")[0]
        try:
            with answering(bucket):
                self._fs.ls(bucket)
        except FileNotFoundError:
            fault = Fault(f"there is no bucket {bucket!r}", "location")
            raise InvalidInput("the place cannot be used", [fault]) from None

    def _mark(self, name: str, told: Mapping[str, Any]) -> str:
        if self._settings.new_by == "name":
            return ""
        if self._settings.new_by == "time":
            found = [next((told[one] for one in some if told.get(one)), "") for some in _MARKS]
            return " ".join([str(told.get("size")), *map(str, filter(None, found))])
        digest = blake2b(digest_size=16)
        with answering(name), self._fs.open(name, "rb") as source:
            while piece := source.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def _read(self, one: Found, at: Any) -> Iterator[Batch]:
        start = at or {"member": 0}
        name = PurePosixPath(one.path).name or "file"
        with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
            try:
                file = self._brought(one.path, Path(folder) / name)
                (Path(folder) / "unpacked").mkdir()
                for number, member in enumerate(members(file, Path(folder) / "unpacked")):
                    if number < start["member"]:
                        continue
                    kind = self._settings.format or format_of(member.path)
                    settings = settings_of(kind, self._settings.options)
                    place = start.get("place") if number == start["member"] else None
                    for batch in read_file(member.path, kind, settings, place):
                        told = {"member": number, "place": batch.position}
                        yield Batch(batch.records, told, batch.unreadable, batch.total)
            except (InvalidInput, TooLarge) as error:
                reasons = tuple(map(str, error.faults)) or (error.message,)
                yield Batch([], start, (Unreadable(b"", name, "the file", reasons),))

    def _brought(self, path: str, target: Path) -> Path:
        """A copy on this machine: it can be read from any place, and a connection may break."""
        if self._parts.scheme in LOCAL:
            return Path(path)
        store = STORES.get(self._parts.scheme)
        with answering(path):
            self._fs.get_file(path, str(target), **(store.in_turn if store else {}))
        return target

    def _put_away(self) -> None:
        """Delete or move what is read."""
        for path in self._finished if self._settings.after != "keep" else ():
            with answering(path):
                if self._settings.after == "delete":
                    self._fs.rm_file(path)
                else:
                    folder = self._settings.archive.rstrip("/")
                    if self._parts.scheme not in STORES:  # which have no folders
                        self._fs.makedirs(folder, exist_ok=True)
                    self._fs.mv(path, f"{folder}/{PurePosixPath(path).name}")
        self._finished = []


def _is_pattern(path: str) -> bool:
    return any(one in path for one in "*?[")


def look_at_files(settings: FilesSettings, reach: Reach, most: int | None) -> FilesSource:
    """The same, and no file is deleted or moved."""
    return FilesSource(msgspec.structs.replace(settings, after="keep"), reach)
