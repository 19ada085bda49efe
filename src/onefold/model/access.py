"""API keys and roles: who may do what."""

from __future__ import annotations

from typing import Literal

import msgspec

Role = Literal["reader", "analyst", "editor", "admin"]
ROLES: tuple[Role, ...] = ("reader", "analyst", "editor", "admin")


class ApiKey(msgspec.Struct, frozen=True):
    """A key of the management API, kept as a hash. Form of the key itself: `id:secret`."""

    id: str
    name: str
    role: Role
    key_hash: bytes
    created_at: int
    revoked_at: int | None = None

    def may(self, role: Role) -> bool:
        """Does its role include another? Each role includes those before it in `ROLES`."""
        return self.revoked_at is None and ROLES.index(self.role) >= ROLES.index(role)
