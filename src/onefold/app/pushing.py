"""Sources that push: what their definitions say, with the secrets that their signatures need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import structlog

from onefold.app.secret_values import Revealed
from onefold.app.syncs.opening import with_texts
from onefold.collect.webhooks import WebhookSettings, settings_faults
from onefold.config import Settings
from onefold.model.conversion import converted
from onefold.model.errors import Busy, Fault, InvalidInput, NotFound
from onefold.store import SQLiteStore

log = structlog.get_logger(__name__)
WEBHOOK, SOAP = "webhook", "soap-push"
TYPES = (WEBHOOK, SOAP)
"""The types of sources that push, beside the tracking API."""


class SoapPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a source of type `soap-push`: what a UsernameToken's digest is made with."""

    password: str | tuple[str, ...]


class Door(NamedTuple):
    """A source that pushes, as it is now."""

    name: str
    settings: WebhookSettings | SoapPassword


_SECRETS = frozenset({"secret", "aes_key", "password"})
_SETTINGS: Mapping[str, Any] = {WEBHOOK: WebhookSettings, SOAP: SoapPassword}


def door_of(settings: Settings, store: SQLiteStore, name: str, kind: str) -> Door:
    """The source of this name and type; `NotFound` if there is none that is enabled."""
    versions = store.registry.definition_versions("source", name)
    body = versions[0].body if versions else None
    if body is None or body.get("type") != kind or not body.get("enabled", True):
        raise NotFound(f"there is no {kind} source {name[:100]!r}")
    try:
        revealed = Revealed(settings, store, body.get("settings") or {})
        return Door(name, msgspec.convert(revealed.body, _SETTINGS[kind]))
    except (InvalidInput, msgspec.ValidationError) as error:
        # Who sends can do nothing about it, and shall send it again when somebody has.
        log.warning("source_not_set_up", source=name, error=type(error).__name__)
        raise Busy(f"the source {name} is not set up yet; its owner has to look", 60) from error


def pushing_faults(kind: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the settings of a source that pushes, as far as its text tells."""
    given = body.get("settings") or {}
    for name in _SECRETS & given.keys():
        if any(isinstance(one, str) for one in _listed(given[name])):
            hint = f"`{name}: {{secret: NAME}}`, and `onefold secret set NAME`"
            yield Fault("is no place for a secret itself", f"settings.{name}", hint)
    try:
        found = converted(with_texts(given), _SETTINGS[kind], "the source", "settings")
    except InvalidInput as error:
        yield from error.faults
        return
    if isinstance(found, WebhookSettings):
        for fault in settings_faults(found):
            if not _is_secret(given.get(fault.where)):
                yield Fault(fault.message, f"settings.{fault.where}", fault.hint)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_secret(value: Any) -> bool:
    """Is it one that is only known when it is used?"""
    if isinstance(value, list):
        return any(map(_is_secret, value))
    return isinstance(value, Mapping) and value.keys() == {"secret"}
