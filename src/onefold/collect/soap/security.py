"""WS-Security's UsernameToken: a name, and a password as it is or as a digest that holds once.

https://docs.oasis-open.org/wss/v1.1/wss-v1.1-spec-os-UsernameTokenProfile.pdf
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import NamedTuple

from onefold.collect.xml import Element
from onefold.model.errors import Unauthorized
from onefold.model.moments import read_iso

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
SECURITY = f"{_OASIS}wssecurity-secext-1.0.xsd"
_DIGEST = f"{_OASIS}username-token-profile-1.0#PasswordDigest"
_TEXT = f"{_OASIS}username-token-profile-1.0#PasswordText"
_SECONDS = 300
_MOST_NONCES = 100_000


class Token(NamedTuple):
    """Who says that they are calling, and how they prove it."""

    user: str
    password: str
    digest: bool = False
    nonce: bytes = b""
    created: str = ""

    def proves(self, passwords: Iterable[str]) -> bool:
        """Is it one of these passwords that they know?"""
        given = self.password.encode("utf-8", "surrogatepass")
        found = False
        for one in passwords:
            right = one.encode()
            if self.digest:
                # The profile's own digest; it is salted by nonce and time, and never stored.
                made = hashlib.sha1(
                    self.nonce + self.created.encode() + right, usedforsecurity=False
                )
                right = base64.b64encode(made.digest())
            found |= hmac.compare_digest(given, right)
        return found


class Nonces:
    """Those used a short while ago, so that a digest that somebody kept is not taken twice.

    >>> nonces = Nonces()
    >>> nonces.use("crm", b"n", 0), nonces.use("crm", b"n", 1)
    (True, False)
    """

    def __init__(self) -> None:
        self._used: dict[tuple[str, bytes], int] = {}

    def use(self, user: str, nonce: bytes, now: int) -> bool:
        """Use one at a time in seconds; False where it was used already."""
        if len(self._used) >= _MOST_NONCES:
            self._used = {one: at for one, at in self._used.items() if now - at <= 2 * _SECONDS}
            if len(self._used) >= _MOST_NONCES:
                return False
        if (at := self._used.get((user, nonce))) is not None and now - at <= 2 * _SECONDS:
            return False
        self._used[user, nonce] = now
        return True


def token_of(security: Element | None, now: int) -> Token | None:
    """The token of a call, or None where it has no security header. `now` is in seconds.

    Raises `Unauthorized` where it cannot be used: of another kind, too old, or without a nonce.
    """
    if security is None:
        return None
    _in_force(security.child("Timestamp"), now)
    token = security.child("UsernameToken")
    if token is None:
        raise Unauthorized(
            "the security header holds no UsernameToken, the only kind that is taken"
        )
    password = token.child("Password")
    user = token.text_of("Username")
    if password is None or not user:
        raise Unauthorized("the UsernameToken has no Username or no Password")
    kind = password.attributes.get("Type", _TEXT)
    if kind == _TEXT:
        return Token(user, password.text)
    if kind != _DIGEST:
        raise Unauthorized("the password is neither PasswordText nor PasswordDigest")
    created = token.text_of("Created")
    _recent(created, now)
    try:
        nonce = base64.b64decode(token.text_of("Nonce"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unauthorized("the Nonce is not base64") from error
    if not 0 < len(nonce) <= 256:
        raise Unauthorized("a PasswordDigest needs a Nonce of 1 to 256 bytes")
    return Token(user, password.text.strip(), True, nonce, created)


def _in_force(timestamp: Element | None, now: int) -> None:
    expires = timestamp.text_of("Expires") if timestamp is not None else ""
    if expires and _seconds(expires) < now:
        raise Unauthorized("the message has expired; compare the clocks")


def _recent(created: str, now: int) -> None:
    if abs(now - _seconds(created)) > _SECONDS:
        raise Unauthorized(
            f"the UsernameToken was created more than {_SECONDS} seconds from now; compare the clocks"
        )


def _seconds(text: str) -> float:
    found = read_iso(text)
    if found is None:
        raise Unauthorized("the security header has a time that cannot be read")
    return found / 1_000_000
