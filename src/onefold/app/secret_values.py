"""Secrets: set once, kept encrypted, and put in where a definition says `{secret: NAME}`.

The store holds them encrypted (AES-256-GCM, bound to their name). The key lies apart from it: in the
setting `secrets_key`, or in the file `secrets.key` of the data folder, which only its owner reads.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Damaged, Fault, InvalidInput
from onefold.store import SQLiteStore

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"
_MOST_BYTES = 64 << 10
_SHORTEST_HIDDEN = 4
HIDDEN = "(hidden)"


class SecretRow(msgspec.Struct, frozen=True):
    """A secret as it is listed: never its value."""

    name: str
    changed_at: int
    changed_by: str


def secret_set(settings: Settings, name: str, value: str, *, actor: str = "cli") -> SecretRow:
    """Keep a secret, in place of an older one of this name."""
    faults = []
    if not _NAME.fullmatch(name):
        hint = "up to 64 letters, digits and . _ -, beginning with a letter"
        faults.append(Fault(f"{name!r} is no name", "name", hint))
    if not value or len(value.encode("utf-8", "replace")) > _MOST_BYTES:
        faults.append(Fault("must be a text of 1 byte to 64 KiB", "value"))
    if faults:
        raise InvalidInput("the secret cannot be kept", faults)
    key = _key(settings, make=True)
    with open_store(settings, cache_mb=4) as store:
        row = SecretRow(name, now_us(), actor)
        store.secrets.put(name, _encrypted(key, name, value), row.changed_at, actor)
        return row


def secret_list(settings: Settings) -> list[SecretRow]:
    """All secrets by name, without their values."""
    with open_store(settings, cache_mb=4) as store:
        return [SecretRow(*row) for row in store.secrets.names()]


def secret_remove(settings: Settings, name: str, *, actor: str = "cli") -> SecretRow:
    """Forget a secret; who needs it says so at its next run."""
    with open_store(settings, cache_mb=4) as store:
        row = next((SecretRow(*row) for row in store.secrets.names() if row[0] == name), None)
        value = _readable(settings, store, name)
        store.secrets.remove(name, now_us(), actor)
        if value is not None:
            store.refresh_tokens.forget(fingerprint(settings, value))
        assert row is not None
        return row


def fingerprint(settings: Settings, value: str) -> bytes:
    """What tells a secret from another, and nothing of it to who lacks the key."""
    return blake2b(value.encode(), key=_key(settings, make=True), digest_size=16).digest()


def sealed(settings: Settings, name: str, value: str) -> bytes:
    """A value encrypted with the workspace's key, to be kept under a name."""
    return _encrypted(_key(settings, make=True), name, value)


def unsealed(settings: Settings, name: str, stored: bytes) -> str:
    """What `sealed` was given; `Damaged` with another key or name."""
    return _decrypted(_key(settings, make=False), name, stored)


class Revealed:
    """Settings of a definition with the values of its secrets, and their texts made unreadable."""

    def __init__(self, settings: Settings, store: SQLiteStore, body: Mapping[str, Any]) -> None:
        self._values: dict[str, str] = {}
        faults: list[Fault] = []
        for where, name in secrets_of(body):
            value = _reveal(settings, store, name) if name else None
            if value is None:
                hint = f"`onefold secret set {name or 'NAME'}`"
                faults.append(Fault(f"there is no secret {name!r}", where, hint))
            else:
                self._values[name] = value
        if faults:
            raise InvalidInput("secrets are missing", faults)
        self._learned: set[str] = set()
        self.body: dict[str, Any] = {name: self._put_in(one) for name, one in body.items()}

    def learn(self, value: str) -> None:
        """This is a secret too, though no definition names it."""
        self._learned.add(value)

    def hide(self, text: str) -> str:
        """The same text without any of these secrets."""
        known = {*self._values.values(), *self._learned}
        written = {form for value in known for form in _forms(value)}
        for form in sorted(written, key=len, reverse=True):
            text = text.replace(form, HIDDEN)
        return text

    def _put_in(self, value: Any) -> Any:
        if (name := _named(value)) is not None:
            return self._values[name]
        if isinstance(value, Mapping):
            return {key: self._put_in(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._put_in(inner) for inner in value]
        return value


def _forms(value: str) -> Iterator[str]:
    """How a secret may stand in an error: as it is, as in an address, and as in JSON."""
    if len(value) >= _SHORTEST_HIDDEN:
        yield from (value, quote(value, safe=""), quote_plus(value))
        yield msgspec.json.encode(value).decode()[1:-1]


def secrets_of(value: Any, where: str = "settings") -> Iterator[tuple[str, str]]:
    """Each place in settings that asks for a secret, and its name.

    >>> list(secrets_of({"password": {"secret": "crm"}, "hosts": ["a"]}))
    [('settings.password', 'crm')]
    """
    if (name := _named(value)) is not None:
        yield where, name
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from secrets_of(inner, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from secrets_of(inner, f"{where}[{number}]")


def _named(value: Any) -> str | None:
    if isinstance(value, Mapping) and value.keys() == {"secret"}:
        name = value["secret"]
        return name if isinstance(name, str) else ""
    return None


def _readable(settings: Settings, store: SQLiteStore, name: str) -> str | None:
    """A secret, where it is there and can be read."""
    try:
        return _reveal(settings, store, name)
    except (Damaged, InvalidInput):
        return None


def _reveal(settings: Settings, store: SQLiteStore, name: str) -> str | None:
    stored = store.secrets.get(name)
    return None if stored is None else _decrypted(_key(settings, make=False), name, stored)


def _encrypted(key: bytes, name: str, value: str) -> bytes:
    # Loaded only by those who set or use a secret.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, value.encode(), name.encode())


def _decrypted(key: bytes, name: str, stored: bytes) -> str:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    nonce, sealed = stored[1 : 1 + _NONCE_BYTES], stored[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, name.encode()).decode()
    except InvalidTag as error:
        raise Damaged(
            f"the secret {name!r} cannot be read with this key: give the key it was set with"
            f" (`secrets_key`, or secrets.key in the data folder), or `onefold secret set {name}`"
        ) from error


def _key(settings: Settings, *, make: bool) -> bytes:
    if settings.secrets_key:
        return _read_key(settings.secrets_key, "secrets_key")
    path = settings.data / "secrets.key"
    try:
        return _read_key(path.read_text("ascii"), str(path))
    except FileNotFoundError:
        if not make:
            raise Damaged(f"the key of the secrets is missing: {path}") from None
    made = base64.b64encode(secrets.token_bytes(_KEY_BYTES))
    # Written apart and linked, so that a crash leaves no half key, and of two who make one, one wins.
    half = path.with_name(f"secrets.key.{secrets.token_hex(4)}")
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, made)
        os.fsync(handle)
        try:
            os.link(half, path)
        except FileExistsError:
            return _key(settings, make=False)
    finally:
        os.close(handle)
        half.unlink()
    return base64.b64decode(made)


def _read_key(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        fault = Fault("is no key", where, "the base64 of 32 random bytes")
        raise InvalidInput("the secrets cannot be read", [fault])
    return key
