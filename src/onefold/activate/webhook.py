"""Webhooks, signed as https://www.standardwebhooks.com says."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from onefold import __version__
from onefold.activate.destination import Destination
from onefold.activate.http import Request
from onefold.activate.retry import Policy
from onefold.model.delivery import Delivery
from onefold.model.profile import ProfileId, profile_name
from onefold.model.records import Identifier

KEY_PREFIX = "whsec_"


class WebhookSettings(msgspec.Struct, frozen=True):
    """Where a webhook goes, and how. While a secret is being changed there are two."""

    url: str
    secrets: tuple[bytes, ...]
    headers: dict[str, str] = {}
    timeout: float = 15.0
    concurrency: int = 8
    policy: Policy = Policy()

    def __repr__(self) -> str:
        return f"WebhookSettings({urlsplit(self.url).hostname})"


def destination(name: str, settings: WebhookSettings) -> Destination:
    """The destination that these settings describe."""
    return Destination(
        name, settings, request, settings.timeout, settings.concurrency, settings.policy
    )


def request(settings: WebhookSettings, delivery: Delivery, now: int) -> Request:
    """The signed request for a delivery, as of this attempt."""
    timestamp = str(now // 1_000_000)
    signatures = [sign(key, delivery.key, timestamp, delivery.payload) for key in settings.secrets]
    headers = {
        **settings.headers,
        "content-type": "application/json",
        "user-agent": f"Onefold/{__version__}",
        "webhook-id": delivery.key,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }
    return Request("POST", settings.url, headers, delivery.payload)


def sign(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The `v1` signature of one message.

    >>> sign(b"0" * 24, "msg_1", "1700000000", b"{}")
    'v1,GyD6JYhOMw54HxxeJFT2MBccaZQKsuPluglVfnm25Bo='
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def secret_text(key: bytes) -> str:
    """A signing key (24 to 64 random bytes) as receivers expect to be given it."""
    return KEY_PREFIX + base64.b64encode(key).decode()


def message_id(destination: str, *told: str | int | bool) -> str:
    """The name of a message: the same change has the same name, however often told."""
    text = msgspec.json.encode((destination, *told))
    return "msg_" + hashlib.blake2b(text, digest_size=16).hexdigest()


def membership_payload(
    *,
    segment: str,
    entered: bool,
    at: int,
    since: int,
    profile: ProfileId,
    identifiers: Sequence[Identifier],
    traits: Mapping[str, object],
) -> bytes:
    """The body that says a profile entered or left a segment at a time, a member since `since`."""
    return msgspec.json.encode(
        {
            "type": "segment.entered" if entered else "segment.exited",
            "timestamp": _iso(at),
            "data": {
                "segment": segment,
                "since": _iso(since),
                "profile": {
                    "id": profile_name(profile),
                    "identifiers": [{"kind": kind, "value": value} for kind, value in identifiers],
                    "traits": traits,
                },
            },
        }
    )


def alarm_payload(
    *, source: str, event: str, at: int, reason: str, failures: int, since: int
) -> bytes:
    """The body that says a source needs somebody, or no longer does; it worked last at `since` (0: never)."""
    return msgspec.json.encode(
        {
            "type": event,
            "timestamp": _iso(at),
            "data": {
                "source": source,
                "reason": reason,
                "failures": failures,
                "succeeded": _iso(since) if since else None,
            },
        }
    )


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime(
        f"%Y-%m-%dT%H:%M:%S.{at % 1_000_000 // 1000:03d}Z"
    )
