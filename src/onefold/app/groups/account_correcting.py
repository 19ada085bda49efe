"""Values of accounts that people correct: claims about the account, through the log like everything else."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from onefold.app.groups.finding import find_account
from onefold.app.in_force import load_definitions
from onefold.app.profiles.correcting import Corrected, check_correction, said_of
from onefold.app.profiles.given import append_claims
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.account import account_statements
from onefold.model.given import ACCOUNTS, Correction, GivenClaim, Holds, correction_trait
from onefold.store import SQLiteStore


def account_correct(
    settings: Settings,
    account: str,
    trait: str,
    value: Any,
    *,
    holds: Holds = "forever",
    until: int = 0,
    actor: str = "cli",
) -> Corrected:
    """Say what the right value of an account's trait is; null says that there is none.

    It outranks all sources: for ever, `until` a time (µs), or, with `next`, until a source says something that
    none had said before.
    """
    with open_store(settings, cache_mb=4) as store:
        now = now_us()
        found = find_account(store, account)
        check_correction(trait, value, holds, until, now, lambda: _invalid(store, trait, value))
        said = said_of(account_statements(found), trait) if holds == "next" else ()
        end = until if holds == "until" else 0
        correction = Correction(value, actor, holds, end, said)
        _say(settings, store, account, trait, msgspec.to_builtins(correction), actor, now)
    return Corrected(trait, f"account:{account}", value, holds, end, now)


def account_release(
    settings: Settings, account: str, trait: str, *, actor: str = "cli"
) -> Corrected:
    """Take the correction of an account's trait back: sources decide again."""
    with open_store(settings, cache_mb=4) as store:
        now = now_us()
        find_account(store, account)
        _say(settings, store, account, trait, None, actor, now)
    return Corrected(trait, f"account:{account}", None, None, 0, now)


def _invalid(store: SQLiteStore, trait: str, value: Any) -> str:
    """Why the definition of the trait does not allow a value."""
    definitions, sources = load_definitions(store)
    declared = [one for one in definitions.account_traits if one.name == trait]
    if any(one.aggregate for one in declared):
        return "is added up of the members"
    if not declared:
        return ""
    # Knowing what is valid takes the engine's types; most corrections do without.
    from onefold.pipeline.golden_rules import account_inputs, golden_rules  # noqa: PLC0415

    unit = golden_rules(account_inputs(definitions, sources), "UTC").unit(trait)
    check = unit.checks.get(trait) if unit else None
    return check(value) if check else ""


def _say(
    settings: Settings,
    store: SQLiteStore,
    account: str,
    trait: str,
    says: Any,
    actor: str,
    now: int,
) -> None:
    name = f"correct-{uuid.uuid4().hex}"
    claim = GivenClaim(name, now, ACCOUNTS, account, {correction_trait(trait): says}, actor)
    append_claims(settings, store, [claim], now)
    detail = {"account": account, "trait": trait, "taken_back": says is None}
    store.registry.audit(now, actor, "account.correct", account, detail)
