"""Files in a place: a folder, SFTP, HTTP, S3, Google's or Azure's storage; each new one is read once."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from onefold.collect.addresses import Reach
from onefold.collect.sources.files.file_systems import LOCAL, answering, open_place
from onefold.collect.sources.files.object_stores import STORES
from onefold.collect.sources.files.packed import Way, read_members, told_as_lost
from onefold.model.errors import Fault, InvalidInput, TooLarge
from onefold.model.pulled import Batch, Position

_PIECE = 1 << 20
_TOGETHER, _ROWS = 32, 1_000
_UNREAD = " unread"
"""Stands behind the mark of a file that could not be read: it is told once."""
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
        scheme = urlsplit(self.location).scheme  # raises where the location is none
        if self.after != "keep" and scheme in ("http", "https"):
            raise ValueError(f"nothing can be moved or deleted behind a URL: after is {self.after}")


class Found(NamedTuple):
    """A file of the place, what tells it from another of its name, and what it looked like when listed."""

    path: str
    mark: str
    looks: str


class _Held:
    """Records of small files, given together: a position names all files, so each costs as much as they."""

    def __init__(self) -> None:
        self.files = 0
        self._batches: list[Batch] = []

    def add(self, batch: Batch) -> None:
        self._batches.append(batch)

    def is_enough(self) -> bool:
        """Are these so many that a crash should not repeat them?"""
        return sum(len(one.records) + len(one.unreadable) for one in self._batches) >= _ROWS

    def given(self, position: Position) -> Batch:
        """All that is held as one batch; then nothing is held any more."""
        found, self._batches, self.files = self._batches, [], 0
        if len(found) == 1:
            return msgspec.structs.replace(found[0], position=position)
        records = [record for one in found for record in one.records]
        unreadable = tuple(lost for one in found for lost in one.unreadable)
        return Batch(records, position, unreadable)


class FilesSource:
    """All files of a place that were not read before, one after the other."""

    def __init__(self, settings: FilesSettings, reach: Reach | None = None) -> None:
        self._settings = settings
        self._parts = urlsplit(settings.location)
        self._reach = reach or Reach()
        self._fs, self._path = open_place(settings.location, settings.access, self._reach)
        if settings.archive and self._parts.scheme in LOCAL:
            self._reach.check_file(self._fs._strip_protocol(settings.archive))
        self._finished: list[Found] = []
        self._unread: set[str] = set()

    def batches(self, position: Position | None) -> Iterator[Batch]:
        """The records of each new file; one that cannot be read is told, and the next one read."""
        begun = position or {}
        done: dict[str, str] = dict(begun.get("done", {}))
        there = self._there()
        # What a crash kept from being moved away is moved now.
        self._finished = [one for one in there if done.get(one.path) == one.mark]
        self._put_away()
        paths = {one.path for one in there}
        done = {name: mark for name, mark in done.items() if name in paths}
        held = _Held()
        for one in there:
            known = done.get(one.path)
            if known is not None and (
                self._settings.new_by == "name" or known in (one.mark, one.mark + _UNREAD)
            ):
                continue
            file = [one.path, one.mark]
            at = begun.get("at") if begun.get("file") == file else None
            for batch in self._read(one, at):
                held.add(batch)
                if held.is_enough():
                    yield held.given({"done": dict(done), "file": file, "at": batch.position})
            if one.path in self._unread:  # it stays where it is: who sent it may look at it
                done[one.path] = one.mark + _UNREAD
            else:
                done[one.path] = one.mark
                self._finished.append(one)
            held.files += 1
            if held.files >= _TOGETHER:
                yield held.given({"done": dict(done)})
        if held.files:
            yield held.given({"done": done})

    def stored(self, position: Position) -> None:
        """Files that are read to their end and durable may be put away."""
        done = position.get("done", {})
        self._finished = [one for one in self._finished if one.path in done]
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
        if not told and self._parts.scheme not in STORES:
            self._check_folder()
        folders = [name for name, one in told.items() if one.get("type") == "directory"]
        if folders and not _is_pattern(self._path):
            hint = f"say which of its files: {self._settings.location.rstrip('/')}/*"
            raise InvalidInput("the place cannot be used", [Fault("is a folder", "location", hint)])
        files = [(name, one) for name, one in told.items() if name not in folders]
        for name, _ in files if self._parts.scheme in LOCAL else ():
            self._reach.check_file(name)
        found = [Found(name, self._mark(name, one), _looks(one)) for name, one in sorted(files)]
        if self._settings.after == "archive":
            self._check_archive(found)
        return found

    def _check_folder(self) -> None:
        """Raise if there is no folder, which looks like one without such files."""
        folder = str(PurePosixPath(re.split(r"[*?\[]", self._path)[0] + "x").parent)
        with answering(folder):
            if not self._fs.exists(folder):
                fault = Fault(f"there is no folder {folder}", "location")
                raise InvalidInput("the place cannot be used", [fault])

    def _check_archive(self, found: list[Found]) -> None:
        """Raise if files that are moved away would be found again."""
        from fsspec.utils import glob_translate  # noqa: PLC0415 - only where files are moved

        pattern = re.compile(glob_translate(self._path))
        folder = self._fs._strip_protocol(self._settings.archive)
        if any(pattern.fullmatch(f"{folder}/{PurePosixPath(one.path).name}") for one in found):
            fault = Fault(
                f"{self._settings.archive} is among what `location` reads",
                "archive",
                "say another folder",
            )
            raise InvalidInput("the place cannot be used", [fault])

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
        if self._settings.new_by != "content":
            return " ".join(filter(None, _told(told)))
        digest = blake2b(digest_size=16)
        with answering(name), self._fs.open(name, "rb") as source:
            while piece := source.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def _read(self, one: Found, at: Any) -> Iterator[Batch]:
        name = self._name(one.path)
        self._unread.discard(one.path)
        with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
            try:
                file = self._brought(one.path, Path(folder) / name)
                yield from read_members(
                    file, Way(self._settings.format, self._settings.options), at
                )
            except (InvalidInput, TooLarge) as error:
                self._unread.add(one.path)
                yield Batch([], at or {"member": 0}, (told_as_lost(name, error),))
            except (FileNotFoundError, PermissionError) as error:
                self._unread.add(one.path)
                fault = InvalidInput(str(error), [Fault(f"cannot be opened: {error}", name)])
                yield Batch([], at or {"member": 0}, (told_as_lost(name, fault),))

    def _name(self, path: str) -> str:
        """What a file is called; of a URL, nothing that was asked with it."""
        if self._parts.scheme in ("http", "https"):
            path = unquote(urlsplit(path).path)
        return PurePosixPath(path).name or "file"

    def _brought(self, path: str, target: Path) -> Path:
        """A copy on this machine: it can be read from any place, and a connection may break."""
        if self._parts.scheme in LOCAL:
            return Path(path)  # which was judged as it was listed
        store = STORES.get(self._parts.scheme)
        with answering(path):
            self._fs.get_file(path, str(target), **(store.in_turn if store else {}))
        return target

    def _put_away(self) -> None:
        """Delete or move what is read."""
        for file in self._finished if self._settings.after != "keep" else ():
            with answering(file.path), suppress(FileNotFoundError):
                if _looks(self._fs.info(file.path)) != file.looks:
                    continue  # another file took its place, which nobody has read
                if self._settings.after == "delete":
                    self._fs.rm_file(file.path)
                else:
                    self._fs.mv(file.path, self._free_place(file.path))
        self._finished = []

    def _free_place(self, path: str) -> str:
        """Where in the archive a file may lie: earlier ones of its name stay."""
        folder = self._settings.archive.rstrip("/")
        if self._parts.scheme not in STORES:  # which have no folders
            self._fs.makedirs(folder, exist_ok=True)
        stem, dot, ends = PurePosixPath(path).name.partition(".")
        names = (
            f"{folder}/{stem}{f'-{number}' if number > 1 else ''}{dot}{ends}" for number in count(1)
        )
        return next(one for one in names if not self._fs.exists(one))


def _told(told: Mapping[str, Any]) -> tuple[str, ...]:
    """Size, time and, where the place has one, the tag of a file."""
    found = [next((told[one] for one in some if told.get(one)), "") for some in _MARKS]
    return str(told.get("size")), *map(str, found)


def _looks(told: Mapping[str, Any]) -> str:
    """What a file has as long as nobody writes it; a store tells times in its lists otherwise than of a file."""
    size, time, tag = _told(told)
    return f"{size} " + (tag.strip('"') or time)


def _is_pattern(path: str) -> bool:
    return any(one in path for one in "*?[")


def look_at_files(settings: FilesSettings, reach: Reach, most: int | None) -> FilesSource:
    """The same, and no file is deleted or moved."""
    return FilesSource(msgspec.structs.replace(settings, after="keep"), reach)
