"""A source: who may send events, and the write key by which it is known."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Literal

import msgspec


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Something that sends events.

    `default_country` (ISO 3166, two letters) reads phone numbers without a country code. `ip` says
    whether the caller's address goes with its events (`direct`) or not (`none`, for servers that
    speak for others). `events_per_second` is a limit, None for no limit.
    """

    id: str
    name: str
    kind: str = "http"
    key_hash: bytes = b""
    enabled: bool = True
    default_country: str | None = None
    ip: Literal["direct", "none"] = "direct"
    events_per_second: int | None = None


FindSource = Callable[[str], Source | None]
"""Gives the source with this id, or None; `{...}.get` of a snapshot is one."""


def hash_secret(secret: str) -> bytes:
    """What is stored of a write key's secret.

    A plain hash is enough because secrets are 160 random bits or more: there is nothing to guess.

    >>> len(hash_secret("s3cret"))
    32
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def write_key(source_id: str, secret: str) -> str:
    """The key that a client is given.

    >>> write_key("web", "s3cret")
    'web:s3cret'
    """
    return f"{source_id}:{secret}"


def authenticate(key: str, find_source: FindSource) -> Source | None:
    """The source whose write key this is, enabled or not; None where there is none.

    >>> web = Source(id="web", name="Web shop", key_hash=hash_secret("s3cret"))
    >>> authenticate("web:s3cret", {"web": web}.get) is web
    True
    >>> authenticate("web:guess", {"web": web}.get) is None
    True
    """
    source_id, _, secret = key.partition(":")
    source = find_source(source_id)
    if source is None or not hmac.compare_digest(hash_secret(secret), source.key_hash):
        return None
    return source
