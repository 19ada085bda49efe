"""One process at a time: file locks in the data directory."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

_RETRY_SECONDS = 0.25


def import_lock(data: Path, source: str) -> Path:
    """What is held while a file of a source is imported."""
    return data / f"import-{source}.lock"


def source_path(data: Path, source: str) -> Path:
    """Where a source keeps what is its own; with an ending, the file of its lock."""
    folder = data / "sources"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / blake2b(source.encode(), digest_size=12).hexdigest()


@contextmanager
def hold(path: Path, stop: threading.Event | None = None) -> Iterator[bool]:
    """Hold a lock while inside; says whether it was got.

    With `stop`, waits for the lock until `stop` is set; without, tries once. The lock goes with the
    process, however it ends.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _locked(handle, stop)
    finally:
        os.close(handle)


def _locked(handle: int, stop: threading.Event | None) -> bool:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if stop is None or stop.wait(_RETRY_SECONDS):
                return False
        else:
            return True
