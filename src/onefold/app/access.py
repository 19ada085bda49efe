"""Workspaces, sources and API keys: who may send, who may ask."""

from __future__ import annotations

import re
import secrets
from typing import Literal, get_args

import msgspec

from onefold.app.locks import hold
from onefold.app.workspace import create_files, now_us, open_store
from onefold.config import Settings
from onefold.model.access import ROLES, ApiKey, Role
from onefold.model.errors import Conflict, Fault, InvalidInput
from onefold.model.given import INTERNAL
from onefold.model.sources import Source, hash_secret, write_key
from onefold.store import SQLiteStore

_KINDS = ("http",)
_NAME = re.compile(r"[\w][\w .@-]{0,99}")


class NewWorkspace(msgspec.Struct, frozen=True):
    """The two keys of a new workspace; shown once, kept as hashes."""

    admin_key: str
    write_key: str


class NewSource(msgspec.Struct, frozen=True):
    """A source just added, with its write key; shown once."""

    name: str
    kind: str
    write_key: str


class SourceRow(msgspec.Struct, frozen=True):
    """A source as it is listed."""

    id: str
    name: str
    kind: str
    enabled: bool
    country: str | None
    ip: Literal["direct", "none"]


class NewKey(msgspec.Struct, frozen=True):
    """An API key just added; shown once."""

    name: str
    role: Role
    key: str


class KeyRow(msgspec.Struct, frozen=True):
    """An API key as it is listed."""

    name: str
    role: Role
    created_at: int
    revoked_at: int | None


def make_workspace(settings: Settings, actor: str = "setup") -> NewWorkspace | None:
    """Make the workspace if there is none; None where there was one already."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with hold(settings.data / "setup.lock") as held:
        if not held:
            raise Conflict(f"another Onefold is setting up {settings.data} just now")
        create_files(settings)
        with open_store(settings, cache_mb=4) as store:
            if store.registry.keys() or store.registry.sources():
                return None
            key = _add_key(store, "admin", "admin", actor)
            source = _add_source(store, Source(id="default", name="default"), actor)
            return NewWorkspace(key.key, source.write_key)


def source_add(
    settings: Settings,
    name: str,
    kind: str = "http",
    *,
    default_country: str | None = None,
    ip: str = "direct",
    events_per_second: int | None = None,
    actor: str = "cli",
) -> NewSource:
    """Add a source and give its write key.

    Over `events_per_second` its calls wait for their turn (`limit_wait`), and are answered with 429 where that
    takes too long; None is without limit.
    """
    faults = _name_faults(name)
    if kind not in _KINDS:
        faults.append(Fault(f"there is no kind of source {kind!r}", "kind", "use http"))
    if default_country is not None and not _is_country(default_country):
        hint = "use two capital letters such as CN"
        faults.append(Fault(f"{default_country!r} is no country code", "country", hint))
    if ip not in ("direct", "none"):
        faults.append(Fault(f"{ip!r} is not known", "ip", "use direct or none"))
    if events_per_second is not None and events_per_second < 1:
        faults.append(Fault("must be at least 1", "events_per_second", "leave it out for no limit"))
    if faults:
        raise InvalidInput("the source cannot be added", faults)
    with open_store(settings, cache_mb=4) as store:
        taken = {INTERNAL} | {source.id for source in store.registry.sources()}
        source = Source(
            id=_free_id(name, taken),
            name=name,
            kind=kind,
            default_country=default_country,
            ip="none" if ip == "none" else "direct",
            events_per_second=events_per_second,
        )
        return _add_source(store, source, actor)


def source_list(settings: Settings) -> list[SourceRow]:
    """All sources."""
    with open_store(settings, cache_mb=4) as store:
        return [_source_row(source) for source in store.registry.sources()]


def source_enable(settings: Settings, name: str, *, enabled: bool, actor: str = "cli") -> SourceRow:
    """Let a source send, or stop it; its write key stays the same."""
    with open_store(settings, cache_mb=4) as store:
        source = msgspec.structs.replace(store.registry.source(name), enabled=enabled)
        action = "source.enable" if enabled else "source.disable"
        store.registry.change_source(source, now_us(), actor, action)
        return _source_row(source)


def source_disable(settings: Settings, name: str, *, actor: str = "cli") -> SourceRow:
    """Stop a source: its calls are answered with 401 from now on."""
    return source_enable(settings, name, enabled=False, actor=actor)


def key_add(settings: Settings, name: str, role: str, *, actor: str = "cli") -> NewKey:
    """Add an API key and give it."""
    faults = _name_faults(name)
    if role not in get_args(Role):
        faults.append(Fault(f"there is no role {role!r}", "role", f"use one of {', '.join(ROLES)}"))
    if faults:
        raise InvalidInput("the key cannot be added", faults)
    with open_store(settings, cache_mb=4) as store:
        return _add_key(store, name, role, actor)  # type: ignore[arg-type]


def key_list(settings: Settings) -> list[KeyRow]:
    """All API keys, revoked ones too."""
    with open_store(settings, cache_mb=4) as store:
        return [_key_row(key) for key in store.registry.keys()]


def key_revoke(settings: Settings, name: str, *, actor: str = "cli") -> KeyRow:
    """Revoke an API key; it is refused within a second."""
    with open_store(settings, cache_mb=4) as store:
        store.registry.revoke_key(name, now_us(), actor)
        return next(_key_row(key) for key in store.registry.keys() if key.name == name)


def _add_source(store: SQLiteStore, source: Source, actor: str) -> NewSource:
    secret = secrets.token_urlsafe(24)
    source = msgspec.structs.replace(source, key_hash=hash_secret(secret))
    store.registry.add_source(source, now_us(), actor)
    return NewSource(source.name, source.kind, write_key(source.id, secret))


def _add_key(store: SQLiteStore, name: str, role: Role, actor: str) -> NewKey:
    secret = secrets.token_urlsafe(24)
    key = ApiKey(f"k{secrets.token_hex(6)}", name, role, hash_secret(secret), now_us())
    store.registry.add_key(key, actor)
    return NewKey(name, role, f"{key.id}:{secret}")


def _free_id(name: str, taken: set[str]) -> str:
    """A short id for URLs and keys, from the name where it allows."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "source"
    number = 1
    candidate = stem
    while candidate in taken:
        number += 1
        candidate = f"{stem}-{number}"
    return candidate


def _name_faults(name: str) -> list[Fault]:
    if _NAME.fullmatch(name):
        return []
    hint = "use up to 100 letters, digits, spaces and . _ @ -, beginning with a letter or digit"
    return [Fault(f"{name!r} is no name", "name", hint)]


def _is_country(code: str) -> bool:
    # Brought in only here: the numbering plans of the world take time and memory to load.
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415

    return code in SUPPORTED_REGIONS


def _source_row(source: Source) -> SourceRow:
    return SourceRow(
        source.id, source.name, source.kind, source.enabled, source.default_country, source.ip
    )


def _key_row(key: ApiKey) -> KeyRow:
    return KeyRow(key.name, key.role, key.created_at, key.revoked_at)
