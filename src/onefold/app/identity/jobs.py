"""Long work on who is who, asked for."""

from __future__ import annotations

from onefold.app.definitions.editing import plan_text
from onefold.app.job_kinds import TRIAL
from onefold.app.job_list import job_add
from onefold.config import Settings
from onefold.model.job import Job


def ask_trial(settings: Settings, text: str, *, prune: bool = False, actor: str = "cli") -> Job:
    """Ask for a trial of the identity rules in a YAML text; faults of theirs are told at once."""
    plan_text(settings, text, prune=prune)
    return job_add(settings, TRIAL, {"text": text, "prune": prune}, actor=actor)
