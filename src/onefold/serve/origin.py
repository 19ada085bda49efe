"""By which address a caller reached us, seen through the proxies that are trusted."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

from onefold.collect.address import Networks, is_trusted
from onefold.model.errors import InvalidInput

_HOST = re.compile(rb"[A-Za-z0-9._:\[\]-]+")


def origin(scope: MutableMapping[str, Any], proxies: Networks) -> str:
    """Scheme and host of a request, such as `https://cdp.example`."""
    headers = dict(scope["headers"])
    scheme, host = scope["scheme"], headers.get(b"host", b"")
    if scope.get("client") and is_trusted(scope["client"][0], proxies):
        host = headers.get(b"x-forwarded-host", host)
        scheme = "https" if headers.get(b"x-forwarded-proto") == b"https" else scheme
    if not _HOST.fullmatch(host):
        raise InvalidInput("the Host header is missing or is no host")
    return f"{scheme}://{host.decode('ascii')}"
