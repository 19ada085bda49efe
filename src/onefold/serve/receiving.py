"""The whole body of a request, within limits of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from onefold.model.errors import Busy, TooLarge

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_BODY_SECONDS = 30.0


async def receive_body(receive: Receive, limit: int) -> bytes | None:
    """The body; None where the client went away before it had sent all."""
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                if len(body) > limit:
                    raise TooLarge(f"the body is larger than {limit} bytes")
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError as error:
        raise Busy("the body did not arrive in time; send it again") from error
