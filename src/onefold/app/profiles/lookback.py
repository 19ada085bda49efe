"""One profile as it was: from what was known of events up to a time."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from onefold.app.folding.refold import fold_owners
from onefold.app.in_force import identity_as_of, load_definitions
from onefold.app.lake.tables import TableNow, add_views, tables_now
from onefold.app.profiles.finding import ProfileView, SegmentView, find_id, view
from onefold.app.workspace import id_maker, node_key, open_lake, open_store
from onefold.config import Settings
from onefold.engine import short_session
from onefold.model.errors import NotFound
from onefold.model.identity import IdentityRules
from onefold.model.profile import Profile, ProfileId, decode_profile, profile_name
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.store import SQLiteStore


def profile_as_of(settings: Settings, reference: str, at: int) -> ProfileView:
    """The profile that a reference names, from what was known of events up to a time (µs).

    Its identifiers are those that the evidence of that time made one person by the identity rules
    of that time, its segments those whose present rules held then.
    """
    with open_store(settings, cache_mb=4) as store:
        number = find_id(store, reference, settings.default_country)
        if number is None:
            raise NotFound(f"there is no profile {reference}")
        rules = identity_as_of(store, at)
        profiles = reachable(store, number, rules)
        tables = tables_now(store, open_lake(settings))
        memory = SQLiteStore(":memory:")
        try:
            owners = sorted({node.id for one in profiles.values() for node in one.nodes})
            fold_owners(settings, store, memory, tables, owners, at, rules)
            found = _then(store, memory, reference, profiles[number], settings)
            if found is None:
                raise NotFound(f"there was no profile {reference} at that time")
            entries = _entries(tables, profiles.values(), at)
        finally:
            memory.close()
    return _named(found, profiles.values(), entries, at)


def reachable(
    store: SQLiteStore, profile: ProfileId, then: IdentityRules
) -> dict[ProfileId, Profile]:
    """A profile and all others that evidence connects it with, by the rules of now or of then."""
    found: dict[ProfileId, Profile] = {}
    for rules in (load_definitions(store)[0].identity, then):
        working = Working(store, id_maker(), Rows(0), rules)
        working.load([profile])
        working.closure({node.id for node in working.profiles[profile].nodes})
        found |= working.profiles
    return found


def _then(
    store: SQLiteStore, memory: SQLiteStore, reference: str, now: Profile, settings: Settings
) -> Profile | None:
    """The profile of that time that the reference means: by identifier, or by the id's root."""
    if ":" in reference:
        memory.set_setting("node_key", node_key(store))
        number = find_id(memory, reference, settings.default_country)
    else:
        roots = [root for name, root in now.names if profile_name(name) == reference]
        # Before the root was seen, the profile was whoever of its nodes was there first.
        nodes = roots + [node.id for node in now.nodes]
        homes = memory.profiles_of(nodes)
        number = next((homes[node] for node in nodes if node in homes), None)
    if number is None:
        return None
    return decode_profile(memory.documents([number])[number])


def _entries(
    tables: dict[str, TableNow], profiles: Collection[Profile], at: int
) -> dict[tuple[str, str], int]:
    """When each of these profiles last entered each segment, up to a time."""
    names = [profile_name(name) for one in profiles for name, _ in one.names]
    with short_session() as engine:
        add_views(engine, {"memberships": tables["memberships"]})
        rows = engine.rows(
            "entries",
            "select profile, segment, max(epoch_us(changed_at)) from all_memberships"
            " where member and changed_at <= make_timestamptz(?) and profile in (select unnest(?))"
            " group by all",
            {},
            [at, names],
        )
    return {(profile, segment): time for profile, segment, time in rows}


def _named(
    found: Profile, profiles: Collection[Profile], entries: dict[tuple[str, str], int], at: int
) -> ProfileView:
    """The view of a profile of that time, under the id that its root has today."""
    nodes = {node.id for node in found.nodes}
    names = sorted(name for one in profiles for name in one.names if name[1] in nodes)
    seen = view(found)
    own = profile_name(names[0][0]) if names else seen.id
    segments = tuple(
        SegmentView(one.name, entries.get((own, one.name), at)) for one in seen.segments
    )
    aliases = tuple(profile_name(name) for name, _ in names[1:])
    return msgspec.structs.replace(seen, id=own, segments=segments, aliases=aliases)
