"""The process that answers questions, one after the other: `python -m onefold.app.questions.answering`.

It is held to limits by the system, and ends by itself when nobody asks it any more.
"""

from __future__ import annotations

import os
import resource
import select
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from onefold.app.lake.kept import keep_engines
from onefold.app.lines import as_line, from_line
from onefold.app.questions.asking import Answer, Question, SqlQuestion, too_large
from onefold.app.questions.audiences import (
    BacktestQuestion,
    CompareQuestion,
    OverlapQuestion,
    PreviewQuestion,
    WhyQuestion,
)
from onefold.app.questions.backtest import backtest
from onefold.app.questions.compare import compare
from onefold.app.questions.everybody import hold_missed
from onefold.app.questions.overlap import overlap
from onefold.app.questions.preview import preview
from onefold.app.questions.query import sql_arrow
from onefold.app.questions.rows import encoded
from onefold.app.questions.why import why
from onefold.config import Settings
from onefold.model.errors import OnefoldError

_IDLE_SECONDS = 60.0
_GRACE_SECONDS = 3.0
_START_SECONDS = 60.0  # so long may an engine take that is not in this process
_MEMORY_BESIDES = 512 << 20  # for the rows as they are sent, and what the engine does not count


def main() -> None:
    """Answer until nobody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked ends this process
    questions, answers = os.fdopen(0, "rb", closefd=False), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever an engine writes to stdout is no answer
    limit = _Limit()
    keep_engines()
    while not limit.is_near() and select.select([questions], [], [], _IDLE_SECONDS)[0]:
        line = questions.readline()
        if not line:
            return
        question = from_line(line, Question)
        with suppress(BrokenPipeError):
            _answer(question, limit, answers)
        if question.kind in ANSWERS:
            with suppress(OnefoldError, MemoryError):
                hold_missed(question.settings)


def confine(memory: int) -> None:
    """Hold this process to so much more memory than it has; if memory ends, it is first to go."""
    _Limit().hold(memory)


class _Limit:
    """How much memory this process may have, once it is `hold` to it."""

    def __init__(self) -> None:
        self._most = 0

    def hold(self, memory: int) -> None:
        """From the first call on. What there is already, mostly reserved for threads, comes on top."""
        with suppress(OSError):  # only where the system tells
            if not self._most:
                self._most = _held() + 2 * memory + _MEMORY_BESIDES
                resource.setrlimit(resource.RLIMIT_AS, (self._most, self._most))
                Path("/proc/self/oom_score_adj").write_text("1000")

    def is_near(self) -> bool:
        """Is so little left that the next query had better be answered by another process?"""
        return bool(self._most) and _held() > self._most - _MEMORY_BESIDES


def _held() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _answer(question: Question, limit: _Limit, answers: BinaryIO) -> None:
    # What does not even listen to the engine's interruption ends with its process.
    seconds = question.settings.sql_seconds + _GRACE_SECONDS
    starting = 0.0 if question.settings.engine == "duckdb" else _START_SECONDS
    signal.setitimer(signal.ITIMER_REAL, seconds + starting)
    rows = b""

    def ready() -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        limit.hold(question.settings.sql_memory)

    try:
        rows, truncated = _found(question, ready)
        answer = Answer(len(rows), truncated)
    except OnefoldError as error:
        answer = _sorry(error)
    except MemoryError:
        answer = _sorry(too_large(question.settings))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    answers.write(as_line(answer))
    answers.write(rows)
    answers.flush()


def _found(question: Question, before: Callable[[], None]) -> tuple[bytes, bool]:
    """The encoded answer, and whether there was more."""
    settings, about = question.settings, bytes(question.about)
    if question.kind == "sql":
        asked = msgspec.json.decode(about, type=SqlQuestion)
        table, truncated = sql_arrow(settings, asked.query, asked.limit, before)
        return encoded(table, truncated, asked.form), truncated
    kind, answer = ANSWERS[question.kind]
    return msgspec.json.encode(
        answer(settings, msgspec.json.decode(about, type=kind), before)
    ), False


ANSWERS: Mapping[str, tuple[type[Any], Callable[[Settings, Any, Callable[[], None]], Any]]] = {
    "preview": (PreviewQuestion, preview),
    "why": (WhyQuestion, why),
    "overlap": (OverlapQuestion, overlap),
    "compare": (CompareQuestion, compare),
    "backtest": (BacktestQuestion, backtest),
}
"""Besides SQL: the question of each kind, and who answers it."""


def _sorry(error: OnefoldError) -> Answer:
    return Answer(code=error.code, message=error.message, faults=error.faults)


if __name__ == "__main__":
    main()
