"""Expressions of mappings in the web process. The query engine weighs 50 MB: the first one loads it."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onefold.engine import DuckEngine
    from onefold.pipeline import RecordExpressions


class Expressions:
    """Asks expressions of records, one call at a time, from any thread."""

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone
        self._lock = Lock()
        self._engine: DuckEngine | None = None
        self._asked: RecordExpressions | None = None

    def ask(
        self, expressions: tuple[tuple[str, bool], ...], rows: Sequence[dict[str, Any]], at: int
    ) -> Sequence[Sequence[Any]]:
        """Of each row the value of each expression, as of a time (µs)."""
        with self._lock:
            return self._opened().ask(expressions, rows, at)

    def close(self) -> None:
        """Free the engine until somebody asks again."""
        with self._lock:
            if self._asked is not None:
                self._asked.close()
            if self._engine is not None:
                self._engine.close()
            self._asked = self._engine = None

    def _opened(self) -> RecordExpressions:
        if self._asked is None:
            from onefold.engine import DuckEngine  # noqa: PLC0415
            from onefold.pipeline import RecordExpressions  # noqa: PLC0415

            self._engine = DuckEngine(threads=1, memory_mb=128, optimizer=False)
            self._asked = RecordExpressions(self._engine, self._timezone)
        return self._asked
