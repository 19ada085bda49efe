"""How a sender of webhooks signs, and where it says which delivery this is."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import msgspec

from onefold.model.errors import Fault

Signature = Literal[
    "key", "shopify", "stripe", "github", "standard", "wechat", "wecom", "hmac", "token"
]
_AES_KEY_LETTERS = 43


class Scheme(msgspec.Struct, frozen=True):
    """A signature that is an HMAC: of what, in which header, written how.

    `signed` is what is signed: `{body}`, with `{timestamp}` the value of the header of that name.
    """

    header: str
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    signed: str = "{body}"
    timestamp_header: str = ""


class Names(NamedTuple):
    """Where a delivery says its id and its topic: headers, the first that is there, or a field."""

    id_headers: tuple[str, ...] = ()
    id_field: str = ""
    topic_header: str = ""
    topic_field: str = ""


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a source of type `webhook`.

    `signature` says who signs and how: `key` (the default) is no signature but the source's write
    key; `hmac` is described by the fields below; `token` is a word that comes in `header` or in the
    query as `token`. Of `secret` there may be several while it is being changed. `tolerance` is by
    how many seconds a signed time may differ from ours. `app_id` and `aes_key` are those of WeChat's
    safe mode. `id_header`, `id_field`, `topic_header` and `topic_field` say where a delivery names
    itself and its topic, if the vendor's way is not known. `events_per_second` is how much is taken.
    """

    signature: Signature = "key"
    secret: str | tuple[str, ...] = ()
    tolerance: int = 300
    header: str = ""
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    signed: str = "{body}"
    timestamp_header: str = ""
    app_id: str = ""
    aes_key: str = ""
    id_header: str = ""
    id_field: str = ""
    topic_header: str = ""
    topic_field: str = ""
    events_per_second: int | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Those that may have signed."""
        return (self.secret,) if isinstance(self.secret, str) else self.secret

    @property
    def scheme(self) -> Scheme:
        """The HMAC of `hmac`, or of a vendor whose signature is nothing else."""
        return SCHEMES.get(self.signature) or Scheme(
            self.header.lower(),
            self.algorithm,
            self.encoding,
            self.prefix,
            self.signed,
            self.timestamp_header.lower(),
        )

    @property
    def names(self) -> Names:
        """Where a delivery says what it is; what is set wins over the vendor's own way."""
        own = NAMES.get(self.signature, Names())
        return Names(
            (self.id_header.lower(),) if self.id_header else own.id_headers,
            self.id_field or ("" if self.id_header else own.id_field),
            self.topic_header.lower() or own.topic_header,
            self.topic_field or ("" if self.topic_header else own.topic_field),
        )


SCHEMES: Mapping[str, Scheme] = {
    # https://shopify.dev/docs/apps/build/webhooks/subscribe/https
    "shopify": Scheme("x-shopify-hmac-sha256", encoding="base64"),
    # https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
    "github": Scheme("x-hub-signature-256", prefix="sha256="),
}
NAMES: Mapping[str, Names] = {
    # https://shopify.dev/docs/apps/build/webhooks/ignore-duplicates
    "shopify": Names(("x-shopify-event-id", "x-shopify-webhook-id"), "", "x-shopify-topic"),
    "github": Names(("x-github-delivery",), "", "x-github-event"),
    "stripe": Names((), "id", "", "type"),
    "standard": Names(("webhook-id", "svix-id"), "", "", "type"),
}


class Call(NamedTuple):
    """A request as it came: its headers in small letters, its query, and its body unpacked."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


def settings_faults(settings: WebhookSettings) -> Iterator[Fault]:
    """Everything for which these settings cannot work."""
    kind = settings.signature
    if kind != "key" and not all(settings.secrets or ("",)):
        yield Fault("is missing", "secret", f"a signature of {kind!r} is checked with its secret")
    if kind == "key" and settings.secret:
        hint = "say who signs, such as `signature: hmac`, or leave it out"
        yield Fault("is used by no signature", "secret", hint)
    if not 0 < settings.tolerance <= 86_400:
        yield Fault("must be 1 to 86400 seconds", "tolerance")
    if settings.events_per_second is not None and settings.events_per_second < 1:
        yield Fault("must be at least 1", "events_per_second", "leave it out for no limit")
    if kind == "hmac":
        yield from _hmac_faults(settings)
    if kind == "standard" and not all(map(standard_key, settings.secrets)):
        yield Fault("is not base64", "secret", "as the sender shows it, with whsec_ or not")
    if kind == "wecom" and not settings.aes_key:
        yield Fault("is missing", "aes_key", "WeCom always encrypts; copy its EncodingAESKey")
    if settings.aes_key:
        yield from _aes_faults(settings)


def _hmac_faults(settings: WebhookSettings) -> Iterator[Fault]:
    if not settings.header:
        yield Fault("is missing", "header", "name the header that holds the signature")
    if "{body}" not in settings.signed:
        yield Fault("does not hold {body}", "signed", "what is not signed proves nothing")
    if "{timestamp}" in settings.signed and not settings.timestamp_header:
        yield Fault("is missing", "timestamp_header", "`signed` asks for it")


def _aes_faults(settings: WebhookSettings) -> Iterator[Fault]:
    if aes_key(settings.aes_key) is None:
        yield Fault("is no EncodingAESKey", "aes_key", "it has 43 letters and digits")
    if not settings.app_id:
        yield Fault("is missing", "app_id", "what was encrypted names whom it is for")


def standard_key(secret: str) -> bytes | None:
    """The bytes of a secret of Standard Webhooks."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def aes_key(text: str) -> bytes | None:
    """The 32 bytes of an EncodingAESKey, which leaves out the last sign of base64."""
    try:
        key = base64.b64decode(text + "=", validate=len(text) == _AES_KEY_LETTERS)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == 32 else None
