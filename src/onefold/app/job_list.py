"""Long work as people see it: asked for, listed, looked at, canceled."""

from __future__ import annotations

from typing import Any

from onefold.app.job_kinds import ASKABLE
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput
from onefold.model.job import Job

_ALL = 1 << 62


def job_list(
    settings: Settings, *, limit: int = 100, before: int = 0, only_open: bool = False
) -> list[Job]:
    """Jobs, newest first, those with a number below `before`; without what came out."""
    with open_store(settings, cache_mb=4) as store:
        return store.jobs.page(before or _ALL, limit, only_open=only_open)


def job_show(settings: Settings, job: int) -> Job:
    """One job, with what came out."""
    with open_store(settings, cache_mb=4) as store:
        return store.jobs.get(job)


def job_cancel(settings: Settings, job: int, *, actor: str = "cli") -> Job:
    """Ask a job to stop; whoever does it sees that within a second."""
    with open_store(settings, cache_mb=4) as store:
        store.jobs.cancel(job, now_us(), actor)
        return store.jobs.get(job)


def job_add(
    settings: Settings,
    kind: str,
    argument: dict[str, Any],
    *,
    subject: str = "",
    actor: str = "cli",
) -> Job:
    """Ask for work; it begins within a second or two where the jobs process runs."""
    with open_store(settings, cache_mb=4) as store:
        return store.jobs.get(store.jobs.add(kind, subject, argument, now_us(), actor))


def job_ask(settings: Settings, kind: str, *, actor: str = "cli") -> Job:
    """Ask for work of a kind that needs nothing but its name."""
    if kind not in ASKABLE:
        fault = Fault(f"{kind!r} is not known", "kind", f"use one of {', '.join(ASKABLE)}")
        raise InvalidInput("there is no such work", [fault])
    return job_add(settings, kind, {}, actor=actor)
