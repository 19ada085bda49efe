"""The distinct values of a column, read one by one: of many by several processes at once.

Reading is Python, so one process would leave all other processors idle. Those that help are started when a large file
is opened, and are ready when its values are.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, NamedTuple, Self

import pyarrow as pa

from onefold.model.errors import Damaged
from onefold.standardize.people import assembly, plain_addresses
from onefold.standardize.people.emails import mend_domain
from onefold.standardize.people.parts import READERS, identifier
from onefold.standardize.people.roles import Layout

LARGE_FILE = 20 << 20
"""Files of so many bytes together have enough values for several processes."""
_MOST_PROCESSES = 8
_LEAST = 4_000
_ARROW = {
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
    "DATE": pa.date32(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
}


class Reading(NamedTuple):
    """How values are read: by what, and into which parts."""

    by: str
    name: str
    """The role, or the kind of an identifier."""
    parts: Mapping[str, str]
    layout: Layout
    key: str = "text"


_BY: Mapping[str, Callable[[str, Reading], tuple[Any, ...] | None]] = {
    "role": lambda value, how: READERS[how.name].read(value, how.layout),
    "identifier": lambda value, how: (identifier(value, how.name),),
    "domain": lambda value, how: (mend_domain(value),),
    "rest": lambda value, how: plain_addresses.read_rest(value),
    "given": lambda value, how: assembly.given_facts(value),
    "family": lambda value, how: assembly.family_facts(value),
}


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Tuples of texts have none; looking for some again and again takes a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_values(how: Reading, values: Sequence[str]) -> pa.Table:
    """A table of values with what is read of each; those of which nothing can be read are left out."""
    read = _BY[how.by]
    with _no_search_for_cycles():
        found = [read(value, how) for value in values]
    if None in found:
        values = [value for value, parts in zip(values, found, strict=True) if parts is not None]
    columns: Iterable[Any] = zip(*(each for each in found if each is not None), strict=True)
    columns = columns if values else [() for _ in how.parts]
    arrays = {
        name: pa.array(column, _ARROW[kind])
        for (name, kind), column in zip(how.parts.items(), columns, strict=True)
    }
    return pa.table({how.key: pa.array(values, pa.string()), **arrays})


class ValueReader:
    """Reads values with so many processes beside this one; `close` ends them."""

    def __init__(self, others: int = 0, least: int = _LEAST) -> None:
        command = [sys.executable, "-m", "onefold.app.people.values"]
        # In a session of their own: what breaks this process off does not make them complain.
        self._others = [
            subprocess.Popen(  # noqa: S603 - ourselves
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
            for _ in range(others)
        ]
        self._least = least

    @classmethod
    def for_bytes(cls, size: int) -> ValueReader:
        """One that fits files of so many bytes."""
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        return cls(min(processors, _MOST_PROCESSES) - 1 if size >= LARGE_FILE else 0)

    def read(self, how: Reading, values: Sequence[str]) -> pa.Table:
        """What `read_values` gives."""
        if not self._others or len(values) < self._least:
            return read_values(how, values)
        size = -(-len(values) // (len(self._others) + 1))
        mine, *theirs = [values[at : at + size] for at in range(0, len(values), size)]
        asked = list(zip(self._others, theirs, strict=False))
        try:
            for other, some in asked:
                pickle.dump((how, some), _pipe(other.stdin))
                _pipe(other.stdin).flush()
            found = [read_values(how, mine)]
            # What was started here is believed.
            found += [pickle.load(_pipe(other.stdout)) for other, _ in asked]  # noqa: S301
        except (EOFError, BrokenPipeError) as error:
            raise Damaged("a process that reads values has ended before it was done") from error
        return pa.concat_tables(found)

    def close(self) -> None:
        """End the processes, which have nothing to keep: to tidy up takes them a quarter of a second."""
        for other in self._others:
            other.kill()
            _pipe(other.stdin).close()
            _pipe(other.stdout).close()
        for other in self._others:
            other.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "both ends are pipes"
    return pipe


def _help() -> None:
    """Read what is asked until nobody asks any more."""
    while True:
        try:
            how, values = pickle.load(sys.stdin.buffer)  # noqa: S301 - of the process that started this one
        except EOFError:
            return
        try:
            pickle.dump(read_values(how, values), sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            return


if __name__ == "__main__":
    _help()
