"""Accounts: groups that people belong to, as `group` calls tell; who belongs, and what is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from onefold.app.folding.accounts import group_calls
from onefold.app.groups.account_answers import (
    AccountChange,
    AccountClaims,
    AccountHistory,
    AccountMember,
    AccountPage,
    AccountRow,
    AccountView,
    MemberPage,
)
from onefold.app.groups.finding import find_account
from onefold.app.in_force import load_definitions
from onefold.app.lake.tables import add_views, table_now
from onefold.app.profiles.claims import Known
from onefold.app.workspace import open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine, short_session
from onefold.model.account import account_statements, decode_account
from onefold.model.definitions import AccountTraitDefinition
from onefold.model.errors import NotFound, no_page
from onefold.model.given import ACCOUNT, INTERNAL
from onefold.model.profile import (
    Belongs,
    NodeId,
    Profile,
    belongings,
    belongs_to,
    decode_profile,
    identifier_text,
    profile_name,
)
from onefold.pipeline import Accounts, account_inputs, folded, golden_rules
from onefold.store import SQLiteStore
from onefold.unify.aggregates import aggregated

_MEMBERS_A_PAGE = 1_000
_AFTER = "after:"


def account(settings: Settings, name: str) -> AccountView:
    """An account as it is now."""
    with open_store(settings, cache_mb=4) as store:
        found = find_account(store, name)
        definitions, _ = load_definitions(store)
        added_up = [one for one in definitions.account_traits if one.aggregate]
        computed, members = _computed(store, name, added_up)
        return AccountView(name, found.traits, computed, members, found.first_seen, found.last_seen)


def account_as_of(settings: Settings, name: str, at: int) -> AccountView:
    """An account as all that is known today about the time before makes it; by the rules of today."""
    engine = DuckEngine()
    try:
        with open_store(settings, cache_mb=4) as store:
            definitions, sources = load_definitions(store)
            decided = account_inputs(definitions, sources)
            rules = golden_rules(decided, settings.timezone)
            add_views(engine, {"events": table_now(store, open_lake(settings), "events")})
            told = list(group_calls(engine, name, at))
            calls = [call for call in told if not call.given]
            if not calls:
                raise NotFound(f"there was no account {name} then")
            words: dict[NodeId, Belongs] = {}
            for call in calls:
                words[call.owner] = words.get(call.owner, Belongs()).with_word(call.time, True)
            for owner, time, belongs in _asserted(engine, name, at):
                words[owner] = words.get(owner, Belongs()).with_word(time, belongs)
            held = [owner for owner, said in words.items() if said.holds]
            members = len(set(store.profiles_of(held).values()))
            accounts = Accounts(store.accounts, engine)
            accounts.use(decided, settings.timezone)
            found = folded(None, told, rules)
            ((traits, _),) = accounts.golden([found], at)
        return AccountView(name, traits, {}, members, found.first_seen, found.last_seen)
    finally:
        engine.close()


def account_list(settings: Settings, limit: int = 100, cursor: str = "") -> AccountPage:
    """All accounts, by id."""
    if cursor and not cursor.startswith(_AFTER):
        raise no_page()
    with open_store(settings, cache_mb=4) as store:
        rows = store.accounts.page(cursor.removeprefix(_AFTER), limit + 1)
        sizes = store.accounts.sizes([name for name, _ in rows[:limit]])
    found = [decode_account(document) for _, document in rows[:limit]]
    items = [AccountRow(one.id, one.traits, sizes.get(one.id, 0), one.last_seen) for one in found]
    behind = f"{_AFTER}{rows[limit - 1][0]}" if len(rows) > limit else None
    return AccountPage(tuple(items), behind)


def account_members(
    settings: Settings, name: str, limit: int = 100, cursor: str = ""
) -> MemberPage:
    """Who belongs to an account."""
    try:
        after = bytes.fromhex(cursor)
    except ValueError as error:
        raise no_page() from error
    items: list[AccountMember] = []
    with open_store(settings, cache_mb=4) as store:
        find_account(store, name)
        for node, profile in _members(store, name, after):
            if len(items) == limit:
                return MemberPage(tuple(items), after.hex())
            said = belongings(profile.nodes)[name]
            texts = tuple(identifier_text(one) for one in profile.nodes)
            items.append(AccountMember(profile_name(profile.id), texts, said.first, said.last))
            after = node
    return MemberPage(tuple(items), None)


def account_claims(settings: Settings, name: str, trait: str = "") -> AccountClaims:
    """Every claim about an account's traits, or about one: which won, which lost, and why."""
    with open_store(settings, cache_mb=4) as store:
        found = find_account(store, name)
        definitions, sources = load_definitions(store)
        known = Known(
            golden_rules(account_inputs(definitions, sources), settings.timezone),
            {one.name: one for one in definitions.account_traits if not one.aggregate},
            found.traits,
            [account_statements(found)],
            [("account", f"account:{name}")],
        )
    names = [one for one in known.names if trait in ("", one)]
    if trait and not names:
        raise NotFound(f"nobody claims {trait} of {name}")
    return AccountClaims(name, tuple(known.claims(one) for one in names))


def account_history(
    settings: Settings, name: str, limit: int = 100, cursor: int = 0
) -> AccountHistory:
    """How an account's golden traits changed, the newest first."""
    with open_store(settings, cache_mb=4) as store:
        find_account(store, name)
        table = table_now(store, open_lake(settings), "accounts")
    with short_session() as engine:
        add_views(engine, {"accounts": table})
        rows = engine.rows(
            "accounts",
            "select batch, epoch_us(changed_at), traits, lag(traits) over (order by batch)"
            " from all_accounts where account = ? and batch < ? order by batch desc limit ?",
            {},
            [name, cursor or 1 << 62, limit + 1],
        )
    items = [_change(at, new, old or "{}") for _, at, new, old in rows[:limit]]
    return AccountHistory(tuple(items), str(rows[limit - 1][0]) if len(rows) > limit else None)


def _change(at: int, after: str, before: str) -> AccountChange:
    new, old = (msgspec.json.decode(one) for one in (after, before))
    names = [name for name in sorted(new.keys() | old.keys()) if new.get(name) != old.get(name)]
    return AccountChange(
        at,
        {name: old[name] for name in names if name in old},
        {name: new[name] for name in names if name in new},
    )


def _members(
    store: SQLiteStore, name: str, after: NodeId = b""
) -> Iterator[tuple[NodeId, Profile]]:
    """The profiles of an account, each once: with the least of its identifiers that say so."""
    while page := store.accounts.members(name, after, _MEMBERS_A_PAGE):
        documents = store.documents([one.profile for one in page])
        profiles = {number: decode_profile(document) for number, document in documents.items()}
        for node, number in page:
            profile = profiles.get(number)
            if profile is not None and node == _first(profile, name):
                yield node, profile
        after = page[-1].node


def _first(profile: Profile, account: str) -> NodeId:
    """The least of a profile's identifiers that say that it belongs to an account."""
    return min(node.id for node in profile.nodes if belongs_to(node, account))


def _computed(
    store: SQLiteStore, name: str, added_up: Sequence[AccountTraitDefinition]
) -> tuple[dict[str, Any], int]:
    """What the members add up to, and how many they are."""
    if not any(one.of for one in added_up):
        count = store.accounts.sizes([name]).get(name, 0)
        return {one.name: count for one in added_up}, count
    values: dict[str, list[Any]] = {one.name: [] for one in added_up}
    count = 0
    for _, profile in _members(store, name):
        count += 1
        known = {**profile.traits, **profile.computed, **profile.tags}
        for one in added_up:
            values[one.name].append(known.get(one.of) if one.of else profile.id)
    found = {one.name: aggregated(one.aggregate, values[one.name]) for one in added_up}
    return {trait: value for trait, value in found.items() if value is not None}, count


def _asserted(engine: DuckEngine, name: str, at: int) -> Iterator[tuple[NodeId, int, bool]]:
    """What people said of who belongs to an account."""
    rows = engine.rows(
        "asserted",
        "select owner, epoch_us(time), traits from all_events where source = ? and"
        " contains(traits, ?) and epoch_us(time) <= ?",
        {},
        [INTERNAL, ACCOUNT, at],
    )
    for owner, time, traits in rows:
        said = msgspec.json.decode(traits)
        if f"{ACCOUNT}{name}" in said:
            yield owner, time, bool(said[f"{ACCOUNT}{name}"])
