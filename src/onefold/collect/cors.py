"""Let pages of any origin send: a write key is public, and there are no cookies to steal."""

from __future__ import annotations

from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]


def cors_headers(request: Headers) -> list[tuple[bytes, bytes]]:
    """What every answer carries, errors too.

    The origin is named, not `*`, because beacons are sent with credentials.
    """
    origin = next((value for name, value in request if name == b"origin"), None)
    if origin is None:
        return [(b"access-control-allow-origin", b"*")]
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"Retry-After"),
        (b"vary", b"Origin"),
    ]


def preflight_headers(request: Headers) -> list[tuple[bytes, bytes]]:
    """What the answer to an OPTIONS request carries in addition."""
    asked = dict(request)
    headers = [
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (
            b"access-control-allow-headers",
            asked.get(
                b"access-control-request-headers",
                b"Authorization, Content-Type, Content-Encoding, X-Write-Key",
            ),
        ),
        (b"access-control-max-age", b"86400"),
    ]
    if b"access-control-request-private-network" in asked:
        headers.append((b"access-control-allow-private-network", b"true"))
    return headers
