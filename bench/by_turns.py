"""Ways to ask the same of the same data, each in a process of its own, asked by turns.

A machine that others share may be half as fast for a while: who is asked by turns suffers alike.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from onefold.config import Settings

COLD = 2
Answer = tuple[int, int]
Ask = Callable[[], tuple[Answer, float]]
"""Ask once; give the answer, and the seconds that the query alone took."""
Way = Callable[[Settings], AbstractContextManager[Ask]]


class Measured(NamedTuple):
    """One way to ask: its answer, and the seconds of each run."""

    answer: Answer
    cold: list[float]
    warm: list[float]
    query: list[float]


class Run(NamedTuple):
    """One time that it was asked: the answer, the seconds in all, and those of the query alone."""

    answer: Answer
    whole: float
    query: float


def compare(ways: Mapping[str, Way], settings: Settings, runs: int) -> dict[str, Measured]:
    """Ask all of them; refuses answers that differ."""
    spawn = multiprocessing.get_context("spawn")
    lines: dict[str, Connection] = {}
    for name, way in ways.items():
        lines[name], theirs = spawn.Pipe()
        spawn.Process(target=answering, args=(way, settings, theirs)).start()
        theirs.close()
        _told(name, lines[name])
    cold: dict[str, list[Run]] = {name: [] for name in ways}
    warm: dict[str, list[Run]] = {name: [] for name in ways}
    for number in range(COLD + 1 + runs):
        for name, line in lines.items():
            if number < COLD:
                forget(settings.data)
            line.send(True)
            run = _told(name, line)
            if number != COLD:  # the first after the cold ones is neither
                (cold if number < COLD else warm)[name].append(run)
    for line in lines.values():
        line.send(False)
    answers = {name: {run.answer for run in cold[name] + warm[name]} for name in ways}
    assert len(set.union(*answers.values())) == 1, f"the answers differ: {answers}"
    return {
        name: Measured(
            warm[name][0].answer,
            [run.whole for run in cold[name]],
            [run.whole for run in warm[name]],
            [run.query for run in warm[name]],
        )
        for name in ways
    }


def answering(way: Way, settings: Settings, line: Connection) -> None:
    """One way to ask, whenever it is told to."""
    with way(settings) as ask:
        line.send(None)
        while line.recv():
            began = time.perf_counter()
            answer, query = ask()
            line.send(Run(answer, time.perf_counter() - began, query))


def _told(name: str, line: Connection) -> Any:
    try:
        return line.recv()
    except EOFError:
        sys.exit(f"{name} failed")


def forget(directory: Path) -> None:
    """Let the kernel forget the files that are not being written."""
    for path in directory.rglob("*.parquet"):
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)
