"""Preparing the next batch in a process of its own while the worker folds one.

What a batch needs no store for is a pure function of the log (`pipeline.prepare`), so another core
can make it. It pays only while the log holds more than the worker takes at once; without that, and
whenever the process cannot help, the worker prepares its batches itself, with the same outcome.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import pyarrow as pa
import structlog

from onefold.app.lines import as_line, from_line
from onefold.config import Settings
from onefold.eventlog import EventLog, LogRecord
from onefold.lake import to_ipc
from onefold.model.loads import LoadCount
from onefold.model.mapping import RECORDS
from onefold.model.plans import Violation
from onefold.model.profile import NodeId
from onefold.model.records import Event, Identifier, Reject
from onefold.pipeline import Arrivals, GroupCall, Prepared, Visit, identifiers_of
from onefold.pipeline.increments import Increments

_PROGRAM = (sys.executable, "-P", "-m", "onefold.app.worker.reading")
_NODE = 16
_LEAST, _MOST, _SOME = 8 << 20, 128 << 20, 4 << 20
_OF_RECORDS = 1 << 20
# How the kind of a call stands behind source and time, where it is this one.
_RECORDS, _BEGINNING = msgspec.msgpack.encode(RECORDS), 300
log = structlog.get_logger(__name__)


class Ask(msgspec.Struct, frozen=True):
    """What is to be prepared: whatever the log holds behind these positions; `newcomers` if most people
    in it are probably new, so that it pays to make them ready.
    """

    settings: Settings
    positions: dict[str, int]
    newcomers: bool


class Head(msgspec.Struct, frozen=True):
    """What stands before the parts of a prepared batch: by which definitions, how large each is."""

    version: int = -1
    sizes: tuple[int, ...] = ()
    large: bool = False
    damaged: int = 0


def batch_bytes(settings: Settings) -> int:
    """Most bytes of the log in one batch.

    With a backlog, the more events a batch holds, the more of them share a profile; of each byte about
    thirty are needed while it is folded.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return settings.batch_size or max(_LEAST, min(_MOST, memory // 200))


class Taken(NamedTuple):
    """What is folded at once; `large` if the next, prepared meanwhile, will be a good one too."""

    records: list[LogRecord]
    large: bool

    @property
    def size(self) -> int:
        return sum(len(one.payload) for one in self.records)


def take(log: EventLog, positions: Mapping[str, int], settings: Settings) -> Taken:
    """What the log holds behind these positions, as much as is folded at once.

    Records of sources and files are larger once they are folded than events of the web, and no faster in
    large batches: of them it is little at once, so that memory does not grow with what waits.
    """
    little = settings.batch_size or _OF_RECORDS
    some = log.read(positions, settings.batch_records, little)
    size = sum(len(one.payload) for one in some)
    if any(map(_holds_records, some)):
        return Taken(some, size >= little // 2)
    if not settings.batch_size and size >= little // 2:
        found = log.read(positions, settings.batch_records, batch_bytes(settings))
        end = next((at for at, one in enumerate(found) if _holds_records(one)), len(found))
        some = found[:end] or some
        size = sum(len(one.payload) for one in some)
    most = batch_bytes(settings)
    return Taken(some, len(some) > settings.batch_records // 4 or size >= min(_SOME, most // 4))


def _holds_records(record: LogRecord) -> bool:
    return _RECORDS in record.payload[:_BEGINNING]


class _Rest(msgspec.Struct, array_like=True):
    """What of a prepared batch needs no form of its own; `telling` says how many events are."""

    telling: int
    rejects: list[Reject]
    positions: dict[str, int]
    keys: list[tuple[int, int]]
    repeats: int
    joining: list[GroupCall]
    violations: list[Violation]
    loads: list[LoadCount]
    echoes: int
    arrivals: Arrivals | None


class Ahead(msgspec.Struct):
    """A batch prepared ahead; `large` if it is worth to ask for the next."""

    prepared: Prepared
    large: bool


_encode = msgspec.msgpack.Encoder().encode
_visits = msgspec.msgpack.Decoder(list[Visit]).decode
_events = msgspec.msgpack.Decoder(list[Event]).decode
_rest = msgspec.msgpack.Decoder(_Rest).decode
_counted = msgspec.msgpack.Decoder(Increments | None).decode


def parts_of(given: Prepared) -> list[bytes]:
    """A prepared batch as bytes."""
    whole = [*given.telling, *given.claims]
    nodes = b"".join([given.ids[one] for one in identifiers_of(whole)])
    for event in whole:
        event.properties = event.context = ""  # they are in the rows
    rest = _Rest(
        len(given.telling),
        list(given.rejects),
        dict(given.positions),
        list(given.keys),
        given.repeats,
        list(given.joining),
        list(given.violations),
        list(given.loads),
        given.echoes,
        given.arrivals,
    )
    described = map(_encode, (given.visits, whole, rest, given.counted))
    return [*described, nodes, to_ipc(given.rows)]


def prepared_from(parts: list[bytes]) -> Prepared:
    """The prepared batch in these bytes."""
    visits, events, others, counted, nodes, rows = parts
    whole, rest = _events(events), _rest(others)
    return Prepared(
        _visits(visits),
        whole[: rest.telling],
        whole[rest.telling :],
        _ids(whole, nodes),
        rest.rejects,
        rest.positions,
        rest.keys,
        pa.ipc.open_stream(rows).read_all(),
        rest.repeats,
        _counted(counted),
        rest.joining,
        rest.violations,
        rest.loads,
        rest.echoes,
        rest.arrivals,
    )


def _ids(events: list[Event], nodes: bytes) -> dict[Identifier, NodeId]:
    each = (nodes[start : start + _NODE] for start in range(0, len(nodes), _NODE))
    return dict(zip(identifiers_of(events), each, strict=True))


class ReadAhead:
    """Asks for one batch at a time. The process is started by the first request, ends when idle."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: dict[str, int] | None = None
        self.damaged = 0

    def ask(self, positions: Mapping[str, int], *, newcomers: bool) -> None:
        """Have the batch behind these positions prepared, unless another is waited for; most people in it
        are probably `newcomers` or not.
        """
        if self._asked is not None:
            return
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(  # noqa: S603
                _PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        self._asked = dict(positions)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(as_line(Ask(self._settings, self._asked, newcomers)))
            self._process.stdin.flush()
        except BrokenPipeError:
            self._asked = None

    def take(self, positions: Mapping[str, int], version: int) -> Ahead | None:
        """The batch asked for, if it begins here and was made by these definitions; waits for it."""
        if self._asked is None:
            return None
        asked, self._asked = self._asked, None
        found = self._receive()
        if found is None:
            log.warning("read_ahead_ended")
            self.close()
            return None
        head, parts = found
        self.damaged = max(self.damaged, head.damaged)
        if asked != positions or head.version != version:
            return None
        return Ahead(prepared_from(parts), head.large)

    def close(self) -> None:
        """End the process, whatever it does."""
        self._asked = None
        if self._process is not None:
            with self._process as process:
                process.kill()
            self._process = None

    def _receive(self) -> tuple[Head, list[bytes]] | None:
        """What the process answers; None if it ended instead."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            return None
        head = from_line(line, Head)
        parts = [self._process.stdout.read(size) for size in head.sizes]
        whole = all(len(part) == size for part, size in zip(parts, head.sizes, strict=True))
        return (head, parts) if whole else None
