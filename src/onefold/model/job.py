"""Long work: what is done, how far it is, and how it ended."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

JobState = Literal["waiting", "running", "done", "failed", "canceled"]
OPEN: tuple[JobState, ...] = ("waiting", "running")


class Job(msgspec.Struct, frozen=True):
    """Work that takes longer than a request may.

    `kind` is what is done and `subject` to what. `done` of `total` say how far it is, in what is
    counted (`total` 0: not known), and `step` in words. `canceling` says that somebody asked to
    stop it. `result` is what came out; `reason` says why it failed.
    """

    id: int
    kind: str
    subject: str
    state: JobState
    done: int
    total: int
    step: str
    canceling: bool
    created_at: int
    created_by: str
    started_at: int | None
    finished_at: int | None
    reason: str
    argument: dict[str, Any] = {}
    result: Any = None

    @property
    def is_open(self) -> bool:
        """Will it go on?"""
        return self.state in OPEN
