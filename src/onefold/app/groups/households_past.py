"""Households of the past: as they were at a time, and how they came to be what they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from onefold.app.folding.refold import fold_owners
from onefold.app.groups.household_answers import Household, HouseholdChange, HouseholdHistory
from onefold.app.groups.households import Home, added_up, in_common, named
from onefold.app.in_force import identity_as_of, load_definitions
from onefold.app.lake.tables import TableNow, add_views, table_now, tables_now
from onefold.app.profiles.lookback import reachable
from onefold.app.workspace import node_key, open_lake, open_store
from onefold.config import Settings
from onefold.engine import short_session
from onefold.model.errors import NotFound, no_page
from onefold.model.profile import NodeId, Profile, ProfileId, identifier_from, profile_name
from onefold.resolve import node_id
from onefold.store import SQLiteStore

_MOST = 300
"""So many people are looked at: who ever lived with somebody, and with those, and so on."""


def household_as_of(settings: Settings, reference: str, at: int) -> Household:
    """The household of somebody as all that is known today about the time before makes it.

    Claims are compared by the match model of today. Looked at are all who were ever said to live with
    somebody of it.
    """
    with open_store(settings, cache_mb=4) as store:
        number = named(store, reference, settings.default_country)
        rules = identity_as_of(store, at)
        tables = tables_now(store, open_lake(settings))
        profiles = reachable(store, number, rules)
        asked: set[ProfileId] = set()
        while len(asked) < len(profiles) <= _MOST:
            near = _ever_near(store, tables["changes"], _but(profiles, asked))
            asked = set(profiles)
            for one in near - asked:
                profiles |= reachable(store, one, rules)
        memory = SQLiteStore(":memory:")
        try:
            owners = sorted({node.id for one in profiles.values() for node in one.nodes})
            fold_owners(settings, store, memory, tables, owners, at, rules)
            homes = memory.profiles_of([node.id for node in profiles[number].nodes])
            if not homes:
                raise NotFound(f"there was no profile {reference} at that time")
            # Several may be one person today: the first identifier says who is meant.
            home = Home(memory, homes[min(homes, key=_age(profiles[number]))])
            computed = added_up(home.people.values(), load_definitions(store)[0].household_traits)
            today = _names_today(home.people.values(), profiles.values())
        finally:
            memory.close()
    members = (
        msgspec.structs.replace(
            one,
            profile=today.get(one.profile, one.profile),
            lives_with=tuple(today.get(other, other) for other in one.lives_with),
        )
        for one in home.members()
    )
    name = home.id if len(home.people) > 1 else None
    return Household(name, in_common(home.people.values()), computed, tuple(members))


def household_history(
    settings: Settings, reference: str, limit: int = 100, cursor: str = ""
) -> HouseholdHistory:
    """When two people were said to live together, and no longer, of a household's people; newest first."""
    before = _place(cursor)
    with open_store(settings, cache_mb=4) as store:
        home = Home(store, named(store, reference, settings.default_country))
        changes = table_now(store, open_lake(settings), "changes")
    names = [profile_name(name) for one in home.people.values() for name, _ in one.names]
    with short_session() as engine:
        add_views(engine, {"changes": changes})
        rows = engine.rows(
            "households",
            # Each is told at both ends: of a pair the first counts.
            "select batch, min(number) as number, min(epoch_us(changed_at)), one, two,"
            " bool_or(new is not null) from (select *,"
            " least(name, json_extract_string(coalesce(new, old), '$')) as one,"
            " greatest(name, json_extract_string(coalesce(new, old), '$')) as two"
            " from all_changes where what = 'household'"
            " and profile in (select unnest(?::varchar[])))"
            " group by batch, one, two having (batch, min(number)) < (?, ?)"
            " order by batch desc, number desc limit ?",
            {},
            [names, *before, limit + 1],
        )
    items = tuple(HouseholdChange(at, one, two, yes) for _, _, at, one, two, yes in rows[:limit])
    behind = f"{rows[limit - 1][0]}-{rows[limit - 1][1]}" if len(rows) > limit else None
    return HouseholdHistory(items, behind)


def _ever_near(
    store: SQLiteStore, changes: TableNow, profiles: Collection[Profile]
) -> set[ProfileId]:
    """The profiles of today of all who were ever said to live with somebody of these."""
    names = [profile_name(name) for one in profiles for name, _ in one.names]
    with short_session() as engine:
        add_views(engine, {"changes": changes})
        rows = engine.rows(
            "near",
            "select distinct name from all_changes where what = 'household'"
            " and profile in (select unnest(?::varchar[]))",
            {},
            [names],
        )
    key = node_key(store)
    near = {node_id(key, identifier_from(text)) for (text,) in rows}
    for one in profiles:
        for node in one.nodes:
            near.update(node.more.housemates, node.more.homes)
    return set(store.profiles_of(sorted(near)).values())


def _but(profiles: Mapping[ProfileId, Profile], asked: Collection[ProfileId]) -> list[Profile]:
    return [profile for number, profile in profiles.items() if number not in asked]


def _age(profile: Profile) -> Any:
    first = {node.id: node.first_seen for node in profile.nodes}
    return lambda node: (first[node], node)


def _names_today(then: Iterable[Profile], now: Iterable[Profile]) -> dict[str, str]:
    """Of the profiles of that time, the ids that their first identifiers have today."""
    names: dict[NodeId, ProfileId] = {}
    for one in now:
        names |= {node.id: one.id for node in one.nodes}
        names |= {root: name for name, root in sorted(one.names, reverse=True)}
    return {
        profile_name(one.id): profile_name(names[one.nodes[0].id])
        for one in then
        if one.nodes[0].id in names
    }


def _place(cursor: str) -> list[int]:
    parts = cursor.split("-") if cursor else [str(1 << 60), "0"]
    if len(parts) != 2 or not all(one.isdecimal() and int(one) < 1 << 62 for one in parts):
        raise no_page()
    return [int(one) for one in parts]
