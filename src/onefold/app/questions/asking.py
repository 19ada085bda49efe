"""Questions to the lake in processes of their own: whatever one does to its process, others go on.

The engine cannot stop every query in time, nor count all of its memory; the system can.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from typing import NoReturn

import msgspec

from onefold.app.answers import Format
from onefold.app.lines import as_line, from_line
from onefold.config import Settings
from onefold.model.errors import Busy, Damaged, Fault, InvalidInput, NotFound, OnefoldError
from onefold.model.quantities import size_text

_PROGRAM = (sys.executable, "-P", "-m", "onefold.app.questions.answering")
_ERRORS: tuple[type[OnefoldError], ...] = (InvalidInput, NotFound, Busy, Damaged)


class SqlQuestion(msgspec.Struct, frozen=True):
    """One SELECT, the form of its answer, and the most rows wanted."""

    query: str
    form: Format
    limit: int | None


class Question(msgspec.Struct, frozen=True):
    """One question, as it is written to the process that answers it: of which kind, and what."""

    settings: Settings
    kind: str
    about: msgspec.Raw


class Answer(msgspec.Struct, frozen=True):
    """What stands before the encoded rows: how many bytes they have; or why there are none."""

    size: int = 0
    truncated: bool = False
    code: str = ""
    message: str = ""
    faults: tuple[Fault, ...] = ()


class Asker:
    """Answers with as many processes as are asked at once; idle ones end by themselves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[subprocess.Popen[bytes]] = []
        self._busy: set[subprocess.Popen[bytes]] = set()

    def ask(
        self, settings: Settings, query: str, form: Format, limit: int | None
    ) -> tuple[bytes, bool]:
        """The encoded rows of one SELECT, and whether there were more."""
        return self.answer(settings, "sql", SqlQuestion(query, form, limit))

    def answer(self, settings: Settings, kind: str, about: msgspec.Struct) -> tuple[bytes, bool]:
        """The encoded answer to a question, and whether there was more."""
        raw = msgspec.Raw(msgspec.json.encode(about))
        question = as_line(Question(settings, kind, raw))
        while True:
            process, used_before = self._take()
            found = _exchange(process, question)
            with self._lock:
                self._busy.discard(process)
                if found is not None:
                    self._idle.append(process)
            if found is not None:
                return _rows(*found)
            code = _end(process)
            if not (used_before and code == 0):  # else it ended just before it was asked
                _died(code, settings)

    def close(self) -> None:
        """End all processes, those with a query too."""
        with self._lock:
            for process in self._busy:
                process.kill()  # who waits for its answer sees that
            while self._idle:
                with self._idle.pop() as process:
                    process.kill()

    def _take(self) -> tuple[subprocess.Popen[bytes], bool]:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.poll() is None:
                    self._busy.add(process)
                    return process, True
                _end(process)
            process = subprocess.Popen(_PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
            self._busy.add(process)
            return process, False


def _end(process: subprocess.Popen[bytes]) -> int:
    """Close what is left of a process that has ended; its exit code."""
    with process:
        return process.wait()


def _exchange(process: subprocess.Popen[bytes], question: bytes) -> tuple[Answer, bytes] | None:
    """What a process answers; None if it ended instead."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        process.stdin.write(question)
        process.stdin.flush()
    except BrokenPipeError:
        return None
    line = process.stdout.readline()
    if not line.endswith(b"\n"):
        return None
    answer = from_line(line, Answer)
    rows = process.stdout.read(answer.size)
    return (answer, rows) if len(rows) == answer.size else None


def _rows(answer: Answer, rows: bytes) -> tuple[bytes, bool]:
    for error in _ERRORS:
        if error.code == answer.code:
            if issubclass(error, Busy):
                raise error(answer.message)
            raise error(answer.message, answer.faults)
    return rows, answer.truncated


def _died(code: int, settings: Settings) -> NoReturn:
    if code == -signal.SIGALRM:
        raise refused(f"took longer than {settings.sql_seconds:g} s", "narrow it down")
    raise too_large(settings)


def too_large(settings: Settings) -> InvalidInput:
    """A query whose memory ended."""
    message, hint = beyond_memory(settings)
    return refused(message, hint)


def beyond_memory(settings: Settings) -> tuple[str, str]:
    """What to say of what needs more memory than a query may use, and what to do about it."""
    return (
        f"needs more memory than a query may use: sql_memory is {size_text(settings.sql_memory)}",
        "ask for less at once, or set sql_memory higher",
    )


def refused(message: str, hint: str = "") -> InvalidInput:
    """A query that is not, or not to its end, run."""
    return InvalidInput("the query cannot be run", (Fault(message, "query", hint),))
