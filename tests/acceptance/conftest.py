"""A workspace with a worker that is driven step by step, in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.lake.writer import drain
from onefold.app.worker.loop import Worker
from onefold.app.workspace import now_us, open_lake, open_log, open_store
from onefold.config import Settings
from onefold.model.records import Accepted, encode_accepted


class Stepped:
    """Takes events in, and folds them when told to."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._open = ExitStack()
        self.store = self._open.enter_context(open_store(settings))
        self.lake = open_lake(settings)
        self.log = open_log(settings, self.store, "test")
        self._open.callback(self.log.close)
        self.worker = Worker(settings, self.store, self.lake, self.log)
        self._open.callback(self.worker.close)

    def define(self, text: str) -> None:
        put(self.store, read_text(text), "test")

    def take(self, *events: dict[str, Any]) -> None:
        """Put one batch of events into the log and fold it."""
        self.append(*events)
        self.settle()

    def append(self, *events: dict[str, Any]) -> None:
        """Only put it into the log."""
        body = msgspec.json.encode({"batch": events})
        self.log.append([encode_accepted(Accepted("default", now_us(), "batch", body))])

    def settle(self) -> None:
        """Fold, evaluate and carry to the lake all that waits."""
        while self.worker.step() or self._behind():
            pass
        drain(self.store, self.lake)

    def _behind(self) -> bool:
        """Is there more in the log? Other writers' partitions are noticed a little later."""
        log = open_log(self.settings, self.store, None)
        try:
            return any(
                end > self.store.positions().get(name, 0) for name, end in log.ends().items()
            )
        finally:
            log.close()

    def close(self) -> None:
        self._open.close()


@contextmanager
def stepped(data: Path) -> Iterator[Stepped]:
    """A new workspace in a directory."""
    settings = Settings(data=data, min_free_disk=0)
    make_workspace(settings)
    with closing(Stepped(settings)) as made:
        yield made


@pytest.fixture
def onefold(tmp_path: Path) -> Iterator[Stepped]:
    with stepped(tmp_path / "data") as made:
        yield made
