"""Whether a delivery comes from who it says: signatures compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping

from onefold.collect.webhooks.settings import Call, Scheme, WebhookSettings, standard_key
from onefold.model.errors import Unauthorized

_MOST_SIGNATURES = 10  # a header of thousands would have each compared


def verify(call: Call, settings: WebhookSettings, now: int) -> None:
    """Raise `Unauthorized` unless the sender's signature is right. `now` is in seconds.

    WeChat's are checked where its messages are opened, as they sign what is in them.

    >>> call = Call({"x-hook": "open sesame"}, {}, b"{}")
    >>> verify(call, WebhookSettings(signature="token", secret="open sesame", header="X-Hook"), 0)
    """
    check = _CHECKS.get(settings.signature)
    if check is not None:
        check(call, settings, now)


def _plain(call: Call, settings: WebhookSettings, now: int) -> None:
    scheme = settings.scheme
    given = _header(call, scheme.header)
    if not given.startswith(scheme.prefix):
        raise Unauthorized(f"the header {scheme.header} does not begin with {scheme.prefix}")
    message = call.body
    if scheme.signed != "{body}":
        message = _message(call, scheme, settings.tolerance, now)
    given = given[len(scheme.prefix) :]
    _compare([given], [_hmac(scheme, one.encode(), message) for one in settings.secrets])


def _message(call: Call, scheme: Scheme, tolerance: int, now: int) -> bytes:
    signed = scheme.signed
    if "{timestamp}" in signed:
        time = _header(call, scheme.timestamp_header)
        _in_time(time, tolerance, now)
        signed = signed.replace("{timestamp}", time)
    before, _, after = signed.partition("{body}")
    return before.encode() + call.body + after.encode()


def _stripe(call: Call, settings: WebhookSettings, now: int) -> None:
    # https://docs.stripe.com/webhooks#verify-manually
    parts = [part.partition("=") for part in _header(call, "stripe-signature").split(",")]
    time = next((value for name, _, value in parts if name.strip() == "t"), "")
    given = [value for name, _, value in parts if name.strip() == "v1"]
    message = _bytes(f"{time}.") + call.body
    scheme = Scheme("stripe-signature")
    _compare(given, [_hmac(scheme, one.encode(), message) for one in settings.secrets])
    _in_time(time, settings.tolerance, now)


def _standard(call: Call, settings: WebhookSettings, now: int) -> None:
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    prefix = "webhook" if "webhook-id" in call.headers else "svix"
    if f"{prefix}-id" not in call.headers:
        prefix = "webhook"
    delivery, time = _header(call, f"{prefix}-id"), _header(call, f"{prefix}-timestamp")
    listed = _header(call, f"{prefix}-signature").split(" ")
    given = [one[3:] for one in listed if one.startswith("v1,")]
    message = _bytes(f"{delivery}.{time}.") + call.body
    scheme = Scheme(f"{prefix}-signature", encoding="base64")
    keys = filter(None, map(standard_key, settings.secrets))
    _compare(given, [_hmac(scheme, key, message) for key in keys])
    _in_time(time, settings.tolerance, now)


def _token(call: Call, settings: WebhookSettings, now: int) -> None:
    given = call.headers.get(settings.header.lower()) if settings.header else None
    given = given or call.query.get("token") or ""
    _compare([given.removeprefix("Bearer ")], settings.secrets)


_CHECKS: Mapping[str, Callable[[Call, WebhookSettings, int], None]] = {
    "shopify": _plain,
    "github": _plain,
    "hmac": _plain,
    "stripe": _stripe,
    "standard": _standard,
    "token": _token,
}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _header(call: Call, name: str) -> str:
    value = call.headers.get(name)
    if not value:
        raise Unauthorized(f"the header {name} is missing; it would hold the signature")
    return value.strip()


def _hmac(scheme: Scheme, secret: bytes, message: bytes) -> str:
    digest = hmac.new(secret, message, getattr(hashlib, scheme.algorithm)).digest()
    return digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()


def _compare(given: list[str], right: Iterable[str]) -> None:
    """Raise unless one of those given is right; every pair is compared, whatever came before."""
    found = False
    expected = [one.encode() for one in right]
    for one in given[:_MOST_SIGNATURES]:
        text = _bytes(one)
        for other in expected:
            found |= hmac.compare_digest(text, other)
    if not found:
        raise Unauthorized(
            "the signature is wrong; compare the secret of this source with that of the sender"
        )


def _in_time(time: str, tolerance: int, now: int) -> None:
    """Raise where the signed time is too far from ours: a delivery that somebody kept and sends again."""
    if not (time.isascii() and time.isdigit() and len(time) <= 11):
        raise Unauthorized("the time of the signature is no number of seconds")
    if abs(now - int(time)) > tolerance:
        raise Unauthorized(
            f"the signature is of a time more than {tolerance} seconds from now; it is not taken twice"
        )
