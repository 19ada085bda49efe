"""A plan with what changed identity rules would do to everybody."""

from __future__ import annotations

from pathlib import Path

import msgspec

from onefold.app.definitions.applying import Change, plan_of
from onefold.app.definitions.files import Reading, read_definitions, read_text
from onefold.app.definitions.meaning import limits_of
from onefold.app.identity.trial_answers import IdentityTrial
from onefold.app.in_force import IDENTITY_KINDS
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.model.errors import Fault

AT_ONCE_PROFILES = 20_000
"""So many take some seconds to try; of more it is said how to ask."""


class Planned(msgspec.Struct, frozen=True):
    """What applying would change; where identity rules are among it, what those would do.

    `untried` are the profiles of a workspace too large to be tried without being asked.
    """

    changes: tuple[Change, ...]
    warnings: tuple[Fault, ...] = ()
    identity: IdentityTrial | None = None
    untried: int = 0


def plan(
    settings: Settings, directory: Path, *, prune: bool = False, always: bool = False
) -> Planned:
    """Compare definitions with those in force, and try identity rules that change; changes nothing.

    Where there are many profiles only if it is to be done `always`.
    """
    return _planned(settings, read_definitions(directory), prune=prune, always=always)


def plan_written(settings: Settings, text: str, *, prune: bool) -> Planned:
    """The same of the definitions of one YAML text, without examples: who may plan need not see people."""
    found = _planned(settings, read_text(text), prune=prune, always=False)
    if found.identity is None:
        return found
    bare = msgspec.structs.replace(
        found.identity, merge_examples=(), split_examples=(), move_examples=()
    )
    return msgspec.structs.replace(found, identity=bare)


def _planned(settings: Settings, reading: Reading, *, prune: bool, always: bool) -> Planned:
    with open_store(settings, cache_mb=4) as store:
        found = plan_of(store, reading, prune=prune, limits=limits_of(settings))
        profiles = int(store.counters().get("profiles", 0))
    if not profiles or not any(one.kind in IDENTITY_KINDS for one in found.changes):
        return Planned(found.changes, found.warnings)
    if profiles > AT_ONCE_PROFILES and not always:
        return Planned(found.changes, found.warnings, untried=profiles)
    from onefold.app.identity.trial import try_reading  # noqa: PLC0415 - loads the engine

    trial = try_reading(settings, reading, prune=prune)
    return Planned(found.changes, found.warnings, trial)
