"""What the demo remembers from one start to the next, in the data directory, for this user only."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from onefold.model.errors import Damaged

_FOLDER, _FILE, _KEY = "demo", "notes.json", "admin.key"


class Notes(msgspec.Struct, kw_only=True):
    """The shop that is played, how far, and the keys to do so."""

    begun_at: int
    customers: int
    admin_key: str
    write_keys: dict[str, str]
    hook_secret: str
    hook_port: int = 0
    sent: int = 0


def read_notes(data: Path) -> Notes | None:
    """The notes of an earlier start, or None."""
    path = data / _FOLDER / _FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Notes)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Damaged(f"The demo's notes in {path} cannot be read: {error}") from error


def write_notes(data: Path, notes: Notes) -> None:
    """Keep the notes; a crash leaves the old ones or the new ones."""
    _write(data / _FOLDER / _FILE, msgspec.json.encode(notes))


def write_key_file(data: Path, key: str) -> Path:
    """The admin key alone in a file, for `curl` in a shell."""
    path = data / _FOLDER / _KEY
    _write(path, key.encode())
    return path


def log_file(data: Path) -> Path:
    """Where the log lines of the processes go while the demo runs."""
    return data / _FOLDER / "onefold.log"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, content)
    finally:
        os.close(handle)
    new.replace(path)
