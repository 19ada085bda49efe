"""Accounts: groups that people belong to, as `group` calls tell, with members and golden traits."""

from __future__ import annotations

from typing import Any

import msgspec

from onefold.app.golden_answers import AccountMember, AccountRow, AccountView
from onefold.app.in_force import load_definitions
from onefold.app.relations import EVENTS, add_population
from onefold.app.workspace import now_us, open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.errors import NotFound
from onefold.model.profile import Statement, profile_name
from onefold.pipeline.golden_rules import golden_inputs, golden_rules
from onefold.unify import GoldenRules, add_claims, golden_record

MOST_MEMBERS = 1_000
_GROUP = "json_extract_string(properties, '$.group_id')"


def account(settings: Settings, name: str) -> AccountView:
    """An account: who belongs to it, and what was said of it."""
    query = (
        "select profile, source, time, message_id, properties"  # noqa: S608 - our own text
        f" from {EVENTS} where name = 'group' and {_GROUP} = ?"
        " order by time, source, message_id"
    )
    rows, rules = _asked(settings, query, [name])
    if not rows:
        raise NotFound(f"there is no account {name}")
    statements: list[Statement] = []
    members: dict[int, tuple[int, int]] = {}
    for profile, source, time, message_id, properties in rows:
        first, _ = members.get(profile, (time, time))
        members[profile] = (first, time)
        told = msgspec.json.decode(properties)
        told.pop("group_id", None)
        if told:
            add_claims(statements, Statement(source, time, message_id, True, told), rules)
    golden = golden_record([statements], rules, now_us()).traits
    latest = sorted(members.items(), key=lambda one: (-one[1][1], one[0]))
    return AccountView(
        name,
        {trait: won.value for trait, won in golden.items()},
        {trait: won.source for trait, won in golden.items()},
        len(members),
        tuple(AccountMember(profile_name(one), *seen) for one, seen in latest[:MOST_MEMBERS]),
    )


def account_list(settings: Settings, limit: int = 100, after: str = "") -> list[AccountRow]:
    """The accounts, by id, with how many people belong to each."""
    query = (
        f"select {_GROUP} as account, count(distinct profile), max(time)"  # noqa: S608 - our own text
        f" from {EVENTS} where name = 'group' and {_GROUP} > ? group by 1 order by 1 limit ?"
    )
    rows, _ = _asked(settings, query, [after, limit])
    return [AccountRow(*row) for row in rows]


def _asked(
    settings: Settings, query: str, values: list[Any]
) -> tuple[list[tuple[Any, ...]], GoldenRules]:
    """Rows of a query, and the rule for all traits: what is said of people's is not of accounts'."""
    engine = DuckEngine()
    try:
        with open_store(settings, cache_mb=4) as store:
            inputs = golden_inputs(*load_definitions(store))
            add_population(engine, store, open_lake(settings))
            rows = engine.rows("accounts", query, {}, values)
    finally:
        engine.close()
    return rows, GoldenRules((), golden_rules(inputs, settings.timezone).default)
