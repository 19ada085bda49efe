"""Secrets that stand in a definition themselves, where only their names belong: text is kept, shown and copied."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from onefold.model.errors import Fault

_NAMES = frozenset({"authorization", "cookie", "passphrase", "passwd", "secret", "token"})
_ENDINGS = (
    "password", "secret", "_token", "-token", "secret_key", "account_key", "private_key",
    "api_key", "api-key", "apikey", "connection_string",
)  # fmt: skip
_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)
_PRIVATE = "PRIVATE KEY-----"
_HINT = "`{secret: NAME}`, and `onefold secret set NAME`"


def plain_secrets(
    given: Any, secret: frozenset[str] = frozenset(), where: str = "settings"
) -> Iterator[Fault]:
    """A fault for each text that is a secret by its name, or by what it says; `secret` are further names.

    >>> [one.where for one in plain_secrets({"user": "me", "password": "hunter2", "url": "pg://me:pw@db/x"})]
    ['settings.password', 'settings.url']
    """
    inner = given.items() if isinstance(given, Mapping) else ()
    for name, value in inner:
        place = f"{where}.{name}"
        if isinstance(value, str) and value:
            if name in secret or _is_secret(str(name).lower()) or _PRIVATE in value:
                yield Fault("is no place for a secret itself", place, _HINT)
            elif _IN_URL.match(value):
                hint = f"leave it out of the address, and say it apart: {_HINT}"
                yield Fault("holds a password", place, hint)
        elif not _is_reference(value):
            yield from plain_secrets(value, secret, place)
    for number, one in enumerate(given) if isinstance(given, (list, tuple)) else ():
        yield from plain_secrets(one, secret, f"{where}[{number}]")


def _is_secret(name: str) -> bool:
    return name in _NAMES or name.endswith(_ENDINGS)


def _is_reference(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"secret"}
