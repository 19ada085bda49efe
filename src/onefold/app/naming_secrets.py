"""Destinations of before secrets had names: what they hold themselves is kept encrypted, and named."""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from typing import Any

import structlog

from onefold.activate.webhook_settings import secret_headers
from onefold.app.secret_values import secret_set
from onefold.app.workspace import now_us
from onefold.config import Settings
from onefold.store import SQLiteStore

_ODD = re.compile(r"[^A-Za-z0-9_.-]+")
_ACTOR = "upgrade"
_LONGEST = 64
log = structlog.get_logger(__name__)


def name_secrets(settings: Settings, store: SQLiteStore) -> None:
    """Bring destinations in force to the way in which secrets are named; older versions lose their texts.

    A destination whose `secret_env` is not in the environment stays as it is until it is there, or somebody
    writes its definition anew.
    """
    for one in store.registry.definitions():
        if one.kind == "destination" and (texts := _texts(one.body)):
            names = _names(one.name, len(texts))
            for name, text in zip(names, texts, strict=True):
                secret_set(settings, name, text, actor=_ACTOR)
            kept = {key: value for key, value in one.body.items() if key != "secret_env"}
            named = [{"secret": name} for name in names]
            body = {**kept, "secret": named[0] if len(named) == 1 else named}
            store.registry.put_definitions([("destination", one.name, body)], [], now_us(), _ACTOR)
            store.registry.hide("destination", one.name, "secret", body["secret"])
            log.info("destination_secret_named", destination=one.name, secrets=names)
    for one in store.registry.definitions():
        if one.kind == "destination" and (held := secret_headers(one.body)):
            headers = dict(one.body["headers"])
            for name in held:
                secret = _of_header(one.name, name)
                secret_set(settings, secret, headers[name], actor=_ACTOR)
                headers[name] = {"secret": secret}
            body = {**one.body, "headers": headers}
            store.registry.put_definitions([("destination", one.name, body)], [], now_us(), _ACTOR)
            store.registry.hide("destination", one.name, "headers", headers)
            log.info("destination_headers_named", destination=one.name, headers=held)


def _texts(body: dict[str, Any]) -> list[str]:
    """The secrets that a definition holds itself, or names by a variable of the environment."""
    given = body.get("secret") or os.environ.get(str(body.get("secret_env") or "")) or []
    texts = given.split() if isinstance(given, str) else given
    return texts if isinstance(texts, list) and all(isinstance(one, str) for one in texts) else []


def _base(destination: str) -> str:
    return f"destination.{_ODD.sub('-', destination)}"[:60]


def _of_header(destination: str, header: str) -> str:
    name = f"{_base(destination)}.{_ODD.sub('-', header)}"
    if len(name) <= _LONGEST:
        return name
    told_apart = blake2b(f"{destination}\0{header}".encode(), digest_size=6).hexdigest()
    return f"{name[: _LONGEST - 13]}-{told_apart}"


def _names(destination: str, count: int) -> list[str]:
    base = _base(destination)
    return [base if number == 0 else f"{base}.{number + 1}" for number in range(count)]
