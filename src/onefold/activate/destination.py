"""What the dispatcher knows of a destination, whatever its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from onefold.activate.http import Request
from onefold.activate.retry import Policy
from onefold.model.delivery import Delivery


class Destination(msgspec.Struct, frozen=True):
    """Where deliveries go: a name, and how a delivery becomes a request."""

    name: str
    settings: Any
    request: Callable[[Any, Delivery, int], Request]
    timeout: float = 15.0
    concurrency: int = 8
    policy: Policy = Policy()

    def __repr__(self) -> str:
        return f"Destination({self.name})"
